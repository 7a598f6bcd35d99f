/**
 * Rules of services, connections and limits against real planted troubles: a
 * real redis where one can have the trouble, a small program where not.
 *
 * @module
 */

import { assert } from "../support/assert.ts";
import { numberOf, startFixture } from "../support/fixture_programs.ts";
import type { KernelRequirement } from "../support/kernel_requirements.ts";
import { kernelTest } from "../support/kernel.ts";
import { makeLimitedCgroup } from "../support/limited_cgroup.ts";
import { podtrace, RunningPodtrace } from "../support/podtrace_process.ts";
import { CommandedRedis } from "../support/redis_commands.ts";
import { until } from "../support/until.ts";

const REQUIREMENTS: readonly KernelRequirement[] = ["bpf_capability", "btf", "ring_buffer"];
const DURATION_MS_MAX = 120_000;

/** A program that is kept from its CPUs for a moment may be found so, or not; what is planted shows every time. */
const LOOKS_MAX = 5;

interface Finding {
  readonly id: string;
  readonly severity: string;
  readonly title: string;
}

async function findingsIn(processId: number): Promise<readonly Finding[]> {
  const { code, stdout, stderr } = await podtrace(
    "diagnose",
    "--pid",
    `${processId}`,
    "--duration",
    "2s",
    "-o",
    "json",
  );
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout).findings;
}

/** One of some looks has the finding, above info, with every one of `names` in its sentence. */
async function assertFound(processId: number, expected: { id: string; names: readonly string[] }): Promise<void> {
  const looks: (readonly Finding[])[] = [];
  while (looks.length < LOOKS_MAX) {
    const findings = await findingsIn(processId);
    const finding = findings.find(({ id, severity }) => id === expected.id && severity !== "info");
    if (finding !== undefined) {
      for (const name of expected.names) assert.ok(finding.title.includes(name), `${name} is not in: ${finding.title}`);
      return;
    }
    looks.push(findings);
  }
  assert.fail(`no ${expected.id} above info in ${JSON.stringify(looks, undefined, 2)}`);
}

kernelTest(
  "diagnose finds service-sleep in a redis whose only thread sleeps",
  { requires: [...REQUIREMENTS, "redis"] },
  async () => {
    await using redis = await CommandedRedis.start();
    await redis.repeat("DEBUG", "SLEEP", "0.1");
    await assertFound(redis.processId, { id: "service-sleep", names: ["redis-server", `tcp port ${redis.port}`] });
  },
);

kernelTest(
  "diagnose finds blocked-loop in a redis that runs slow scripts",
  { requires: [...REQUIREMENTS, "redis"] },
  async () => {
    await using redis = await CommandedRedis.start();
    await redis.repeat("EVAL", "local x = 0 for i = 1, 6000000 do x = x + i end return x", "0");
    await assertFound(redis.processId, { id: "blocked-loop", names: ["event loop redis-server"] });
  },
);

kernelTest(
  "diagnose finds connection-churn in a benchmark that reuses no connection",
  { requires: [...REQUIREMENTS, "redis"] },
  async () => {
    await using redis = await CommandedRedis.start();
    await assertFound(redis.reconnect(), { id: "connection-churn", names: [`127.0.0.1:${redis.port}`] });
  },
);

kernelTest(
  "diagnose finds busy-polling in a thread that looks at a flag again and again",
  { requires: [...REQUIREMENTS, "clang"] },
  async () => {
    await using fixture = await startFixture("poller", { duration_ms: DURATION_MS_MAX });
    await assertFound(fixture.processId, { id: "busy-polling", names: ["poller ("] });
  },
);

kernelTest(
  "diagnose finds stuck-lock in two threads that wait for each other, and nothing else",
  { requires: [...REQUIREMENTS, "clang"] },
  async () => {
    await using fixture = await startFixture("deadlock", { duration_ms: DURATION_MS_MAX });
    const addresses = [`${fixture.ready["left_address"]}`, `${fixture.ready["right_address"]}`];
    await until(() => ["left", "right"].every((name) => isAsleep(fixture.processId, name)), { what: "both wait" });
    await assertFound(fixture.processId, {
      id: "stuck-lock",
      names: ["they wait for each other: a deadlock", ...addresses],
    });
  },
);

/** Whether the thread called `name` sleeps. */
function isAsleep(processId: number, name: string): boolean {
  return [...Deno.readDirSync(`/proc/${processId}/task`)].some((entry) => {
    const status = Deno.readTextFileSync(`/proc/${processId}/task/${entry.name}/status`);
    return status.startsWith(`Name:\t${name}\n`) && /^State:\tS/m.test(status);
  });
}

kernelTest(
  "diagnose finds resource-limit in a process that uses nearly all of its quota without being throttled",
  { requires: [...REQUIREMENTS, "clang"] },
  async () => {
    await using limits = await makeLimitedCgroup({ cpus: 0.1 });
    // 9 ms of every 100, of which 10 are allowed.
    await using fixture = await startFixture("poller", {
      duration_ms: DURATION_MS_MAX,
      work_us: 9000,
      period_us: 100_000,
    });
    await limits.add(fixture.processId);
    await assertFound(fixture.processId, { id: "resource-limit", names: ["0.10 CPUs"] });
    assert.ok(numberOf(await fixture.finish(), "poll_count") > 10);
  },
);

/** More threads than the lifecycle ring has room for: 256 KiB, two records of 48 bytes or more each. */
const THREADS_LOST_MIN = 6000;

kernelTest(
  "diagnose tells event-loss when it was held up while its target spawned, and only then",
  { requires: [...REQUIREMENTS, "clang"] },
  async () => {
    await using fixture = await startFixture("short_threads", { duration_ms: DURATION_MS_MAX });
    await using running = new RunningPodtrace(
      ...["diagnose", "--pid", `${fixture.processId}`, "--duration", "3s", "-o", "json"],
    );
    await running.traces();
    running.signal("SIGSTOP");
    let lastId = lastThreadId();
    let startedCount = 0;
    await until(() => {
      const id = lastThreadId();
      // Ids begin anew at some point; what is missed then only makes this take longer.
      startedCount += Math.max(0, id - lastId);
      lastId = id;
      return startedCount >= THREADS_LOST_MIN;
    }, { what: "the ring has overflowed", timeoutMs: 60_000 });
    running.signal("SIGCONT");
    const { code, stdout, stderr } = await running.ended();
    assert.equal(code, 0, stderr);
    const { findings, completeness }: {
      findings: readonly Finding[];
      completeness: Record<string, { verdict: string }>;
    } = JSON.parse(stdout);
    assert.equal(completeness["lifecycle"]?.verdict, "partial", JSON.stringify(completeness));
    const lost = findings.filter(({ id }) => id === "event-loss").map(({ title }) => title);
    assert.ok(lost.some((title) => /^Only [0-9.]+% of lifecycle were seen \(/.test(title)), JSON.stringify(findings));

    const healthy = await findingsIn(fixture.processId);
    assert.deepEqual(healthy.filter(({ id }) => id === "event-loss"), []);
  },
);

/** The newest thread of the machine (fs/proc/loadavg.c). */
function lastThreadId(): number {
  return Number(Deno.readTextFileSync("/proc/loadavg").trim().split(" ").at(-1));
}
