import { SAMPLES_PER_SECOND } from "../api/profile_measurements.ts";
import {
  PT_CGROUP_LEVELS_MAX,
  PT_CHAIN_ROWS_MAX,
  PT_DATA_RING_BYTES,
  PT_EXEC_ARGUMENT_BYTES,
  PT_FILE_ROWS_MAX,
  PT_LIFECYCLE_RING_BYTES,
  PT_SAMPLE_ROWS_MAX,
  PT_TARGET_CGROUPS_MAX,
  PT_TARGET_PROCESSES_MAX,
  PT_TARGET_SLOTS,
  PT_THREADS_MAX,
  PT_USER_STACK_FRAMES_MAX,
  PT_USER_STACKS_MAX,
  PT_WAIT_ROWS_MAX,
} from "../../bpf/generated/layout.ts";
import { assert } from "../../tests/support/assert.ts";
import * as limits from "../api/limits.ts";

import { CLOCK_TICKS_PER_SECOND } from "../ffi/bpf_object.ts";

Deno.test("a sample stands for what the clock's rate says", () => {
  assert.equal(CLOCK_TICKS_PER_SECOND, SAMPLES_PER_SECOND);
});

Deno.test("the sizes of the kernel's tables are the limits that engine/api publishes", () => {
  assert.equal(PT_DATA_RING_BYTES, limits.DATA_RING_BYTES);
  assert.equal(PT_FILE_ROWS_MAX, limits.FILE_ROWS_MAX);
  assert.equal(PT_EXEC_ARGUMENT_BYTES, limits.EXEC_ARGUMENT_BYTES_MAX);
  assert.equal(PT_LIFECYCLE_RING_BYTES, limits.LIFECYCLE_RING_BYTES);
  assert.equal(PT_TARGET_SLOTS, limits.TARGETS_MAX + 1); // slot 0 is nobody's
  assert.equal(PT_TARGET_CGROUPS_MAX, limits.TARGET_CGROUPS_MAX);
  assert.equal(PT_TARGET_PROCESSES_MAX, limits.TARGET_PROCESSES_MAX);
  assert.equal(PT_CGROUP_LEVELS_MAX, limits.CGROUP_LEVELS_MAX);
  assert.equal(PT_THREADS_MAX, limits.THREADS_MAX);
  assert.equal(PT_WAIT_ROWS_MAX, limits.WAIT_ROWS_MAX);
  assert.equal(PT_CHAIN_ROWS_MAX, limits.CHAIN_ROWS_MAX);
  assert.equal(PT_SAMPLE_ROWS_MAX, limits.SAMPLE_ROWS_MAX);
  assert.equal(PT_USER_STACKS_MAX, limits.USER_STACKS_MAX);
  assert.equal(PT_USER_STACK_FRAMES_MAX, limits.USER_STACK_FRAMES_MAX);
});
