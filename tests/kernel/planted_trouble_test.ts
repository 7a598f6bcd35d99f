/**
 * Every rule against a real planted trouble, and healthy programs against all
 * of them: `podtrace diagnose` is run as its user runs it, and its figures are
 * compared with what the program measured about itself.
 *
 * @module
 */

import { makeDiskDirectory } from "../../cmd/dev/demo/disk_directory.ts";
import { StartedProgram } from "../../cmd/dev/demo/started_program.ts";
import { NOT_ASKED_FOR } from "../../engine/api/plane.ts";
import { assert } from "../support/assert.ts";
import {
  buildFixture,
  type FixtureName,
  type FixtureSettings,
  numberOf,
  type RunningFixture,
  startFixture,
  type Statement,
} from "../support/fixture_programs.ts";
import type { KernelRequirement } from "../support/kernel_requirements.ts";
import { kernelTest } from "../support/kernel.ts";
import { holdsOnce } from "../support/ledger_checks.ts";
import { makeLimitedCgroup } from "../support/limited_cgroup.ts";
import { AsyncService } from "../support/planted_service.ts";
import { LoadedRedis } from "../support/redis_server.ts";

/** What every diagnosis and every fixture needs. */
const REQUIREMENTS: readonly KernelRequirement[] = ["bpf_capability", "btf", "ring_buffer", "clang"];

const MAIN = new URL("../../main.ts", import.meta.url);
const DIAGNOSE_DURATION = "2s";

/** Longer than a diagnosis takes to start and end on a busy machine; the test ends the program itself. */
const DURATION_MS_MAX = 120_000;

interface ReportFinding {
  readonly id: string;
  readonly severity: "info" | "warning" | "error" | "critical";
  readonly title: string;
  readonly evidence: {
    readonly waits?: { readonly totalMs: number; readonly meanMs: number };
    readonly failures?: { readonly failedCount: number };
  };
}

/** The parts of the JSON report that are looked at. */
interface Report {
  readonly findings: readonly ReportFinding[];
  readonly timeLedger: {
    readonly windowMs: number;
    readonly total: {
      readonly onCpuMs: number;
      readonly runnableMs: number;
      readonly throttledMs: number;
      readonly blockedByClass: Readonly<Record<string, number>>;
    };
    readonly checks: readonly { readonly name: string; readonly verdict: string; readonly expectedMs: number }[];
  };
  readonly completeness: Readonly<Record<string, { readonly verdict: string; readonly reason?: string }>>;
  readonly ledger: { readonly residual: number };
}

/** One figure of a report as a share of its window, and between which shares the program's own account has it. */
interface Figure {
  readonly what: string;
  readonly seen: number;
  readonly atLeast: number;
  readonly atMost: number;
}

type Figures = (report: Report, truth: Statement) => readonly Figure[];

/** The program measures longer than the window: both are shares of a steady state, which is never quite steady. */
const DIFFERENCE_MAX = 0.05;
const NOISE_SHARE = 0.02;

/** Of a steady state; one that is not is looked at again. */
const LOOKS_MAX = 5;

/** Of the CPU time wanted, what has to be denied before waiting for it is a trouble. */
const SCARCE_SHARE_MIN = 0.2;

function near(what: string, seenShare: number, truthShare: number): Figure {
  return between(what, seenShare, [truthShare, truthShare]);
}

function between(what: string, seen: number, [low, high]: readonly [low: number, high: number]): Figure {
  return {
    what,
    seen,
    atLeast: low * (1 - DIFFERENCE_MAX) - NOISE_SHARE,
    atMost: high * (1 + DIFFERENCE_MAX) + NOISE_SHARE,
  };
}

/** Of the program's own window. */
function share(truth: Statement, name: string): number {
  return numberOf(truth, name) / numberOf(truth, "window_ms");
}

/** All waits of one class. */
function blockedShare(report: Report, waitClass: string): number {
  return (report.timeLedger.total.blockedByClass[waitClass] ?? 0) / report.timeLedger.windowMs;
}

/** The program waited for nothing else in that class, so class and tally are the same. */
function sameWaits(waitClass: string, tally: string): Figures {
  return (
    report,
    truth,
  ) => [nearTally(report, { what: waitClass, seen: blockedShare(report, waitClass) }, share(truth, `${tally}_ms`))];
}

/**
 * To the program's clock a wait ends when it runs again: on a busy machine it
 * counts time without a CPU as waiting, and is no steady state. Both are at
 * most what its threads waited for CPUs, which is next to nothing otherwise.
 */
function nearTally(report: Report, { what, seen }: { what: string; seen: number }, truthShare: number): Figure {
  const unsteady = report.timeLedger.total.runnableMs / report.timeLedger.windowMs;
  return between(what, seen, [truthShare - unsteady, truthShare + unsteady]);
}

/** The program timed whole calls; the CPU time in them is no waiting. */
function waitsWithin(waitClass: string, tally: string): Figures {
  return (report, truth) => {
    const { windowMs, total } = report.timeLedger;
    const calls = share(truth, `${tally}_ms`);
    const busy = (total.onCpuMs + total.runnableMs) / windowMs;
    return [between(waitClass, blockedShare(report, waitClass), [calls - busy, calls])];
  };
}

/** What a trouble's finding has to say, anywhere in its title, evidence or consequences. */
type Names = (fixture: RunningFixture) => readonly string[];

interface Trouble {
  readonly name: string;
  readonly fixture: FixtureName;
  readonly settings?: FixtureSettings;
  /** File name below a directory of several components, given to the fixture as `path`. */
  readonly file?: string;
  readonly id: string;
  readonly names: Names;
  readonly figures: Figures;
  /** CPUs its cgroup is held to. */
  readonly cpus?: number;
}

const LOG_DIRECTORY = ["srv", "orders", "state"];
const LOG_NAME = "srv/orders/state/audit.log";
const CRASH_INTERVAL_MS = 100;

const peerOf = (fixture: RunningFixture): string => `127.0.0.1:${numberOf(fixture.ready, "upstream_port")}`;
const lockOf = (fixture: RunningFixture): string => `lock ${fixture.ready["lock_address"]}`;
const upstreamPeer: Names = (fixture) => [peerOf(fixture)];

/** A window of whole crashes begins and ends somewhere between two: each side may be one off. */
const crashRate: Figures = (report, truth) => {
  const [crashes] = report.findings;
  const { windowMs } = report.timeLedger;
  const seen = (crashes?.evidence.failures?.failedCount ?? 0) * CRASH_INTERVAL_MS / windowMs;
  const expected = share(truth, "crash_count") * CRASH_INTERVAL_MS;
  const oneOff = CRASH_INTERVAL_MS / windowMs;
  return [between("crashes", seen, [expected - oneOff, expected + oneOff])];
};

/**
 * Busy threads compete with podtrace's own start, which lies before the window:
 * only within it can they be compared, and the scheduler's account is for it.
 */
const runDelay: Figures = (report, truth) => {
  const { windowMs, total, checks } = report.timeLedger;
  const ofScheduler = (name: string): number => checks.find((check) => check.name === name)?.expectedMs ?? NaN;
  const threadCount = numberOf(truth, "thread_cpu_count");
  return [
    near("on CPU", total.onCpuMs / windowMs, ofScheduler("onCpu") / windowMs),
    near("waiting for a CPU", (total.runnableMs + total.throttledMs) / windowMs, ofScheduler("runDelay") / windowMs),
    near("both", (total.onCpuMs + total.runnableMs + total.throttledMs) / windowMs, threadCount),
  ];
};

const TROUBLES: readonly Trouble[] = [
  {
    name: "a slow upstream called from a blocking thread",
    fixture: "slow_upstream",
    id: "slow-peer",
    names: upstreamPeer,
    figures: sameWaits("network", "upstream"),
  },
  {
    name: "a slow upstream called over UDP",
    fixture: "slow_upstream",
    settings: { transport: "udp" },
    id: "slow-peer",
    names: (fixture) => [`${peerOf(fixture)} (udp)`],
    figures: sameWaits("network", "upstream"),
  },
  {
    name: "a slow upstream waited for in poll()",
    fixture: "slow_upstream",
    settings: { wait: "poll" },
    id: "slow-peer",
    names: upstreamPeer,
    figures: sameWaits("network", "upstream"),
  },
  {
    name: "a slow upstream called from an epoll loop that also serves clients",
    fixture: "epoll_client",
    id: "slow-peer",
    names: upstreamPeer,
    figures: (report, truth) => [
      ...sameWaits("network", "upstream")(report, truth),
      ...sameWaits("idle", "idle")(report, truth),
    ],
  },
  {
    name: "a slow upstream of an event loop that a timer wakes in between",
    fixture: "epoll_client",
    settings: { tick_ms: 7 },
    id: "slow-peer",
    names: (fixture) => [peerOf(fixture), "its answers take "],
    figures: (report, truth) => sameWaits("network", "upstream")(report, truth),
  },
  {
    name: "an fsync-heavy log",
    fixture: "fsync_log",
    settings: { write_bytes: 1 << 20 },
    file: "audit.log",
    id: "disk-stall",
    names: () => ["fsync", LOG_NAME, "flusher"],
    figures: waitsWithin("diskWrite", "fsync"),
  },
  {
    name: "a spool of files that are each synced once",
    fixture: "fsync_log",
    settings: { write_bytes: 1 << 18, spool: 1 },
    file: "audit.log",
    id: "disk-stall",
    names: () => ["fsync of ", " files in ", LOG_DIRECTORY.join("/"), "flusher"],
    figures: waitsWithin("diskWrite", "fsync"),
  },
  {
    name: "a lock whose holder syncs a file",
    fixture: "lock_holder",
    settings: { holder: "fsync" },
    file: "audit.log",
    id: "disk-stall",
    names: (fixture) => ["fsync", LOG_NAME, lockOf(fixture), "held by flusher", "itself in fsync of"],
    figures: sameWaits("lock", "lock"),
  },
  {
    name: "a lock whose holder waits for an upstream",
    fixture: "lock_holder",
    settings: { holder: "upstream" },
    id: "slow-peer",
    names: (fixture) => [lockOf(fixture), "held by flusher", `itself in recvfrom of ${peerOf(fixture)}`],
    figures: sameWaits("lock", "lock"),
  },
  {
    name: "a lock whose holder sleeps",
    fixture: "lock_holder",
    settings: { holder: "sleep" },
    id: "lock-contention",
    names: (fixture) => [lockOf(fixture), "held by flusher", "itself asleep in clock_nanosleep"],
    figures: sameWaits("lock", "lock"),
  },
  {
    name: "a lock whose holder computes",
    fixture: "lock_holder",
    settings: { holder: "burn" },
    id: "lock-contention",
    names: (fixture) => [lockOf(fixture), "held by flusher", "itself running or waiting for a CPU"],
    figures: sameWaits("lock", "lock"),
  },
  {
    name: "more busy threads than CPUs",
    fixture: "cpu_hogs",
    settings: { threads: 3 * navigator.hardwareConcurrency },
    id: "cpu-wait",
    names: () => ["hog-"],
    figures: runDelay,
  },
  {
    name: "busy threads under a CPU limit",
    fixture: "cpu_hogs",
    settings: { threads: 2 },
    cpus: 0.2,
    id: "cpu-throttling",
    names: () => ["0.20 CPUs", "hog-"],
    figures: runDelay,
  },
  {
    name: "a pipe with a slow writer",
    fixture: "pipe_waiter",
    id: "pipe-wait",
    names: (fixture) => ["pipe", `written by pipe_waiter (${numberOf(fixture.ready, "writer_pid")})`],
    figures: sameWaits("pipe", "pipe"),
  },
  {
    name: "slow children waited for with waitpid()",
    fixture: "child_waiter",
    id: "child-wait",
    names: () => ["children (child_waiter)"],
    figures: sameWaits("child", "child"),
  },
  {
    name: "slow children waited for inside vfork()",
    fixture: "child_waiter",
    settings: { by: "vfork" },
    id: "child-wait",
    names: () => ["children (child_waiter)"],
    figures: sameWaits("child", "child"),
  },
  {
    name: "a child that exits with 3 again and again",
    fixture: "crash_loop",
    id: "crash-loop",
    names: () => ["crasher", "exit code 3"],
    settings: { interval_ms: CRASH_INTERVAL_MS },
    figures: crashRate,
  },
  {
    name: "a child that dies of SIGSEGV again and again",
    fixture: "crash_loop",
    settings: { by: "segv", interval_ms: CRASH_INTERVAL_MS },
    id: "crash-loop",
    names: () => ["crasher", "SIGSEGV"],
    figures: crashRate,
  },
  {
    name: "pages that have to be read from the disk",
    fixture: "major_faults",
    file: "audit.log",
    id: "page-fault",
    names: () => [LOG_NAME],
    figures: waitsWithin("pageFault", "touch"),
  },
  {
    name: "a process that is stopped most of the time",
    fixture: "stopped",
    id: "stopped",
    names: () => [],
    figures: sameWaits("stopped", "stopped"),
  },
];

const HEALTHY: readonly { name: string; fixture: FixtureName; settings?: FixtureSettings }[] = [
  ...["nanosleep", "pause", "poll", "epoll", "sigwait", "condition"].map((how) => ({
    name: `an idle process in ${how}`,
    fixture: "sleeper" as const,
    settings: { in: how },
  })),
  { name: "a busy process on a CPU of its own", fixture: "busy" },
  { name: "a service on an epoll loop", fixture: "healthy_service" },
  { name: "a service with a thread per client", fixture: "healthy_service", settings: { by: "threads" } },
];

for (const trouble of TROUBLES) {
  kernelTest(
    `diagnose finds ${trouble.id} in ${trouble.name}`,
    { requires: REQUIREMENTS },
    () =>
      assertFigures(async () => {
        await using directory = await makeDiskDirectory(LOG_DIRECTORY);
        await using limits = trouble.cpus === undefined ? undefined : await makeLimitedCgroup({ cpus: trouble.cpus });
        await using fixture = await startFixture(trouble.fixture, {
          duration_ms: DURATION_MS_MAX,
          ...trouble.settings,
          path: `${directory.path}/${trouble.file ?? "unused"}`,
        });
        await limits?.add(fixture.processId);

        const report = await diagnose(fixture.processId);
        assertNamed(report, { id: trouble.id, names: trouble.names(fixture) });
        assertBalanced(report);
        return trouble.figures(report, await fixture.finish());
      }),
  );
}

kernelTest(
  "diagnose finds slow-peer in a Deno service on an event loop",
  { requires: REQUIREMENTS },
  () =>
    assertFigures(async () => {
      await using service = await AsyncService.start({ delayMs: 50, pauseMs: 5, durationMs: DURATION_MS_MAX });

      const report = await diagnose(service.processId);
      assertNamed(report, { id: "slow-peer", names: [`127.0.0.1:${service.upstreamPort}`] });
      assertBalanced(report);
      // Its runtime listens to a socket of its own beside it.
      const waitedMs = report.findings.find(({ id }) => id === "slow-peer")?.evidence.waits?.totalMs ?? 0;
      const { windowMs } = report.timeLedger;
      const truthShare = share(await service.finish(), "upstream_ms");
      return [nearTally(report, { what: "network", seen: waitedMs / windowMs }, truthShare)];
    }),
);

kernelTest(
  "diagnose finds nothing but the spawning in a program that starts threads and children all the time",
  { requires: REQUIREMENTS },
  async () => {
    await using fixture = await startFixture("short_threads", { duration_ms: DURATION_MS_MAX });

    const report = await diagnose(fixture.processId);
    assert.deepEqual(new Set(gravelyFound(report).map(({ id }) => id)), new Set(["spawn-storm"]));
    assertBalanced(report);
  },
);

for (const { name, fixture, settings } of HEALTHY) {
  kernelTest(`diagnose finds nothing above info in ${name}`, { requires: REQUIREMENTS }, async () => {
    await using running = await startFixture(fixture, { duration_ms: DURATION_MS_MAX, ...settings });

    await assertQuiet(running.processId);
  });
}

kernelTest(
  "diagnose finds nothing above info in redis under load",
  { requires: [...REQUIREMENTS, "redis"] },
  async () => {
    await using redis = await LoadedRedis.start();

    await assertQuiet(redis.processId);
  },
);

kernelTest(
  "diagnose finds nothing above info in a shell that waits for a healthy service",
  { requires: REQUIREMENTS },
  async () => {
    const service = await buildFixture("healthy_service");
    await using shell = await StartedProgram.start("/bin/sh", {
      arguments: ["-c", `${service} duration_ms=${DURATION_MS_MAX}; exit $?`],
    });

    await assertQuiet(shell.processId);
  },
);

/**
 * Findings above info, but for one that this machine may make true of anybody:
 * that a CPU had to be waited for, when the scheduler's own account says so.
 */
function gravelyFound(report: Report, planted = ""): readonly ReportFinding[] {
  return report.findings.filter(({ id, severity }) =>
    severity !== "info" && (id === planted || id !== "cpu-wait" || !isShortOfCpus(report))
  );
}

function isShortOfCpus({ timeLedger: { checks } }: Report): boolean {
  const ofScheduler = (name: string): number => checks.find((check) => check.name === name)?.expectedMs ?? 0;
  const delayMs = ofScheduler("runDelay");
  return delayMs >= SCARCE_SHARE_MIN * (delayMs + ofScheduler("onCpu"));
}

/**
 * One of some looks finds nothing: on a machine that is short of CPUs for a
 * moment healthy programs do wait for each other, a false rule speaks every time.
 */
async function assertQuiet(processId: number): Promise<void> {
  for (let count = 1; count <= LOOKS_MAX; count++) {
    const report = await diagnose(processId);
    assertBalanced(report);
    const found = gravelyFound(report);
    if (found.length === 0) return;
    if (count === LOOKS_MAX) assert.deepEqual(found, []);
  }
}

/** What was planted is found above info, says every one of `names`, and nothing is made up beside it. */
function assertNamed(report: Report, expected: { readonly id: string; readonly names: readonly string[] }): void {
  const found = JSON.stringify(report.findings, undefined, 2);
  const grave = gravelyFound(report, expected.id);
  const finding = grave.find(({ id }) => id === expected.id);
  assert.ok(finding !== undefined, `no ${expected.id} above info in ${found}`);
  const text = JSON.stringify(finding);
  for (const name of expected.names) assert.ok(text.includes(name), `${name} is not named in ${text}`);
  assert.deepEqual(grave.filter(({ id }) => id !== expected.id), []);
}

/**
 * Holds when one of some looks does, figures and names: a program that is kept
 * from its CPUs for a moment is no steady state, and what it waits for then is
 * told truly; a mistake of ours shows every time.
 */
async function assertFigures(look: () => Promise<readonly Figure[]>): Promise<void> {
  await holdsOnce(async () => assert.deepEqual(deviations(await look()), []), { looksMax: LOOKS_MAX });
}

function deviations(figures: readonly Figure[]): readonly string[] {
  assert.ok(figures.length > 0);
  return figures.filter(({ seen, atLeast, atMost }) => !(seen >= atLeast && seen <= atMost))
    .map(({ what, seen, atLeast, atMost }) =>
      `${what} is ${seen.toFixed(3)} of the window, expected ${atLeast.toFixed(3)} to ${atMost.toFixed(3)}`
    );
}

/** Nothing was lost, and every thread's time adds up. */
function assertBalanced({ completeness, ledger, timeLedger }: Report): void {
  const incomplete = Object.entries(completeness)
    .filter(([, { verdict, reason }]) => verdict !== "complete" && reason !== NOT_ASKED_FOR);
  assert.deepEqual(incomplete, []);
  assert.equal(ledger.residual, 0);
  const sums = timeLedger.checks.filter(({ name }) => name === "sum" || name === "waits");
  assert.deepEqual(sums.map(({ verdict }) => verdict), ["ok", "ok"], JSON.stringify(sums));
}

async function diagnose(processId: number): Promise<Report> {
  const result = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", MAIN.pathname, "diagnose", "--pid", String(processId)]
      .concat(["--duration", DIAGNOSE_DURATION, "-o", "json"]),
    stdin: "null",
  }).output();
  const said = new TextDecoder().decode(result.stderr);
  assert.equal(result.code, 0, `podtrace diagnose ended with ${result.code}: ${said}`);
  return JSON.parse(new TextDecoder().decode(result.stdout));
}
