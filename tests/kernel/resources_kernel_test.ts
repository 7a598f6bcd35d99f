/**
 * What processes and cgroups have, use and may use, against /proc, cgroupfs and
 * planted programs.
 *
 * @module
 */

import { parseFlatKeyed } from "../../engine/host/cgroup_resources.ts";
import { assert } from "../support/assert.ts";
import { type FixtureSettings, startFixture } from "../support/fixture_programs.ts";
import { kernelTest } from "../support/kernel.ts";
import { assertBooksBalance } from "../support/ledger_checks.ts";
import { makeMemoryLimitedCgroup } from "../support/limited_cgroup.ts";
import { findingsIn } from "../support/report_findings.ts";
import { processTarget, Tracing, TRACING_REQUIREMENTS } from "../support/tracing.ts";
import { until } from "../support/until.ts";

const REQUIRES = { requires: TRACING_REQUIREMENTS };
const DURATION_MS_MAX = 120_000;
const MIB = 1024 * 1024;

/** Sums of the kernel's that a CPU has not added yet: at most some dozen pages each, of three members. */
const RESIDENT_SLACK_BYTES = 4 * MIB;

/** `minflt` and `majflt` of proc(5), of all living threads. */
function faultsOf(processId: number): { minor: number; major: number } {
  const fields = Deno.readTextFileSync(`/proc/${processId}/stat`).split(") ")[1]?.split(" ") ?? [];
  return { minor: Number(fields[7]), major: Number(fields[9]) };
}

function statusOf(processId: number, name: string): number {
  const text = Deno.readTextFileSync(`/proc/${processId}/status`);
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1]);
}

async function measure(settings: FixtureSettings, windowMs: number) {
  await using fixture = await startFixture("resource_hog", { duration_ms: DURATION_MS_MAX, ...settings });
  const { processId } = fixture;
  await using tracing = await Tracing.start([processTarget(processId)]);
  await tracing.lasts(windowMs);
  const openCount = [...Deno.readDirSync(`/proc/${processId}/fd`)].length;
  const measured = await tracing.finish();
  const found = findingsIn(measured, tracing.events);
  assertBooksBalance(measured);
  const resources = measured.processResources.find((entry) => entry.processId === processId);
  assert.ok(resources !== undefined, "the process has a row");
  return { found, resources, openCount, truth: await fixture.finish() };
}

kernelTest("faults, descriptors, threads and memory of a process are those that /proc tells", REQUIRES, async () => {
  await using fixture = await startFixture("resource_hog", { duration_ms: DURATION_MS_MAX, what: "faults" });
  const { processId } = fixture;
  const first = faultsOf(processId);
  await using tracing = await Tracing.start([processTarget(processId)]);
  const second = faultsOf(processId);
  await tracing.lasts(500);
  const third = faultsOf(processId);
  const fdCount = [...Deno.readDirSync(`/proc/${processId}/fd`)].length;
  const measured = await tracing.finish();
  const fourth = faultsOf(processId);

  const resources = measured.processResources.find((entry) => entry.processId === processId);
  assert.ok(resources !== undefined);
  const { minorFaultCount, majorFaultCount, residentBytesEnd = 0 } = resources;
  assert.ok(minorFaultCount >= third.minor - second.minor, `${minorFaultCount} minor faults`);
  assert.ok(minorFaultCount <= fourth.minor - first.minor, `${minorFaultCount} minor faults`);
  assert.ok(majorFaultCount <= fourth.major - first.major, `${majorFaultCount} major faults`);
  assert.deepEqual([resources.fdCountBegin, resources.fdCountEnd], [fdCount, fdCount]);
  assert.deepEqual([resources.threadCountBegin, resources.threadCountEnd], [1, 1]);
  // It holds 4 MiB more or less, as it goes.
  const residentBytes = statusOf(processId, "VmRSS") * 1024;
  assert.ok(Math.abs(residentBytesEnd - residentBytes) <= RESIDENT_SLACK_BYTES + 4 * MIB, `${residentBytesEnd} B`);
});

kernelTest("fault-storm tells memory that is given back and faulted in again", REQUIRES, async () => {
  const { found, resources } = await measure({ what: "faults" }, 1500);
  const storm = found.find(({ id }) => id === "fault-storm");
  assert.ok(resources.minorFaultCount > 30_000, `${resources.minorFaultCount} faults`);
  assert.equal(storm?.severity, "warning", JSON.stringify(found.map(({ title }) => title)));
});

kernelTest("descriptor-limit tells a process that has all it may have", REQUIRES, async () => {
  const { found, resources, openCount } = await measure({ what: "descriptors", limit: 300 }, 700);
  const { fdCountBegin, fdCountEnd, fdLimit } = resources;
  assert.deepEqual([fdCountBegin, fdCountEnd, fdLimit], [openCount, openCount, 300]);
  const full = found.find(({ id }) => id === "descriptor-limit");
  assert.match(full?.title ?? "", new RegExp(`has ${openCount} of 300 descriptors open`));
});

kernelTest("descriptors are counted in tables of every size", REQUIRES, async () => {
  for (const limit of [20, 64, 65, 256, 1000, 5000]) {
    const { resources, openCount } = await measure({ what: "descriptors", limit }, 1);
    // What it inherited may lie above its limit.
    assert.deepEqual([resources.fdCountEnd, openCount >= limit], [openCount, true], `of ${limit}`);
  }
});

kernelTest("spawn-storm tells a thread per task, and processes that live for moments", REQUIRES, async () => {
  const threads = await measure({ what: "threads", pause_us: 500 }, 1500);
  const told = threads.found.find(({ id }) => id === "spawn-storm");
  assert.match(
    told?.title ?? "",
    /starts \d+ threads a second/,
    JSON.stringify(threads.found.map(({ title }) => title)),
  );
  assert.ok(threads.resources.threadsStartedCount <= Number(threads.truth["started_count"]) + 1);

  const processes = await measure({ what: "processes", pause_us: 500 }, 1500);
  const storm = processes.found.find(({ id }) => id === "spawn-storm");
  assert.match(storm?.title ?? "", /processes a second are started/, JSON.stringify(processes.found));
});

kernelTest("oom-kill tells a process the kernel kills for want of memory, with what it held", REQUIRES, async () => {
  const limitBytes = 24 * MIB;
  await using cgroup = await makeMemoryLimitedCgroup({ limitBytes });
  await using fixture = await startFixture("resource_hog", {
    duration_ms: DURATION_MS_MAX,
    what: "memory",
    hold_bytes: 2 * limitBytes,
  });
  const { processId } = fixture;
  await cgroup.add(processId);
  await using tracing = await Tracing.start([processTarget(processId)]);
  Deno.kill(processId, "SIGUSR1");
  await assert.rejects(fixture.ended(), /SIGKILL/);
  await until(() => tracing.events.some((event) => event.kind === "exit" && event.processEnded), {
    what: "its end is told",
  });
  const measured = await tracing.finish();

  const [kill, ...others] = measured.oomKills;
  assert.deepEqual(others, []);
  assert.equal(kill?.processId, processId);
  const held = kill?.memory?.anonymousBytes ?? 0;
  assert.ok(held > limitBytes * 0.6 && held <= limitBytes + RESIDENT_SLACK_BYTES, `${held} B of ${limitBytes}`);
  const end = tracing.events.find((event) => event.kind === "exit" && event.processEnded);
  assert.ok(end?.kind === "exit");
  assert.deepEqual([end.signal, end.isOomVictim], [9, true]);
  const order = tracing.events.filter(({ kind }) => kind === "oomKill" || kind === "exit").map(({ kind }) => kind);
  assert.deepEqual(order, ["oomKill", "exit"]);
  const memory = measured.cgroupResources[0]?.memory;
  assert.deepEqual([memory?.limitBytes, memory?.oomKillCount], [limitBytes, 1]);
  assertBooksBalance(measured);

  // On a machine with much else to do it also waits for a CPU.
  const found = findingsIn(measured, tracing.events);
  const finding = found.find(({ id }) => id === "oom-kill");
  assert.equal(finding?.severity, "critical", JSON.stringify(found.map(({ id }) => id)));
  assert.match(finding?.nextStep ?? "", new RegExp(`Raise the memory limit of ${cgroup.path}`));
});

kernelTest("memory-limit tells a group that is nearly full of what cannot be given back", REQUIRES, async () => {
  const limitBytes = 32 * MIB;
  await using cgroup = await makeMemoryLimitedCgroup({ limitBytes });
  await using fixture = await startFixture("resource_hog", {
    duration_ms: DURATION_MS_MAX,
    what: "memory",
    hold_bytes: 0.94 * limitBytes,
  });
  const { processId } = fixture;
  await cgroup.add(processId);
  await using tracing = await Tracing.start([processTarget(processId)]);
  Deno.kill(processId, "SIGUSR1");
  const isV1 = cgroup.path.includes("/memory/");
  const anonymousBytes = () => {
    const figures = parseFlatKeyed(Deno.readTextFileSync(`${cgroup.path}/memory.stat`));
    return figures.get(isV1 ? "total_rss" : "anon") ?? 0;
  };
  await until(() => anonymousBytes() > 0.92 * limitBytes, { what: "it holds its memory" });
  await tracing.lasts(700);
  const measured = await tracing.finish();
  await fixture.finish();

  const found = findingsIn(measured, tracing.events);
  const finding = found.find(({ id }) => id === "memory-limit");
  assert.equal(finding?.severity, "warning", JSON.stringify(measured.cgroupResources));
  assert.equal(finding?.evidence.object, cgroup.path);
});

kernelTest("an exec is told with its arguments, secrets hidden, long lists cut", REQUIRES, async () => {
  const script = `read go; /bin/true --password hunter2 plain; exec /bin/true ${"x".repeat(600)}`;
  await using owned = new AsyncDisposableStack();
  const shell = new Deno.Command("sh", { args: ["-c", script], stdin: "piped" }).spawn();
  owned.defer(() => void shell.status);
  const stdin = shell.stdin.getWriter();
  await using tracing = await Tracing.start([processTarget(shell.pid)]);
  await stdin.write(new TextEncoder().encode("go\n"));
  await stdin.close();
  await shell.status;
  await until(() => tracing.events.filter(({ kind }) => kind === "exec").length === 2, { what: "both are told" });
  const measured = await tracing.finish();

  const [hidden, cut] = tracing.events.flatMap((event) => event.kind === "exec" ? [event] : []);
  assert.deepEqual(hidden?.argumentList, ["/bin/true", "--password", "***", "plain"]);
  assert.equal(hidden?.isArgumentListCut, false);
  assert.equal(cut?.argumentList.length, 2);
  assert.equal(cut?.isArgumentListCut, true);
  const everything = JSON.stringify([tracing.events, measured]);
  assert.ok(!everything.includes('"hunter2"'), "incident 19: no secret of a command line leaves the engine");
});

kernelTest("healthy programs have none of it", REQUIRES, async () => {
  await using fixture = await startFixture("healthy_service", { duration_ms: DURATION_MS_MAX });
  await using tracing = await Tracing.start([processTarget(fixture.processId)], {
    planes: new Set(["time", "sockets", "memory", "files"]),
  });
  await tracing.lasts(1500);
  const measured = await tracing.finish();
  await fixture.finish();
  const loud = findingsIn(measured, tracing.events).filter(({ severity }) => severity !== "info");
  assert.deepEqual(loud.map(({ title }) => title), []);
});
