import { assert } from "../../tests/support/assert.ts";
import type { WaitEvent } from "../api/events.ts";
import { toTargetId } from "../api/units.ts";
import {
  causeKey,
  CHILD_GROUPS_MAX,
  EventDigest,
  EXIT_CODES_MAX,
  KNOWN_OBJECTS_MAX,
  LONGEST_WAITS_MAX,
  SLOW_CAUSES_MAX,
} from "./event_digest.ts";
import { BEGIN_MS, buildExit, PEER, TARGET_ID } from "./test_measurements.ts";

const waitEvent = (overrides: Partial<WaitEvent> = {}): WaitEvent => ({
  kind: "wait",
  targetId: TARGET_ID,
  endMs: BEGIN_MS,
  durationMs: 10,
  processId: 100,
  threadId: 100,
  waitClass: "network",
  systemCall: "recvfrom",
  object: PEER,
  wakerThreadId: 0,
  ...overrides,
});

Deno.test("EventDigest keeps the longest waits, longest first, and no more than its limit", () => {
  const digest = new EventDigest();
  const count = LONGEST_WAITS_MAX * 3;
  // 7 is coprime to the count, so every duration comes once and in no order.
  for (let index = 0; index < count; index++) digest.add(waitEvent({ durationMs: 1 + index * 7 % count }));
  const durations = digest.summary().longestWaits.map((wait) => wait.durationMs);
  assert.deepEqual(durations, Array.from({ length: LONGEST_WAITS_MAX }, (_, index) => count - index));
});

Deno.test("EventDigest counts what found no room in a table, and still counts the event", () => {
  const digest = new EventDigest();
  for (let port = 1; port <= SLOW_CAUSES_MAX + 5; port++) {
    digest.add(waitEvent({ object: { ...PEER, port } as typeof PEER }));
  }
  for (let index = 0; index < CHILD_GROUPS_MAX + 3; index++) {
    digest.add(buildExit({ command: `c${index}`, processId: 1, exitCode: 1 }));
  }
  const summary = digest.summary();
  assert.equal(summary.slowCauses.size, SLOW_CAUSES_MAX);
  assert.equal(summary.childGroups.length, CHILD_GROUPS_MAX);
  assert.equal(summary.ungroupedCount, 5 + 3);
  assert.equal(summary.counts.wait, SLOW_CAUSES_MAX + 5);
  assert.equal(summary.counts.exit, CHILD_GROUPS_MAX + 3);
});

Deno.test("EventDigest tells a bounded number of exit codes apart and adds up the others", () => {
  const digest = new EventDigest();
  for (let exitCode = 1; exitCode <= EXIT_CODES_MAX + 4; exitCode++) digest.add(buildExit({ exitCode }));
  const [group] = digest.summary().childGroups;
  assert.equal(group?.failedCount, EXIT_CODES_MAX + 4);
  assert.equal(group?.exitCodes.other, 4);
  assert.equal(Object.keys(group?.exitCodes ?? {}).length, EXIT_CODES_MAX + 1);
});

Deno.test("EventDigest names an ended process by its program, not by the thread that ended last", () => {
  const digest = new EventDigest();
  digest.add({
    kind: "exec",
    targetId: TARGET_ID,
    atMs: 0,
    processId: 900,
    command: "job",
    path: "/bin/job",
    argumentList: [],
    isArgumentListCut: false,
  });
  digest.add(buildExit({ processId: 900, threadId: 903, command: "job-worker-3", exitCode: 1 }));
  assert.equal(digest.summary().childGroups[0]?.command, "job");
});

Deno.test("EventDigest counts lifecycle events for the process that caused them", () => {
  const digest = new EventDigest();
  const fork = {
    kind: "fork" as const,
    targetId: TARGET_ID,
    atMs: 0,
    parentProcessId: 100,
    parentThreadId: 100,
    childProcessId: 900,
    childThreadId: 900,
    command: "sh",
  };
  digest.add(fork);
  digest.add({ ...fork, childProcessId: 100, childThreadId: 101 });
  digest.add(buildExit({ processId: 900 }));
  assert.deepEqual([...digest.summary().processEventCounts], [[100, 2], [900, 1]]);
});

Deno.test("EventDigest counts a cause by what its object is, whoever made it, apart by target and class", () => {
  const digest = new EventDigest();
  const otherTarget = toTargetId("other");
  const objects = [PEER, { ...PEER }];
  for (let index = 0; index < 12; index++) {
    const object = objects[index % 2] ?? PEER;
    const endMs = BEGIN_MS + index;
    digest.add(waitEvent({ object, endMs }));
    digest.add(waitEvent({ object, endMs, targetId: otherTarget }));
    if (index < 3) digest.add(waitEvent({ object, endMs, waitClass: "idle" }));
  }
  const { slowCauses } = digest.summary();
  const causeOf = (targetId: string, waitClass: "idle" | "network") =>
    slowCauses.get(`${targetId} ${causeKey({ waitClass, object: PEER })}`);
  assert.equal(slowCauses.size, 3);
  assert.deepEqual(causeOf(TARGET_ID, "network"), { count: 12, firstEndMs: BEGIN_MS, lastEndMs: BEGIN_MS + 11 });
  assert.deepEqual(causeOf(otherTarget, "network"), { count: 12, firstEndMs: BEGIN_MS, lastEndMs: BEGIN_MS + 11 });
  assert.deepEqual(causeOf(TARGET_ID, "idle"), { count: 3, firstEndMs: BEGIN_MS, lastEndMs: BEGIN_MS + 2 });
});

Deno.test("EventDigest counts a cause on when more objects came than it finds without a key", () => {
  const digest = new EventDigest();
  digest.add(waitEvent());
  for (let copy = 0; copy < 2 * KNOWN_OBJECTS_MAX; copy++) digest.add(waitEvent({ object: { ...PEER } }));
  digest.add(waitEvent());
  const { slowCauses, ungroupedCount } = digest.summary();
  assert.deepEqual([...slowCauses.values()].map(({ count }) => count), [2 * KNOWN_OBJECTS_MAX + 2]);
  assert.equal(ungroupedCount, 0);
});
