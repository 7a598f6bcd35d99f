import { assert } from "../../../tests/support/assert.ts";
import type { WaitObject } from "../../api/measurements.ts";
import type { Severity } from "../../api/severity.ts";
import { buildFacts, buildPeer, PEER, type ThreadSketch, type WaitSketch } from "../test_measurements.ts";
import { blockedLoop } from "./blocked_loop.ts";
import { busyPolling } from "./busy_polling.ts";
import { lockContention } from "./lock_contention.ts";
import { serviceSleep } from "./service_sleep.ts";
import { stuckLock } from "./stuck_lock.ts";

const CLIENTS: WaitObject = { kind: "server", protocol: "tcp", port: 6379 };
const idle = (count: number, eachMs: number, systemCall = "epoll_wait"): WaitSketch => ({
  waitClass: "idle",
  object: CLIENTS,
  systemCall,
  count,
  eachMs,
});
const sleeps = (count: number, eachMs: number): WaitSketch => ({
  waitClass: "sleep",
  object: { kind: "timer" },
  systemCall: "clock_nanosleep",
  count,
  eachMs,
});

type Row = readonly [name: string, thread: Omit<ThreadSketch, "threadId">, severity: Severity | undefined];
type Rule = (facts: ReturnType<typeof buildFacts>) => readonly { readonly severity: Severity }[];

function factsOf(...threads: readonly Omit<ThreadSketch, "threadId">[]) {
  return buildFacts({
    processes: [{
      processId: 100,
      command: "redis",
      threads: threads.map((thread, index) => ({ threadId: 100 + index, ...thread })),
    }],
  });
}

function check(rule: Rule, rows: readonly Row[]): void {
  for (const [name, thread, severity] of rows) {
    Deno.test(`${rule.name}() yields ${severity ?? "nothing"} for ${name}`, () => {
      assert.deepEqual(
        rule(factsOf(thread)).map((finding) => finding.severity),
        severity === undefined ? [] : [severity],
      );
    });
  }
}

check(serviceSleep, [
  [
    "a server that sleeps half its time between clients",
    { onCpuMs: 100, waits: [idle(20, 200), sleeps(25, 200)] },
    "error",
  ],
  [
    "a server that sleeps a tenth of the window, alone",
    { onCpuMs: 8000, waits: [idle(20, 20), sleeps(10, 100)] },
    "warning",
  ],
  ["a server that sleeps a little", { onCpuMs: 2000, waits: [idle(20, 300), sleeps(10, 10)] }, "info"],
  ["a server that yields for less than 5 ms", { onCpuMs: 1000, waits: [idle(100, 40), sleeps(1000, 4.9)] }, undefined],
  ["a server that sleeps for exactly 5 ms", { onCpuMs: 1000, waits: [idle(100, 40), sleeps(800, 5)] }, "error"],
  ["a loop that sleeps and serves nobody", { onCpuMs: 100, waits: [sleeps(90, 100)] }, undefined],
  ["a sleeper that a health check asked twice", { onCpuMs: 100, waits: [idle(2, 400), sleeps(90, 100)] }, undefined],
  ["a server that waits for its clients only", { onCpuMs: 900, waits: [idle(90, 100)] }, undefined],
]);

check(blockedLoop, [
  ["a loop that computes 50 ms a request, all the time", { onCpuMs: 9000, waits: [idle(180, 5)] }, "error"],
  ["a loop that computes 10 ms a request, a third of the time", { onCpuMs: 2410, waits: [idle(240, 30)] }, "error"],
  ["a loop that computes 50 ms a request now and then", { onCpuMs: 400, waits: [idle(8, 1000)] }, "warning"],
  ["a busy loop of quick turns", { onCpuMs: 9500, waits: [idle(50_000, 0.01)] }, undefined],
  ["a loop of turns just short enough", { onCpuMs: 2376, waits: [idle(240, 30)] }, undefined],
  ["a thread of its own for each client", { onCpuMs: 9000, waits: [idle(180, 5, "recvfrom")] }, undefined],
  ["a start-up before the first requests", { onCpuMs: 9000, waits: [idle(4, 250)] }, undefined],
  ["a program that computes and serves nobody", { onCpuMs: 9999 }, undefined],
]);

check(busyPolling, [
  ["a spinning poller", { onCpuMs: 1200, waits: [sleeps(40_000, 0.2)] }, "warning"],
  ["a poller that costs exactly 5 % of a CPU", { onCpuMs: 500, waits: [sleeps(2000, 4.7)] }, "warning"],
  ["a cheap poller", { onCpuMs: 499, waits: [sleeps(2000, 4.7)] }, "info"],
  ["a poller nobody notices", { onCpuMs: 19, waits: [sleeps(2000, 4.9)] }, undefined],
  ["a timer of 10 ms", { onCpuMs: 900, waits: [sleeps(900, 10)] }, undefined],
  ["a worker that sleeps between other waits", {
    onCpuMs: 900,
    waits: [sleeps(3000, 1), { waitClass: "network", object: PEER, count: 3000, eachMs: 1 }],
  }, undefined],
]);

const stuckOn = (address: string, openMs = 10_000): Omit<ThreadSketch, "threadId"> => ({
  waits: [{ waitClass: "lock", object: { kind: "lock", address }, systemCall: "futex", openMs }],
});

Deno.test("stuckLock() calls two threads that wait for two locks all the while a deadlock, and lockContention() leaves it", () => {
  const facts = factsOf(stuckOn("0x10"), stuckOn("0x20"), { onCpuMs: 100 });
  const findings = stuckLock(facts);
  assert.deepEqual(findings.map(({ severity }) => severity), ["critical"]);
  assert.equal(
    findings[0]?.title,
    "2 threads of redis (100) waited for 2 locks 0x10, 0x20 during the whole window (10000.00 ms): nobody lets go, " +
      "as in a deadlock.",
  );
  assert.deepEqual(findings[0]?.evidence.threads?.map(({ threadId }) => threadId), [100, 101]);
  assert.deepEqual(lockContention(facts), []);
});

Deno.test("stuckLock() says of threads whose holders are known that they wait for each other", () => {
  const holder = (threadId: number) => ({ threadId, processId: 100, command: "redis" });
  const chain = (lockAddress: string, threadId: number, wanted: string) => ({
    lockAddress,
    holder: holder(threadId),
    holderWaitClass: "lock" as const,
    holderObject: { kind: "lock" as const, address: wanted },
    totalMs: 10_000,
  });
  const facts = buildFacts({
    processes: [{
      processId: 100,
      command: "redis",
      threads: [{ threadId: 100, ...stuckOn("0x10") }, { threadId: 101, ...stuckOn("0x20") }],
    }],
    lockChains: [chain("0x10", 101, "0x20"), chain("0x20", 100, "0x10")],
  });
  const findings = stuckLock(facts);
  assert.deepEqual(findings.map(({ severity }) => severity), ["critical"]);
  assert.match(findings[0]?.title ?? "", /nobody lets go, they wait for each other: a deadlock\.$/);
  assert.deepEqual(lockContention(facts), []);
});

Deno.test("stuckLock() is an error for threads that wait for one lock all the while", () => {
  for (const threads of [[stuckOn("0x10")], [stuckOn("0x10"), stuckOn("0x10")]]) {
    assert.deepEqual(stuckLock(factsOf(...threads)).map(({ severity }) => severity), ["error"]);
  }
});

Deno.test("stuckLock() leaves a lock to lockContention() that somebody got in the window", () => {
  const contended: Omit<ThreadSketch, "threadId"> = {
    waits: [{ waitClass: "lock", object: { kind: "lock", address: "0x10" }, count: 9, eachMs: 900, openMs: 900 }],
  };
  for (const threads of [[contended], [contended, stuckOn("0x10")], [stuckOn("0x10", 5000)]]) {
    const facts = factsOf(...threads);
    assert.deepEqual(stuckLock(facts), []);
    assert.equal(lockContention(facts).length, 1);
  }
});

Deno.test("rules of services say nothing when what they read was not seen, or the window is short", () => {
  const threads: readonly Omit<ThreadSketch, "threadId">[] = [
    { onCpuMs: 100, waits: [idle(20, 200), sleeps(25, 200)] },
    { onCpuMs: 9000, waits: [idle(180, 5)] },
    { onCpuMs: 1200, waits: [sleeps(40_000, 0.2)] },
    stuckOn("0x10"),
  ];
  const rules = [serviceSleep, blockedLoop, busyPolling, stuckLock];
  const facts = factsOf(...threads);
  assert.ok(rules.every((rule) => rule(facts).length > 0));
  const blind = {
    ...facts,
    completeness: { ...facts.completeness, waits: { verdict: "blind", reason: "no hook" } },
  } as const;
  for (const rule of rules) {
    assert.deepEqual(rule(blind), [], rule.name);
    assert.deepEqual(rule({ ...facts, windowMs: 499 }), [], rule.name);
  }
});

Deno.test("serviceSleep() finds a loop that is so late that there is always a client, by what its sockets say", () => {
  const titles = (responseMs: readonly number[], threadCount = 1) =>
    serviceSleep(buildFacts({
      processes: [{
        processId: 100,
        command: "loop",
        threads: Array.from({ length: threadCount }, (_, index) => ({
          threadId: 100 + index,
          onCpuMs: 100,
          waits: [
            sleeps(300, 30),
            { waitClass: "network" as const, object: PEER, systemCall: "epoll_wait", count: 300, eachMs: 2 },
          ],
        })),
      }],
      peers: [buildPeer({ role: "server", endpoint: { kind: "server", protocol: "tcp", port: 8080 }, responseMs })],
    })).map(({ title }) => title);
  assert.match(
    titles([60, 60, 60])[0] ?? "",
    /^loop \(100\) sleeps 30\.00 ms at a time between clients of tcp port 8080/,
  );
  assert.deepEqual(titles([60, 60]), []);
  assert.deepEqual(titles([4, 4, 4]), []);
  assert.deepEqual(titles([60, 60, 60], 2), []); // which of the two serves them is not known
});
