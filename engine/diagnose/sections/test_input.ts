/**
 * Inputs of sections for tests.
 *
 * @module
 */

import type { TraceEvent } from "../../api/events.ts";
import type { FileMeasurement } from "../../api/file_measurements.ts";
import { HISTOGRAM_BUCKET_COUNT } from "../../api/measurements.ts";
import type { ProcessResourceMeasurement } from "../../api/resource_measurements.ts";
import type {
  ConnectionMeasurement,
  LatencyFigures,
  PeerMeasurement,
  TransferFigures,
} from "../../api/socket_measurements.ts";
import { DEFAULT_THRESHOLDS } from "../../api/thresholds.ts";
import { EventDigest } from "../event_digest.ts";
import { toTargetFacts } from "../facts.ts";
import { BEGIN_WALL_MS, buildMeasurements, TARGET_ID, type WorldSketch } from "../test_measurements.ts";
import { toTimeLedger } from "../time_ledger.ts";
import type { SectionInput } from "./section_input.ts";

/** Yields what the sections of the world are made from; its window is 10 s. */
export function buildSectionInput(world: WorldSketch = {}, events: readonly TraceEvent[] = []): SectionInput {
  const digest = new EventDigest();
  for (const event of events) digest.add(event);
  const summary = digest.summary();
  const measurements = buildMeasurements(world);
  const timeLedger = toTimeLedger(toTargetFacts(measurements, summary), measurements.departed);
  return { measurements, digest: summary, timeLedger, thresholds: DEFAULT_THRESHOLDS };
}

/** Yields durations of which each is in `durationsMs`. */
export function buildLatency(durationsMs: readonly number[] = []): LatencyFigures {
  const buckets = new Array<number>(HISTOGRAM_BUCKET_COUNT).fill(0);
  for (const ms of durationsMs) {
    const index = Math.max(0, Math.floor(Math.log2(ms * 1000)));
    buckets[index] = (buckets[index] ?? 0) + 1;
  }
  return {
    count: durationsMs.length,
    totalMs: durationsMs.reduce((sum, ms) => sum + ms, 0),
    maxMs: Math.max(0, ...durationsMs),
    maxEndWallMs: 0,
    buckets,
  };
}

const NO_TRANSFERS: TransferFigures = {
  operationCount: 0,
  byteCount: 0,
  operationBytesMax: 0,
  wouldBlockCount: 0,
  failedCount: 0,
  errors: {},
};

/** Yields one peer at rest, with `overrides`. */
export function buildPeer(
  overrides: Omit<Partial<PeerMeasurement>, "sends" | "receives" | "connects"> & {
    readonly sends?: Partial<TransferFigures>;
    readonly receives?: Partial<TransferFigures>;
    readonly connects?: Partial<PeerMeasurement["connects"]>;
  } = {},
): PeerMeasurement {
  return {
    targetId: TARGET_ID,
    processId: 100,
    role: "client",
    endpoint: { kind: "peer", protocol: "tcp", address: "10.0.0.9", port: 5432 },
    responses: buildLatency(),
    unmeasuredResponseCount: 0,
    acceptCount: 0,
    closeCount: 0,
    openCount: 1,
    retransmitCount: 0,
    segmentCount: undefined,
    resetReceivedCount: 0,
    resetSentCount: 0,
    roundTrip: undefined,
    ...overrides,
    sends: { ...NO_TRANSFERS, ...overrides.sends },
    receives: { ...NO_TRANSFERS, ...overrides.receives },
    connects: {
      attemptCount: 0,
      establishedCount: 0,
      failedCount: 0,
      pendingCount: 0,
      failures: {},
      handshakes: buildLatency(),
      ...overrides.connects,
    },
  };
}

/** Yields one TCP connection that our side opened, with `overrides`; `openedAfterMs` counts from the window's begin. */
export function buildConnection(
  { openedAfterMs, ...overrides }: Partial<ConnectionMeasurement> & { readonly openedAfterMs?: number } = {},
): ConnectionMeasurement {
  return {
    targetId: TARGET_ID,
    processId: 100,
    role: "client",
    endpoint: { kind: "peer", protocol: "tcp", address: "10.0.0.9", port: 5432 },
    local: undefined,
    remote: undefined,
    openedWallMs: openedAfterMs === undefined ? undefined : BEGIN_WALL_MS + openedAfterMs,
    closedWallMs: undefined,
    sent: { operationCount: 0, byteCount: 0 },
    received: { operationCount: 0, byteCount: 0 },
    responses: { count: 0, totalMs: 0, maxMs: 0 },
    retransmitCount: 0,
    roundTrip: undefined,
    ...overrides,
  };
}

/** Yields operations on one file of `durationsMs` each, with `overrides`. */
export function buildFileOperations(
  durationsMs: readonly number[],
  overrides: Partial<FileMeasurement> = {},
): FileMeasurement {
  const { count, totalMs, maxMs, maxEndWallMs, buckets } = buildLatency(durationsMs);
  return {
    targetId: TARGET_ID,
    processId: 100,
    operation: "read",
    object: { kind: "file", id: "8:1:4711", path: "/srv/shop/data.bin" },
    count,
    errorCount: 0,
    errors: [],
    byteCount: 0,
    totalMs,
    maxMs,
    maxEndWallMs,
    buckets,
    ...overrides,
  };
}

/** Yields the resources of process 100, with `overrides`. */
export function buildResources(overrides: Partial<ProcessResourceMeasurement> = {}): ProcessResourceMeasurement {
  return {
    targetId: TARGET_ID,
    processId: 100,
    fdCountBegin: undefined,
    fdCountEnd: undefined,
    fdLimit: undefined,
    threadCountBegin: undefined,
    threadCountEnd: undefined,
    threadsStartedCount: 0,
    minorFaultCount: 0,
    majorFaultCount: 0,
    residentBytesBegin: undefined,
    residentBytesEnd: undefined,
    ...overrides,
  };
}
