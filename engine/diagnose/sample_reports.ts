/**
 * Three whole reports for tests: a troubled target, a healthy one, and a look
 * that lost much.
 *
 * @module
 */

import type { TraceEvent } from "../api/events.ts";
import type { WaitObject } from "../api/measurements.ts";
import type { Report } from "./report.ts";
import { BEGIN_MS, buildExit, buildReport, FILE, PEER, TARGET_ID, type WorldSketch } from "./test_measurements.ts";

const LOCK: WaitObject = { kind: "lock", address: "0x7f3a10c0" };
const CLIENTS: WaitObject = { kind: "server", protocol: "tcp", port: 8080 };

const TROUBLED: WorldSketch = {
  processes: [{
    processId: 100,
    command: "shop",
    commandLine: ["/usr/bin/shop", "--listen", ":8080", "--db-password", "hunter2"],
    threads: [
      {
        threadId: 100,
        onCpuMs: 600,
        runnableMs: 25,
        waits: [
          { waitClass: "network", object: PEER, systemCall: "epoll_wait", count: 20, eachMs: 150 },
          { waitClass: "idle", object: CLIENTS, systemCall: "epoll_wait", count: 60, eachMs: 100 },
        ],
      },
      {
        threadId: 101,
        command: "flusher",
        onCpuMs: 40,
        waits: [{ waitClass: "diskWrite", object: FILE, systemCall: "fsync", count: 400, eachMs: 5 }],
      },
      ...[102, 103].map((threadId) => ({
        threadId,
        command: `writer-${threadId - 101}`,
        onCpuMs: 30,
        waits: [{
          waitClass: "lock" as const,
          object: LOCK,
          systemCall: "futex",
          count: 40,
          eachMs: 20,
          waker: { threadId: 101, processId: 100, command: "flusher" },
        }],
      })),
      {
        threadId: 104,
        command: "caller",
        onCpuMs: 15,
        waits: [{ waitClass: "network", object: PEER, systemCall: "recvfrom", count: 5, eachMs: 160 }],
      },
      ...Array.from({ length: 9 }, (_, index) => ({ threadId: 110 + index, command: "pool", onCpuMs: 1 })),
    ],
  }],
  lockChains: [{
    lockAddress: "0x7f3a10c0",
    holder: { threadId: 101, processId: 100, command: "flusher" },
    holderWaitClass: "diskWrite",
    holderSystemCall: "fsync",
    holderObject: FILE,
    totalMs: 1500,
    count: 75,
  }],
};

const TROUBLED_EVENTS: readonly TraceEvent[] = [
  ...[2000, 9000].map((afterMs): TraceEvent => ({
    kind: "wait",
    targetId: TARGET_ID,
    endMs: BEGIN_MS + afterMs,
    durationMs: 160,
    processId: 100,
    threadId: 104,
    waitClass: "network",
    systemCall: "recvfrom",
    object: PEER,
    wakerThreadId: 0,
  })),
  ...[1, 2, 3, 4].map((index) =>
    buildExit({ processId: 900 + index, command: "thumbnailer", exitCode: 7, atMs: BEGIN_MS + index * 2000 })
  ),
];

/** A slow upstream from a thread and a loop, an fsync with a lock held over it, and a crash loop. */
export const TROUBLED_REPORT: Report = buildReport(TROUBLED, TROUBLED_EVENTS);

/** The same with its single events. */
export const LISTED_REPORT: Report = buildReport(TROUBLED, TROUBLED_EVENTS, { hasListing: true });

/** A server that answers its clients and waits for more. */
export const HEALTHY_REPORT: Report = buildReport({
  processes: [{
    processId: 100,
    command: "shop",
    threads: [{
      threadId: 100,
      onCpuMs: 900,
      runnableMs: 12,
      waits: [{ waitClass: "idle", object: CLIENTS, systemCall: "epoll_wait", count: 9000, eachMs: 1 }],
    }],
  }],
});

const LOSS_SPAN = { beginMs: BEGIN_MS + 3000, endMs: BEGIN_MS + 5000 };

/** The troubled target seen with more than half of the wait rows lost and no lifecycle records. */
export const PARTIAL_REPORT: Report = buildReport({
  ...TROUBLED,
  completeness: {
    waits: { verdict: "partial", percent: 42.4, reason: "lost 576 of 1000: 570 map_full", span: LOSS_SPAN },
    lifecycle: { verdict: "blind", reason: "no provider for sched_process_exit" },
  },
  ledger: {
    waits: { seen: 1000, filtered: 0, aggregated: 424, delivered: 0, dropped: { map_full: 570, key_overflow: 6 } },
  },
  departed: {
    threadCount: 12,
    lifetimeMs: 340,
    onCpuMs: 90,
    runnableMs: 10,
    throttledMs: 0,
    blockedMs: 240,
    residualMs: 0,
  },
  cost: {
    runTimeNote: "not permitted: kernel.bpf_stats_enabled needs CAP_SYS_ADMIN",
    hooks: [{
      hook: "process_exit",
      provider: undefined,
      refused: ["tp_btf/sched_process_exit: EPERM"],
      blindFor: "exits of processes",
      plane: "time",
      isAskedFor: true,
    }],
  },
});
