/**
 * Healthy programs that do what the planted troubles do, within bounds: every
 * plane looks at them, and no rule has anything to say above info.
 *
 * @module
 */

import { makeDiskDirectory } from "../../cmd/dev/demo/disk_directory.ts";
import { type FixtureName, type FixtureSettings, startFixture } from "../support/fixture_programs.ts";
import { kernelTest } from "../support/kernel.ts";
import { makeLimitedCgroup, makeMemoryLimitedCgroup } from "../support/limited_cgroup.ts";
import { assertQuiet } from "../support/quiet_programs.ts";
import { BackgroundProgram } from "../support/server_process.ts";
import { TRACING_REQUIREMENTS } from "../support/tracing.ts";
import { until } from "../support/until.ts";

const REQUIRES = { requires: TRACING_REQUIREMENTS };
const DURATION_MS_MAX = 120_000;
const MIB = 1024 * 1024;

const QUIET: readonly { readonly name: string; readonly fixture: FixtureName; readonly settings: FixtureSettings }[] = [
  {
    name: "a program that writes and syncs a little now and then",
    fixture: "fsync_log",
    settings: { write_bytes: 4096, pause_ms: 400 },
  },
  {
    name: "threads that share a lock for moments",
    fixture: "lock_holder",
    settings: { holder: "burn", hold_ms: 0, gap_ms: 20, worker_gap_ms: 20 },
  },
  { name: "a pool of processes that mostly waits for jobs", fixture: "job_pool", settings: { jobs: 2, work_ms: 1 } },
  { name: "a pipe whose writer keeps up", fixture: "pipe_waiter", settings: { delay_ms: 1 } },
  {
    name: "a thread that looks at a flag fifty times a second",
    fixture: "poller",
    settings: { pause_us: 20_000, work_us: 10 },
  },
];

for (const { name, fixture, settings } of QUIET) {
  kernelTest(`no rule speaks above info of ${name}`, REQUIRES, async () => {
    await using directory = await makeDiskDirectory(["srv"]);
    await using running = await startFixture(fixture, {
      duration_ms: DURATION_MS_MAX,
      ...settings,
      path: `${directory.path}/audit.log`,
    });
    await assertQuiet(running.processId);
  });
}

kernelTest("no rule speaks above info of a program that uses half of its CPU quota", REQUIRES, async () => {
  await using limits = await makeLimitedCgroup({ cpus: 0.2 });
  await using fixture = await startFixture("poller", {
    duration_ms: DURATION_MS_MAX,
    work_us: 10_000,
    period_us: 100_000,
  });
  await limits.add(fixture.processId);
  await assertQuiet(fixture.processId);
});

/** Programs that work for a while and end well, and one whose exit code 1 is an answer. */
const WORKING_CHILDREN = "while :; do seq 1 400000 | sort -n > /dev/null; grep -q absent /etc/passwd; done";

kernelTest("no rule speaks above info of a shell whose children work and end", REQUIRES, async () => {
  await using shell = new BackgroundProgram(["sh", "-c", WORKING_CHILDREN], { isGroup: true });
  await assertQuiet(shell.processId);
});

/** Parts of a pipeline wait for the one that works; whoever writes to it waits, too. */
const PIPELINES =
  "while :; do seq 1 600000 | sort -n | uniq | tail -1; head -c 3000000 /dev/urandom | gzip; done > /dev/null";

kernelTest("no rule speaks above info of a shell that runs pipelines", REQUIRES, async () => {
  await using shell = new BackgroundProgram(["sh", "-c", PIPELINES], { isGroup: true });
  await assertQuiet(shell.processId);
});

kernelTest("no rule speaks above info of a group whose memory is full of page cache", REQUIRES, async () => {
  const limitBytes = 32 * MIB;
  await using directory = await makeDiskDirectory(["srv"]);
  await using cgroup = await makeMemoryLimitedCgroup({ limitBytes });
  // What it writes and reads once uses the limit up; from then on it has next to nothing to do.
  const fill = `echo $$ > ${cgroup.path}/cgroup.procs; head -c ${64 * MIB} /dev/zero > "$0"; cat "$0" > /dev/null`;
  const script = `${fill}; while :; do head -c 4096 "$0" > /dev/null; sleep 0.2; done`;
  await using shell = new BackgroundProgram(["sh", "-c", script, `${directory.path}/data.bin`], { isGroup: true });
  const isV1 = cgroup.path.includes("/memory/");
  const usageFile = `${cgroup.path}/${isV1 ? "memory.usage_in_bytes" : "memory.current"}`;
  await until(() => Number(Deno.readTextFileSync(usageFile)) > 0.9 * limitBytes, {
    what: "page cache fills it",
    timeoutMs: 60_000,
  });
  await assertQuiet(shell.processId);
});
