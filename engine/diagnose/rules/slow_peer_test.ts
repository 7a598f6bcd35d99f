import { assert } from "../../../tests/support/assert.ts";
import type { WaitClass } from "../../api/measurements.ts";
import type { Severity } from "../../api/severity.ts";
import {
  BEGIN_MS,
  BEGIN_WALL_MS,
  buildFacts,
  buildPeer,
  PEER,
  TARGET_ID,
  type ThreadSketch,
  type WaitSketch,
} from "../test_measurements.ts";
import { slowPeer } from "./slow_peer.ts";

const wait = (overrides: Partial<WaitSketch> = {}): WaitSketch => ({
  waitClass: "network",
  object: PEER,
  systemCall: "recvfrom",
  ...overrides,
});

const world = (threads: readonly ThreadSketch[]) => ({ processes: [{ processId: 100, command: "shop", threads }] });

interface Row {
  readonly name: string;
  readonly threads: readonly ThreadSketch[];
  readonly severity: Severity | undefined;
}

const TABLE: readonly Row[] = [
  {
    name: "a blocking thread that waits most of its time",
    threads: [{ threadId: 100, onCpuMs: 500, waits: [wait({ count: 40, eachMs: 100 })] }],
    severity: "critical",
  },
  {
    name: "an event loop whose poll the peer ended",
    threads: [{ threadId: 100, onCpuMs: 2000, waits: [wait({ systemCall: "epoll_wait", count: 10, eachMs: 120 })] }],
    severity: "error",
  },
  {
    name: "a share just above 5 %",
    threads: [{ threadId: 100, onCpuMs: 5650, waits: [wait({ count: 20, eachMs: 15 })] }],
    severity: "warning",
  },
  {
    name: "a share just below 5 %",
    threads: [{ threadId: 100, onCpuMs: 5750, waits: [wait({ count: 20, eachMs: 15 })] }],
    severity: "info",
  },
  {
    name: "quick answers in great number",
    threads: [{ threadId: 100, onCpuMs: 1000, waits: [wait({ count: 20_000, eachMs: 0.2 })] }],
    severity: "info",
  },
  {
    name: "a few slow answers among many quick ones",
    threads: [{
      threadId: 100,
      onCpuMs: 1000,
      waits: [wait({ count: 10_000, eachMs: 0.2 }), wait({ count: 3, eachMs: 800 })],
    }],
    severity: "error",
  },
  {
    name: "hardly any time at all",
    threads: [{ threadId: 100, onCpuMs: 1, waits: [wait({ count: 1, eachMs: 15 })] }],
    severity: undefined,
  },
  {
    name: "a large share of a target that does nearly nothing",
    threads: [{ threadId: 100, onCpuMs: 1, waits: [wait({ count: 3, eachMs: 40 })] }],
    severity: "info",
  },
  {
    name: "one background thread that listens all the while",
    threads: [{ threadId: 100, onCpuMs: 100 }, { threadId: 101, waits: [wait({ openMs: 10_000 })] }],
    severity: "info",
  },
  {
    name: "a thread that listens to a named socket",
    threads: [
      { threadId: 100, onCpuMs: 100 },
      { threadId: 101, waits: [wait({ object: { kind: "unixPeer", id: "7", path: "/run/bus" }, openMs: 10_000 })] },
    ],
    severity: "info",
  },
  {
    name: "one background thread whose connect hangs all the while",
    threads: [{ threadId: 100, onCpuMs: 100 }, {
      threadId: 101,
      waits: [wait({ systemCall: "connect", openMs: 10_000 })],
    }],
    severity: "critical",
  },
  {
    name: "the main thread hanging all the while",
    threads: [{ threadId: 100, waits: [wait({ openMs: 10_000 })] }],
    severity: "warning",
  },
  {
    name: "several threads hanging alike",
    threads: [101, 102, 103].map((threadId) => ({ threadId, waits: [wait({ openMs: 10_000 })] })),
    severity: "warning",
  },
  {
    name: "a wait that began in the window and is still open",
    threads: [{ threadId: 100, onCpuMs: 1000, waits: [wait({ openMs: 6000 })] }],
    severity: "critical",
  },
  {
    name: "network waits without a name",
    threads: [{ threadId: 100, onCpuMs: 500, waits: [wait({ object: { kind: "several" }, count: 40, eachMs: 100 })] }],
    severity: "info",
  },
  {
    name: "a server waiting for its clients",
    threads: [{
      threadId: 100,
      onCpuMs: 500,
      waits: [
        wait({ waitClass: "idle", object: { kind: "server", protocol: "tcp", port: 80 }, count: 40, eachMs: 100 }),
      ],
    }],
    severity: undefined,
  },
];

for (const { name, threads, severity } of TABLE) {
  Deno.test(`slowPeer() yields ${severity ?? "nothing"} for ${name}`, () => {
    assert.deepEqual(
      slowPeer(buildFacts(world(threads))).map((finding) => finding.severity),
      severity ? [severity] : [],
    );
  });
}

const PAIR = { kind: "unixPeer", id: "4711", path: undefined } as const;
const WORKER_ID = 200;

/** A process that asks a worker through a pair of sockets, 40 ms each time, and what the worker does meanwhile. */
function pairWorld(
  worker: ThreadSketch,
  { waker = WORKER_ID, isParent = false }: { readonly waker?: number; readonly isParent?: boolean } = {},
) {
  const asks = wait({
    object: PAIR,
    count: 100,
    eachMs: 40,
    waker: { processId: waker, threadId: waker, command: "w" },
  });
  return {
    windowMs: 10_000,
    processes: [
      {
        processId: 100,
        command: "shop",
        parentProcessId: isParent ? WORKER_ID : 1,
        threads: [{ threadId: 100, waits: [asks] }],
      },
      { processId: WORKER_ID, parentProcessId: isParent ? 1 : 100, command: "worker", threads: [worker] },
    ],
  };
}

const asleep = {
  threadId: WORKER_ID,
  waits: [wait({ waitClass: "sleep", object: { kind: "timer" }, count: 100, eachMs: 90 })],
};
const idle = { threadId: WORKER_ID, waits: [wait({ waitClass: "idle", object: PAIR, count: 100, eachMs: 90 })] };
const busy = { threadId: WORKER_ID, onCpuMs: 9000 };

Deno.test("slowPeer() leaves the other end of a pair of sockets to what that end did meanwhile", () => {
  const severities = (facts: ReturnType<typeof pairWorld>) =>
    slowPeer(buildFacts(facts)).map(({ severity }) => severity);
  assert.deepEqual(severities(pairWorld(asleep)), ["warning"]);
  assert.deepEqual(severities(pairWorld(idle)), []);
  assert.deepEqual(severities(pairWorld(busy)), ["info"]);
  assert.deepEqual(severities(pairWorld(asleep, { isParent: true })), ["info"], "a child waits for work");
  assert.deepEqual(severities(pairWorld(asleep, { waker: 999 })), ["critical"], "nothing else tells of that end");
});

Deno.test("slowPeer() names the process at the other end of a pair of sockets", () => {
  const [finding] = slowPeer(buildFacts(pairWorld(asleep)));
  assert.match(finding?.title ?? "", /^shop \(100\) waits for answers of w \(200\), .* 40\.00 ms each time\.$/);
  assert.deepEqual(finding?.evidence.waker, { processId: WORKER_ID, threadId: WORKER_ID, command: "w" });
});

Deno.test("slowPeer() adds up threads and event loops that wait for the same peer", () => {
  const [finding, ...others] = slowPeer(buildFacts(world([
    { threadId: 100, onCpuMs: 1000, waits: [wait({ systemCall: "epoll_wait", count: 10, eachMs: 100 })] },
    { threadId: 101, command: "worker", onCpuMs: 1000, waits: [wait({ count: 20, eachMs: 100 })] },
  ])));
  assert.deepEqual(others, []);
  assert.equal(finding?.title, "Waiting for 10.0.0.9:5432 takes 60.0% of the non-idle time, 100.00 ms each time.");
  assert.equal(finding?.explainedMs, 3000);
  assert.equal(finding?.evidence.waits?.count, 30);
  assert.equal(finding?.evidence.waits?.longestEndWallMs, BEGIN_WALL_MS + 7500);
  assert.deepEqual(finding?.evidence.systemCalls, ["recvfrom", "epoll_wait"]);
  assert.deepEqual(finding?.evidence.threads?.map((thread) => thread.command), ["worker", "shop"]);
});

Deno.test("slowPeer() says when the first and the last slow wait ended", () => {
  const event = (endMs: number) => ({
    kind: "wait" as const,
    targetId: TARGET_ID,
    endMs,
    durationMs: 100,
    processId: 100,
    threadId: 100,
    waitClass: "network" as WaitClass,
    systemCall: "recvfrom",
    object: PEER,
    wakerThreadId: 0,
  });
  const facts = buildFacts(
    world([{ threadId: 100, onCpuMs: 500, waits: [wait({ count: 40, eachMs: 100 })] }]),
    [event(BEGIN_MS + 4000), event(BEGIN_MS + 1000), event(BEGIN_MS + 9000)],
  );
  assert.deepEqual(slowPeer(facts)[0]?.evidence.slowWaits, {
    count: 3,
    firstEndWallMs: BEGIN_WALL_MS + 1000,
    lastEndWallMs: BEGIN_WALL_MS + 9000,
  });
});

Deno.test("slowPeer() names the next step that fits the system call", () => {
  const nextStep = (systemCall: string) =>
    slowPeer(
      buildFacts(world([{ threadId: 100, onCpuMs: 500, waits: [wait({ systemCall, count: 40, eachMs: 100 })] }])),
    )
      .at(0)?.nextStep ?? "";
  assert.match(nextStep("connect"), /listen queue/);
  assert.match(nextStep("sendto"), /receive buffer is full/);
  assert.match(nextStep("recvfrom"), /slow log/);
});

Deno.test("slowPeer() stays silent when waits are mostly lost, and marks a lower bound when few are", () => {
  const threads = [{ threadId: 100, onCpuMs: 500, waits: [wait({ count: 40, eachMs: 100 })] }];
  const withPercent = (percent: number) =>
    slowPeer(buildFacts({
      ...world(threads),
      completeness: { waits: { verdict: "partial", percent, reason: "map_full 9" } },
    }));
  assert.deepEqual(withPercent(49.9), []);
  assert.deepEqual(withPercent(50)[0]?.evidence.notes, ["a lower bound: waits are PARTIAL 50.0% (map_full 9)"]);
});

Deno.test("slowPeer() stays silent when the window is too short to speak of shares", () => {
  const threads = [{ threadId: 100, waits: [wait({ count: 4, eachMs: 100 })] }];
  assert.deepEqual(slowPeer(buildFacts({ ...world(threads), windowMs: 499 })), []);
  assert.equal(slowPeer(buildFacts({ ...world(threads), windowMs: 500 })).length, 1);
});

Deno.test("slowPeer() says that a connect hangs, and no subscription", () => {
  const [finding] = slowPeer(buildFacts(world([
    { threadId: 100, onCpuMs: 100 },
    { threadId: 101, waits: [wait({ systemCall: "connect", openMs: 10_000 })] },
  ])));
  assert.match(finding?.title ?? "", /^A connect to 10\.0\.0\.9:5432 hung during the whole window/);
  assert.match(finding?.nextStep ?? "", /listen queue, packet loss, firewalls/);
  assert.deepEqual(finding?.evidence.notes, ["1 wait(s) open all the time: a hung request"]);
});

Deno.test("slowPeer() goes by the sockets' response times where an event loop waits in pieces", () => {
  const findings = (responseMs: readonly number[], systemCall = "epoll_wait", waitClass: WaitClass = "idle") =>
    slowPeer(buildFacts({
      ...world([{
        threadId: 100,
        onCpuMs: 1000,
        waits: [wait({ systemCall, count: 1000, eachMs: 3 }), { waitClass, count: 1000, eachMs: 6 }],
      }]),
      peers: [buildPeer({ responseMs })],
    })).map(({ severity, title }) => `${severity}: ${title}`);
  const share = "Waiting for 10.0.0.9:5432 takes 75.0% of the non-idle time";
  assert.deepEqual(findings(new Array(100).fill(31)), [`critical: ${share}, its answers take 31.00 ms.`]);
  // Of 31 ms the thread sleeps through 18: 9.3 are the peer's.
  assert.deepEqual(findings(new Array(100).fill(31), "epoll_wait", "sleep"), [
    `info: ${share}, its answers take 31.00 ms.`,
  ]);
  assert.deepEqual(findings(new Array(100).fill(9)), [`info: ${share}, its answers take 9.00 ms.`]);
  assert.deepEqual(findings(new Array(1000).fill(3.5)), [`info: ${share}, 3.00 ms each time.`]);
  assert.deepEqual(findings([]), [`info: ${share}, 3.00 ms each time.`]);
  assert.deepEqual(findings(new Array(100).fill(31), "connect"), [`info: ${share}, 3.00 ms each time.`]);
});
