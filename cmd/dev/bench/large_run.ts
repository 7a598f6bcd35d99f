/**
 * A synthetic run as large as the limits allow: what the tables of the engine
 * hold at most, and as many events as asked for.
 *
 * @module
 */

import type { TraceEvent } from "../../../engine/api/events.ts";
import { CHAIN_ROWS_MAX, PEER_ROWS_MAX, WAIT_ROWS_MAX } from "../../../engine/api/limits.ts";
import { type Measurements, WAIT_CLASSES, type WaitClass, type WaitObject } from "../../../engine/api/measurements.ts";
import {
  BEGIN_MS,
  buildExit,
  buildMeasurements,
  buildPeer,
  TARGET_ID,
  type WaitSketch,
} from "../../../engine/diagnose/test_measurements.ts";

const WINDOW_MS = 60_000;
const PROCESS_COUNT = 40;
const THREADS_PER_PROCESS = 50;
const WAITS_PER_THREAD = Math.floor(WAIT_ROWS_MAX / (PROCESS_COUNT * THREADS_PER_PROCESS));
/** Distinct events; the run repeats them. */
const EVENT_POOL = 16_384;

const CLASSES = Object.keys(WAIT_CLASSES) as readonly WaitClass[];

/** Yields the final measurements of 2,000 threads with every table at its limit. */
export function largeMeasurements(): Measurements {
  return buildMeasurements({
    windowMs: WINDOW_MS,
    processes: Array.from({ length: PROCESS_COUNT }, (_, process) => ({
      processId: 1000 + process,
      command: `service-${process}`,
      commandLine: [`/usr/local/bin/service-${process}`, "--config=/etc/service/config.yaml", `--shard=${process}`],
      threads: Array.from({ length: THREADS_PER_PROCESS }, (_, thread) => {
        const threadId = 10_000 + process * THREADS_PER_PROCESS + thread;
        return {
          threadId,
          command: `worker-${thread}`,
          onCpuMs: 500 + thread,
          runnableMs: 20,
          waits: Array.from({ length: WAITS_PER_THREAD }, (_, wait) => waitOf(threadId, wait)),
        };
      }),
    })),
    lockChains: Array.from({ length: CHAIN_ROWS_MAX }, (_, index) => ({
      processId: 1000 + index % PROCESS_COUNT,
      lockAddress: `0x7f${(index % 2048).toString(16)}`,
      holder: { processId: 1000 + index % PROCESS_COUNT, threadId: 10_000 + index % 2000, command: "worker" },
      holderObject: objectOf(index),
      count: 10,
      totalMs: 30,
    })),
    peers: Array.from({ length: PEER_ROWS_MAX }, (_, index) =>
      buildPeer({
        processId: 1000 + index % PROCESS_COUNT,
        endpoint: { kind: "peer", protocol: "tcp", address: `10.${index >> 8 & 255}.${index & 255}.9`, port: 5432 },
        responseMs: [1, 3, index % 100 + 1],
        sends: { operationCount: 100, byteCount: 4096 + index },
        connects: { attemptCount: 3, establishedCount: 2, failedCount: 1, failures: { ECONNREFUSED: 1 } },
      })),
  });
}

function waitOf(threadId: number, index: number): WaitSketch {
  const seed = threadId * 31 + index * 7;
  return {
    waitClass: CLASSES[seed % CLASSES.length] ?? "other",
    object: objectOf(seed),
    systemCall: ["futex", "recvfrom", "fsync", "epoll_wait", "read"][seed % 5] ?? "read",
    count: 20 + seed % 50,
    eachMs: 0.5 + seed % 40 / 10,
    waker: { threadId: 10_000 + seed % 2000, processId: 1000 + seed % PROCESS_COUNT, command: "worker" },
    // A quarter of the rows has a stack, as with --stacks and short waits.
    ...(seed % 4 === 0 ? { stack: stackOf(seed) } : {}),
  };
}

function objectOf(seed: number): WaitObject {
  switch (seed % 3) {
    case 0:
      return { kind: "peer", protocol: "tcp", address: `10.0.${seed % 200}.9`, port: 1024 + seed % 4000 };
    case 1:
      return {
        kind: "file",
        id: `8:1:${seed % 5000}`,
        path: `/var/lib/service/data/segment-${seed % 5000}/table.data`,
      };
    default:
      return { kind: "lock", address: `0x7f${(seed % 2048).toString(16)}` };
  }
}

function stackOf(seed: number): readonly string[] {
  return Array.from({ length: 16 }, (_, frame) => `service::module_${frame}::function_${seed % 512}+0x${frame * 16}`);
}

/** Yields `count` events over the window, oldest first; one in a hundred is no wait. */
export function* largeRunEvents(count: number): Generator<TraceEvent> {
  const pool = Array.from({ length: EVENT_POOL }, (_, index): TraceEvent => {
    const endMs = BEGIN_MS + (index + 1) / EVENT_POOL * WINDOW_MS;
    if (index % 100 === 0) return buildExit({ processId: 40_000 + index, atMs: endMs, exitCode: index % 3 });
    return {
      kind: "wait",
      targetId: TARGET_ID,
      endMs,
      durationMs: 10 + index * 37 % 400,
      processId: 1000 + index % PROCESS_COUNT,
      threadId: 10_000 + index % 2000,
      waitClass: CLASSES[index % CLASSES.length] ?? "other",
      systemCall: "futex",
      object: objectOf(index),
      wakerThreadId: 0,
    };
  });
  const repeats = Math.ceil(count / pool.length);
  let made = 0;
  for (const event of pool) {
    for (let repeat = 0; repeat < repeats && made < count; repeat++, made++) yield event;
  }
}
