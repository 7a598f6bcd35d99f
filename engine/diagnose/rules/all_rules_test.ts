import { assert } from "../../../tests/support/assert.ts";
import type { TraceEvent } from "../../api/events.ts";
import type { WaitObject } from "../../api/measurements.ts";
import { toTargetId } from "../../api/units.ts";
import type { Finding } from "../finding.ts";
import {
  buildExit,
  buildFacts,
  FILE,
  PEER,
  TARGET_ID,
  type ThreadSketch,
  type WorldSketch,
} from "../test_measurements.ts";
import { findingsOf, rankFindings } from "./all_rules.ts";

const CLIENTS: WaitObject = { kind: "server", protocol: "tcp", port: 6379 };

const SUBSCRIPTION: WaitObject = { kind: "peer", protocol: "tcp", address: "10.0.0.8", port: 4222 };

const alone = (command: string, threads: readonly ThreadSketch[]): WorldSketch => ({
  processes: [{ processId: 100, command, threads }],
});

const HEALTHY: readonly { name: string; world: WorldSketch; events?: readonly TraceEvent[] }[] = [
  {
    name: "an idle process in a timer loop",
    world: alone("ticker", [{
      threadId: 100,
      onCpuMs: 2,
      waits: [{ waitClass: "sleep", object: { kind: "timer" }, systemCall: "clock_nanosleep", count: 10, eachMs: 999 }],
    }]),
  },
  {
    name: "a process that burns a whole CPU",
    world: alone("burner", [{ threadId: 100, onCpuMs: 9900, runnableMs: 100 }]),
  },
  {
    name: "a process that burns a CPU it has to share at times",
    world: alone("burner", [{ threadId: 100, onCpuMs: 8400, runnableMs: 1600 }]),
  },
  {
    name: "redis under load on two busy CPUs, with its log synced once a second",
    world: alone("redis-server", [
      {
        threadId: 100,
        onCpuMs: 6500,
        runnableMs: 2200,
        waits: [{ waitClass: "idle", object: CLIENTS, systemCall: "epoll_wait", count: 60_000, eachMs: 0.02 }],
      },
      {
        threadId: 101,
        command: "bio_aof_fsync",
        onCpuMs: 20,
        waits: [{ waitClass: "diskWrite", object: FILE, systemCall: "fdatasync", count: 10, eachMs: 8 }],
      },
      { threadId: 102, command: "bio_lazy_free" },
    ]),
  },
  {
    name: "redis at rest, with its log synced once a second",
    world: alone("redis-server", [
      { threadId: 100, onCpuMs: 25, waits: [{ waitClass: "idle", object: CLIENTS, count: 100, eachMs: 99 }] },
      {
        threadId: 101,
        onCpuMs: 5,
        waits: [{ waitClass: "diskWrite", object: FILE, systemCall: "fdatasync", count: 10, eachMs: 8 }],
      },
    ]),
  },
  {
    name: "a web server that waits for its clients",
    world: alone(
      "nginx",
      [100, 101, 102, 103].map((threadId) => ({
        threadId,
        onCpuMs: 40,
        waits: [{ waitClass: "idle", object: CLIENTS, systemCall: "epoll_wait", count: 200, eachMs: 49 }],
      })),
    ),
  },
  {
    name: "a service that asks a quick database for every request",
    world: alone("api", [{
      threadId: 100,
      onCpuMs: 1500,
      waits: [
        { waitClass: "network", object: PEER, systemCall: "recvfrom", count: 4000, eachMs: 0.8 },
        { waitClass: "idle", object: CLIENTS, systemCall: "epoll_wait", count: 4000, eachMs: 1.2 },
      ],
    }]),
  },
  {
    name: "a worker pool parked on a condition, with a lock contended now and then",
    world: alone(
      "pool",
      [100, 101, 102, 103].map((threadId) => ({
        threadId,
        onCpuMs: 3,
        waits: [{ waitClass: "lock", object: { kind: "lock", address: "0x10" }, count: 3, eachMs: 0.1 }],
      })),
    ),
  },
  {
    name: "a shell that waits for its healthy long-lived child",
    world: {
      processes: [
        {
          processId: 100,
          command: "sh",
          threads: [{
            threadId: 100,
            onCpuMs: 1,
            waits: [{
              waitClass: "child",
              object: { kind: "child", processId: 0 },
              systemCall: "wait4",
              openMs: 9999,
            }],
          }],
        },
        {
          processId: 200,
          parentProcessId: 100,
          command: "server",
          threads: [{
            threadId: 200,
            onCpuMs: 900,
            waits: [{ waitClass: "idle", object: CLIENTS, count: 90, eachMs: 99 }],
          }],
        },
      ],
    },
  },
  {
    name: "a log reader that waits for lines, and a tail that waits for the file to grow",
    world: {
      processes: [
        {
          processId: 100,
          command: "grep",
          threads: [{
            threadId: 100,
            onCpuMs: 2,
            waits: [{
              waitClass: "pipe",
              object: { kind: "pipe", inode: 5 },
              systemCall: "read",
              count: 8,
              eachMs: 1200,
              waker: { threadId: 200, processId: 200, command: "tail" },
            }],
          }],
        },
        {
          processId: 200,
          command: "tail",
          threads: [{
            threadId: 200,
            onCpuMs: 5,
            waits: [{ waitClass: "idle", object: { kind: "anonymous", name: "inotify" }, count: 8, eachMs: 1200 }],
          }],
        },
      ],
    },
  },
  {
    name: "a build in a shell, with greps that find nothing",
    world: {
      processes: [
        {
          processId: 100,
          command: "make",
          threads: [{
            threadId: 100,
            onCpuMs: 60,
            waits: [{
              waitClass: "child",
              object: { kind: "child", processId: 0 },
              systemCall: "wait4",
              count: 30,
              eachMs: 320,
            }],
          }],
        },
        { processId: 200, parentProcessId: 100, command: "cc1", threads: [{ threadId: 200, onCpuMs: 9400 }] },
      ],
    },
    events: [1, 2, 3, 4, 5].map((index) => buildExit({ processId: 900 + index, command: "grep", exitCode: 1 })),
  },
  {
    name: "a subscriber thread beside a service at rest",
    world: alone("api", [
      { threadId: 100, onCpuMs: 30, waits: [{ waitClass: "idle", object: CLIENTS, count: 30, eachMs: 330 }] },
      { threadId: 101, waits: [{ waitClass: "network", object: PEER, systemCall: "recvfrom", openMs: 10_000 }] },
    ]),
  },
];

for (const { name, world, events } of HEALTHY) {
  Deno.test(`findingsOf() yields nothing above info for ${name}`, () => {
    const grave = findingsOf([buildFacts(world, events)]).filter((finding) => finding.severity !== "info");
    assert.deepEqual(grave.map((finding) => finding.title), []);
  });
}

const SILENT = [
  "an idle process in a timer loop",
  "a process that burns a whole CPU",
  "a web server that waits for its clients",
];

for (const { name, world } of HEALTHY.filter((row) => SILENT.includes(row.name))) {
  Deno.test(`findingsOf() yields nothing at all for ${name}`, () => {
    assert.deepEqual(findingsOf([buildFacts(world)]), []);
  });
}

Deno.test("findingsOf() finds the same troubles whatever else idles in the target", () => {
  const troubled: ThreadSketch = {
    threadId: 100,
    onCpuMs: 500,
    waits: [{ waitClass: "network", object: PEER, systemCall: "recvfrom", count: 40, eachMs: 100 }],
  };
  const idle = [101, 102, 103, 104, 105].flatMap((threadId): readonly ThreadSketch[] => [
    { threadId },
    { threadId: threadId + 50, waits: [{ waitClass: "network", object: SUBSCRIPTION, openMs: 10_000 }] },
  ]);
  const shares = [[troubled], [troubled, ...idle]].map((threads) =>
    findingsOf([buildFacts(alone("api", threads))])
      .find((finding) => finding.title.includes("10.0.0.9"))?.share
  );
  assert.equal(shares[0], shares[1]);
});

Deno.test("findingsOf() says nothing of a target whose scheduling is blind", () => {
  const world = alone("api", [{
    threadId: 100,
    onCpuMs: 500,
    runnableMs: 5000,
    waits: [{ waitClass: "network", object: PEER, count: 40, eachMs: 100 }],
  }]);
  const completeness = { scheduling: { verdict: "blind" as const, reason: "no provider" } };
  const findings = findingsOf([buildFacts({ ...world, completeness })]);
  assert.deepEqual(findings.map(({ id, severity }) => [id, severity]), [["event-loss", "info"]]);
});

Deno.test("rankFindings() puts explained time first, failures next, and info last", () => {
  const finding = (overrides: Partial<Finding>): Finding => ({
    id: "slow-peer",
    targetId: TARGET_ID,
    severity: "warning",
    title: "",
    evidence: {},
    consequences: [],
    nextStep: "",
    explainedMs: 0,
    share: 0,
    ...overrides,
  });
  const failures = (failedCount: number): Partial<Finding> => ({
    evidence: {
      failures: {
        failedCount,
        attemptCount: 9,
        exitCodes: {},
        signals: {},
        firstWallMs: 0,
        lastWallMs: 0,
        parent: { processId: 1, command: "init" },
      },
    },
  });
  const ranked = rankFindings([
    finding({ title: "info", severity: "info", explainedMs: 9000 }),
    finding({ title: "few failures", ...failures(3) }),
    finding({ title: "many failures", severity: "error", ...failures(9) }),
    finding({ title: "short", explainedMs: 10 }),
    finding({ title: "long", explainedMs: 5000 }),
  ]);
  assert.deepEqual(ranked.map(({ title }) => title), ["long", "short", "many failures", "few failures", "info"]);
});

Deno.test("findingsOf() judges every target by its own non-idle time", () => {
  const busy: ThreadSketch = { threadId: 200, onCpuMs: 10_000 };
  const slow: ThreadSketch = {
    threadId: 100,
    onCpuMs: 500,
    waits: [{ waitClass: "network", object: PEER, count: 40, eachMs: 100 }],
  };
  const other = buildFacts({ ...alone("batch", [busy]), targetId: toTargetId("pid:200") });
  const apart = findingsOf([buildFacts(alone("api", [slow])), other]);
  const together = findingsOf([buildFacts(alone("api", [slow, busy]))]);
  assert.equal(apart[0]?.share, 4000 / 4500);
  assert.equal(together[0]?.share, 4000 / 14_500);
});
