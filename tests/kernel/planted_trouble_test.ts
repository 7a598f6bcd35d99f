/**
 * Every rule against a real planted trouble, and healthy programs against all
 * of them: `podtrace diagnose` is run as its user runs it.
 *
 * @module
 */

import { makeDiskDirectory } from "../../cmd/dev/demo/disk_directory.ts";
import { assert } from "../support/assert.ts";
import {
  type FixtureName,
  type FixtureSettings,
  numberOf,
  type RunningFixture,
  startFixture,
} from "../support/fixture_programs.ts";
import type { KernelRequirement } from "../support/kernel_requirements.ts";
import { kernelTest } from "../support/kernel.ts";
import { makeLimitedCgroup } from "../support/limited_cgroup.ts";
import { AsyncService } from "../support/planted_service.ts";

/** What every diagnosis and every fixture needs. */
const REQUIREMENTS: readonly KernelRequirement[] = ["bpf_capability", "btf", "ring_buffer", "clang"];

const MAIN = new URL("../../main.ts", import.meta.url);
const DIAGNOSE_DURATION = "3s";

/** Longer than a diagnosis takes to start and end on a busy machine; the test ends the program itself. */
const DURATION_MS_MAX = 30_000;

interface ReportFinding {
  readonly id: string;
  readonly severity: "info" | "warning" | "error" | "critical";
  readonly title: string;
  readonly evidence: unknown;
}

interface Report {
  readonly findings: readonly ReportFinding[];
}

/** What a trouble's finding has to say, anywhere in its title or evidence. */
type Names = (fixture: RunningFixture, path: string) => readonly string[];

interface Trouble {
  readonly name: string;
  readonly fixture: FixtureName;
  readonly settings?: FixtureSettings;
  /** File name below a directory of several components, given to the fixture as `path`. */
  readonly file?: string;
  readonly id: string;
  readonly names: Names;
  /** CPUs its cgroup is held to. */
  readonly cpus?: number;
}

const LOG_DIRECTORY = ["srv", "orders", "state"];
const LOG_NAME = "srv/orders/state/audit.log";

const upstreamPeer: Names = (fixture) => [`127.0.0.1:${numberOf(fixture.ready, "upstream_port")}`];

const TROUBLES: readonly Trouble[] = [
  {
    name: "a slow upstream called from a blocking thread",
    fixture: "slow_upstream",
    id: "slow-peer",
    names: upstreamPeer,
  },
  {
    name: "a slow upstream called over UDP",
    fixture: "slow_upstream",
    settings: { transport: "udp" },
    id: "slow-peer",
    names: upstreamPeer,
  },
  {
    name: "a slow upstream waited for in poll()",
    fixture: "slow_upstream",
    settings: { wait: "poll" },
    id: "slow-peer",
    names: upstreamPeer,
  },
  {
    name: "a slow upstream called from an epoll loop that also serves clients",
    fixture: "epoll_client",
    id: "slow-peer",
    names: upstreamPeer,
  },
  {
    name: "an fsync-heavy log",
    fixture: "fsync_log",
    settings: { write_bytes: 1 << 20 },
    file: "audit.log",
    id: "disk-stall",
    names: () => ["fsync", LOG_NAME, "flusher"],
  },
  {
    name: "a lock whose holder syncs a file",
    fixture: "lock_holder",
    settings: { holder: "fsync" },
    file: "audit.log",
    id: "disk-stall",
    names: () => ["fsync", LOG_NAME, "flusher", "lock"],
  },
  {
    name: "a lock whose holder waits for an upstream",
    fixture: "lock_holder",
    settings: { holder: "upstream" },
    id: "slow-peer",
    names: (fixture, path) => [...upstreamPeer(fixture, path), "flusher", "lock"],
  },
  {
    name: "a lock whose holder sleeps",
    fixture: "lock_holder",
    settings: { holder: "sleep" },
    id: "lock-contention",
    names: (fixture) => [String(fixture.ready["lock_address"]), "flusher"],
  },
  {
    name: "a lock whose holder computes",
    fixture: "lock_holder",
    settings: { holder: "burn" },
    id: "lock-contention",
    names: (fixture) => [String(fixture.ready["lock_address"]), "flusher"],
  },
  {
    name: "more busy threads than CPUs",
    fixture: "cpu_hogs",
    settings: { threads: 3 * navigator.hardwareConcurrency },
    id: "cpu-wait",
    names: () => ["hog-"],
  },
  {
    name: "busy threads under a CPU limit",
    fixture: "cpu_hogs",
    settings: { threads: 2 },
    cpus: 0.2,
    id: "cpu-throttling",
    names: () => ["0.2"],
  },
  {
    name: "a pipe with a slow writer",
    fixture: "pipe_waiter",
    id: "pipe-wait",
    names: () => ["pipe"],
  },
  {
    name: "slow children waited for with waitpid()",
    fixture: "child_waiter",
    id: "child-wait",
    names: () => ["child"],
  },
  {
    name: "slow children waited for inside vfork()",
    fixture: "child_waiter",
    settings: { by: "vfork" },
    id: "child-wait",
    names: () => ["child"],
  },
  {
    name: "a child that exits with 3 again and again",
    fixture: "crash_loop",
    id: "crash-loop",
    names: () => ["crasher", "3"],
  },
  {
    name: "a child that dies of SIGSEGV again and again",
    fixture: "crash_loop",
    settings: { by: "segv" },
    id: "crash-loop",
    names: () => ["crasher", "SIGSEGV"],
  },
  {
    name: "pages that have to be read from the disk",
    fixture: "major_faults",
    file: "audit.log",
    id: "page-fault",
    names: () => [LOG_NAME],
  },
  {
    name: "a process that is stopped most of the time",
    fixture: "stopped",
    id: "stopped",
    names: () => [],
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
  kernelTest(`diagnose finds ${trouble.id} in ${trouble.name}`, { requires: REQUIREMENTS }, async () => {
    await using directory = await makeDiskDirectory(LOG_DIRECTORY);
    await using limits = trouble.cpus === undefined ? undefined : await makeLimitedCgroup({ cpus: trouble.cpus });
    const path = `${directory.path}/${trouble.file ?? "unused"}`;
    await using fixture = await startFixture(trouble.fixture, {
      duration_ms: DURATION_MS_MAX,
      ...trouble.settings,
      path,
    });
    await limits?.add(fixture.processId);

    const report = await diagnose(fixture.processId);
    const finding = report.findings.find((candidate) => candidate.id === trouble.id);
    assert.ok(finding !== undefined, `no ${trouble.id} in ${JSON.stringify(report.findings, undefined, 2)}`);
    assert.notEqual(finding.severity, "info", JSON.stringify(finding));
    const text = JSON.stringify(finding);
    for (const name of trouble.names(fixture, path)) assert.ok(text.includes(name), `${name} is not named in ${text}`);
  });
}

kernelTest("diagnose finds slow-peer in a Deno service on an event loop", { requires: REQUIREMENTS }, async () => {
  await using service = await AsyncService.start({ delayMs: 50, pauseMs: 5, durationMs: DURATION_MS_MAX });

  const report = await diagnose(service.processId);
  const finding = report.findings.find((candidate) => candidate.id === "slow-peer");
  assert.ok(
    JSON.stringify(finding ?? {}).includes(`127.0.0.1:${service.upstreamPort}`),
    JSON.stringify(report.findings),
  );
});

for (const { name, fixture, settings } of HEALTHY) {
  kernelTest(`diagnose finds nothing above info in ${name}`, { requires: REQUIREMENTS }, async () => {
    await using running = await startFixture(fixture, { duration_ms: DURATION_MS_MAX, ...settings });

    const report = await diagnose(running.processId);
    assert.deepEqual(report.findings.filter((finding) => finding.severity !== "info"), []);
  });
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
