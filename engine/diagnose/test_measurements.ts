/**
 * Builders of measurements for tests: worlds told in a few lines, everything
 * else at rest.
 *
 * @module
 */

import {
  CATEGORIES,
  type Category,
  type CategoryLedger,
  type Completeness,
  HISTOGRAM_BUCKET_COUNT,
  IDLE_WAIT_CLASSES,
  type LockChainMeasurement,
  type Measurements,
  type ProcessInfo,
  type StackFrame,
  type ThreadLedger,
  type WaitClass,
  type WaitMeasurement,
  type WaitObject,
} from "../api/measurements.ts";
import type { ExitEvent, TraceEvent } from "../api/events.ts";
import type { LatencyFigures, PeerMeasurement, SocketEndpoint } from "../api/socket_measurements.ts";
import type { RuleThresholds } from "../api/thresholds.ts";
import { type TargetId, toTargetId } from "../api/units.ts";
import { EventDigest } from "./event_digest.ts";
import { EventLog } from "./event_log.ts";
import { type TargetFacts, toTargetFacts } from "./facts.ts";
import { type Report, toReport } from "./report.ts";
import { type Timeline, TimelineBuilder } from "./timeline.ts";

export const TARGET_ID = toTargetId("pid:100");

/** 2026-01-02T03:04:05Z */
export const BEGIN_WALL_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

export const BEGIN_MS = 50_000;
export const WINDOW_MS = 10_000;

/** `count` waits of `eachMs` as one row; `openMs` adds one more that is still going on. */
export interface WaitSketch {
  readonly waitClass: WaitClass;
  readonly object?: WaitObject;
  readonly systemCall?: string;
  readonly count?: number;
  /** Of all of them together; one each unless said. */
  readonly sleepCount?: number;
  readonly eachMs?: number;
  readonly openMs?: number;
  readonly waker?: WaitMeasurement["waker"];
  /** Innermost first. */
  readonly stack?: readonly string[];
}

export interface ThreadSketch {
  readonly threadId: number;
  readonly command?: string;
  readonly lifetimeMs?: number;
  /** After the window began. */
  readonly bornMs?: number;
  readonly onCpuMs?: number;
  readonly runnableMs?: number;
  readonly throttledMs?: number;
  readonly waits?: readonly WaitSketch[];
  /** Whether what is left of its life is `parked`; default true, so that sketches add up. */
  readonly parksRest?: boolean;
}

export interface ProcessSketch {
  readonly processId: number;
  readonly command: string;
  readonly parentProcessId?: number;
  readonly commandLine?: readonly string[];
  readonly exited?: boolean;
  readonly threads: readonly ThreadSketch[];
}

export interface WorldSketch {
  readonly processes?: readonly ProcessSketch[];
  /** Of thread 100 of process 100. */
  readonly cpuSamples?: readonly { readonly stack: readonly string[]; readonly sampleCount: number }[];
  readonly lockChains?: readonly Partial<LockChainMeasurement>[];
  readonly peers?: Measurements["peers"];
  readonly connections?: Measurements["connections"];
  readonly listenQueues?: Measurements["listenQueues"];
  readonly cgroups?: Measurements["cgroups"];
  readonly processResources?: Measurements["processResources"];
  readonly cgroupResources?: Measurements["cgroupResources"];
  readonly oomKills?: Measurements["oomKills"];
  readonly fileOperations?: Measurements["fileOperations"];
  readonly host?: Measurements["host"];
  readonly completeness?: Partial<Record<Category, Completeness>>;
  readonly ledger?: Partial<Record<Category, Partial<CategoryLedger>>>;
  readonly cost?: Partial<Measurements["books"]["cost"]>;
  readonly windowMs?: number;
  readonly targetId?: TargetId;
  readonly departed?: Measurements["departed"];
}

/** Yields final measurements of the sketched world. */
export function buildMeasurements(world: WorldSketch = {}): Measurements {
  const windowMs = world.windowMs ?? WINDOW_MS;
  const targetId = world.targetId ?? TARGET_ID;
  const processes = world.processes ?? [];
  const threads = processes.flatMap((process) =>
    process.threads.map((thread) => buildThread(thread, { process, windowMs, targetId }))
  );
  return {
    isFinal: true,
    window: {
      beginMs: BEGIN_MS,
      endMs: BEGIN_MS + windowMs,
      beginWallMs: BEGIN_WALL_MS,
      endWallMs: BEGIN_WALL_MS + windowMs,
    },
    threads: threads.map(({ ledger }) => ledger),
    ...(world.departed === undefined ? {} : { departed: world.departed }),
    processes: processes.map((process): ProcessInfo => ({
      processId: process.processId,
      parentProcessId: process.parentProcessId ?? 1,
      targetId,
      command: process.command,
      commandLine: process.commandLine ?? [],
      exited: process.exited ?? false,
    })),
    waits: threads.flatMap(({ waits }) => waits),
    cpuSamples: (world.cpuSamples ?? []).map(({ stack, sampleCount }) => ({
      targetId,
      processId: 100,
      threadId: 100,
      sampleCount,
      userStack: stack.map(toFrame),
    })),
    lockChains: (world.lockChains ?? []).map((chain) => ({ ...DEFAULT_CHAIN, targetId, ...chain })),
    peers: (world.peers ?? []).map((peer) => ({ ...peer, targetId })),
    connections: world.connections ?? [],
    omittedConnectionCount: 0,
    listenQueues: world.listenQueues ?? [],
    cgroups: world.cgroups ?? [],
    processResources: world.processResources ?? [],
    cgroupResources: world.cgroupResources ?? [],
    oomKills: world.oomKills ?? [],
    fileOperations: world.fileOperations ?? [],
    host: world.host ?? { cpuCount: 2, pressure: undefined },
    books: buildBooks(world),
  };
}

const DEFAULT_CHAIN: Omit<LockChainMeasurement, "targetId"> = {
  processId: 100,
  lockAddress: "0x10",
  holder: { threadId: 101, processId: 100, command: "holder" },
  holderWaitClass: undefined,
  holderSystemCall: undefined,
  holderObject: { kind: "none" },
  count: 1,
  totalMs: 0,
};

function buildThread(
  thread: ThreadSketch,
  { process, windowMs, targetId }: { process: ProcessSketch; windowMs: number; targetId: TargetId },
): { ledger: ThreadLedger; waits: readonly WaitMeasurement[] } {
  const lifetimeMs = thread.lifetimeMs ?? windowMs;
  const { onCpuMs = 0, runnableMs = 0, throttledMs = 0 } = thread;
  const ids = { targetId, processId: process.processId, threadId: thread.threadId };
  const sketched = (thread.waits ?? []).map((wait) => buildWait(wait, ids));
  const waitedMs = sketched.reduce((sum, wait) => sum + wait.totalMs, 0);
  const restMs = lifetimeMs - onCpuMs - runnableMs - throttledMs - waitedMs;
  const parks = (thread.parksRest ?? true) && restMs > 0;
  const waits = parks ? [...sketched, buildWait({ waitClass: "parked", eachMs: restMs }, ids)] : sketched;
  const blockedMs = waitedMs + (parks ? restMs : 0);
  return {
    ledger: {
      ...ids,
      command: thread.command ?? process.command,
      beginMs: BEGIN_MS + (thread.bornMs ?? 0),
      endMs: BEGIN_MS + (thread.bornMs ?? 0) + lifetimeMs,
      onCpuMs,
      runnableMs,
      throttledMs,
      blockedMs,
      residualMs: lifetimeMs - onCpuMs - runnableMs - throttledMs - blockedMs,
      kernelOnCpuMs: onCpuMs,
      kernelRunDelayMs: runnableMs,
      exited: false,
    },
    waits,
  };
}

/** Yields one wait row. */
export function buildWait(
  sketch: WaitSketch,
  ids: { readonly targetId: TargetId; readonly processId: number; readonly threadId: number },
): WaitMeasurement {
  const { openMs = 0, eachMs = 0 } = sketch;
  const count = sketch.count ?? (eachMs > 0 ? 1 : 0);
  const buckets = new Array<number>(HISTOGRAM_BUCKET_COUNT).fill(0);
  for (const [ms, times] of [[eachMs, count], [openMs, openMs > 0 ? 1 : 0]] as const) {
    const index = bucketOf(ms);
    if (times > 0) buckets[index] = (buckets[index] ?? 0) + times;
  }
  return {
    ...ids,
    waitClass: sketch.waitClass,
    systemCall: sketch.systemCall ?? (IDLE_WAIT_CLASSES.has(sketch.waitClass) ? "futex" : undefined),
    object: sketch.object ?? { kind: "none" },
    count: count + (openMs > 0 ? 1 : 0),
    sleepCount: (sketch.sleepCount ?? count) + (openMs > 0 ? 1 : 0),
    totalMs: eachMs * count + openMs,
    maxMs: Math.max(eachMs, openMs),
    maxEndWallMs: BEGIN_WALL_MS + 7_500,
    waker: sketch.waker,
    buckets,
    openMs,
    userStack: (sketch.stack ?? []).map(toFrame),
  };
}

/** "name+0x12" becomes a function, anything else a frame without a name. */
function toFrame(text: string): StackFrame {
  const [, name, digits] = /^(\w+)\+0x([0-9a-f]+)$/.exec(text) ?? [];
  return {
    text,
    function: name,
    offset: digits === undefined ? undefined : parseInt(digits, 16),
    module: undefined,
    buildId: undefined,
    isResolved: name !== undefined,
    ...(name === undefined ? { problem: "stripped" as const } : {}),
  };
}

function buildBooks(world: WorldSketch): Measurements["books"] {
  const forAll = <T>(entry: (category: Category) => T) =>
    Object.fromEntries(CATEGORIES.map((category) => [category, entry(category)])) as Record<Category, T>;
  return {
    ledger: forAll((category) => ({
      seen: 1000,
      filtered: 400,
      aggregated: 500,
      delivered: 100,
      dropped: {},
      residual: 0,
      ...world.ledger?.[category],
    })),
    completeness: forAll((category) => world.completeness?.[category] ?? { verdict: "complete" }),
    cost: {
      programs: [{
        name: "pt_sched_switch",
        provider: "tp_btf/sched_switch",
        callCount: 120_000,
        runTimeNs: 36_000_000,
      }],
      runTimeNote: "sampled one second in ten and extrapolated",
      hooks: [{
        hook: "sched_switch",
        provider: "tp_btf/sched_switch",
        refused: [],
        blindFor: "",
        plane: "time",
        isAskedFor: true,
      }],
      recordCount: 1200,
      recordBytes: 122_880,
      ownCpuMs: 210,
      ownMemoryBytes: 90 * 1024 * 1024,
      mapMemoryBytes: 8 * 1024 * 1024,
      targetCpuMs: 900,
      ...world.cost,
    },
  };
}

/** Yields the facts of the world's only target. */
export function buildFacts(
  world: WorldSketch = {},
  events: readonly TraceEvent[] = [],
  options: { readonly thresholds?: RuleThresholds } = {},
): TargetFacts {
  const digest = new EventDigest();
  for (const event of events) digest.add(event);
  const [facts] = toTargetFacts(buildMeasurements(world), digest.summary(), options);
  if (facts === undefined) throw new RangeError("Cannot build facts: the sketch has no target, expected a process");
  return facts;
}

/** Yields the whole report on the world; `hasListing`: with single events and their course over time. */
export function buildReport(
  world: WorldSketch = {},
  events: readonly TraceEvent[] = [],
  options: { readonly hasListing?: boolean; readonly states?: Timeline } = {},
): Report {
  const digest = new EventDigest();
  const log = new EventLog();
  const timeline = new TimelineBuilder();
  for (const event of events) {
    digest.add(event);
    log.add(event);
    if (event.kind === "wait") timeline.addWait(event);
  }
  const measurements = buildMeasurements(world);
  return toReport({
    measurements,
    digest: digest.summary(),
    ...(options.hasListing
      ? {
        listing: {
          ...log.list(),
          slowWaits: timeline.timeline(measurements.window),
          states: options.states,
        },
      }
      : {}),
  }, { targetLabels: new Map([[world.targetId ?? TARGET_ID, "pid 100 (shop)"]]) });
}

/** What differs from a client of `PEER` that did nothing. */
export interface PeerSketch {
  readonly endpoint?: PeerMeasurement["endpoint"];
  readonly processId?: number;
  readonly role?: PeerMeasurement["role"];
  readonly sends?: Partial<PeerMeasurement["sends"]>;
  readonly receives?: Partial<PeerMeasurement["receives"]>;
  readonly connects?: Partial<PeerMeasurement["connects"]>;
  /** One response per entry. */
  readonly responseMs?: readonly number[];
  readonly retransmitCount?: number;
  readonly roundTrip?: PeerMeasurement["roundTrip"];
}

/** Yields what was exchanged with one peer. */
export function buildPeer(sketch: PeerSketch = {}): PeerMeasurement {
  const idle = {
    operationCount: 0,
    byteCount: 0,
    operationBytesMax: 0,
    wouldBlockCount: 0,
    failedCount: 0,
    errors: {},
  };
  return {
    targetId: TARGET_ID,
    processId: sketch.processId ?? 100,
    role: sketch.role ?? "client",
    endpoint: "endpoint" in sketch ? sketch.endpoint : PEER_ENDPOINT,
    sends: { ...idle, ...sketch.sends },
    receives: { ...idle, ...sketch.receives },
    responses: toLatencyFigures(sketch.responseMs ?? []),
    unmeasuredResponseCount: 0,
    connects: {
      attemptCount: 0,
      establishedCount: 0,
      failedCount: 0,
      pendingCount: 0,
      failures: {},
      handshakes: toLatencyFigures([]),
      ...sketch.connects,
    },
    acceptCount: 0,
    closeCount: 0,
    openCount: 1,
    retransmitCount: sketch.retransmitCount ?? 0,
    segmentCount: undefined,
    resetReceivedCount: 0,
    resetSentCount: 0,
    roundTrip: sketch.roundTrip,
  };
}

function toLatencyFigures(durationsMs: readonly number[]): LatencyFigures {
  const buckets = new Array<number>(HISTOGRAM_BUCKET_COUNT).fill(0);
  for (const ms of durationsMs) {
    const index = bucketOf(ms);
    buckets[index] = (buckets[index] ?? 0) + 1;
  }
  return {
    count: durationsMs.length,
    totalMs: durationsMs.reduce((sum, ms) => sum + ms, 0),
    maxMs: Math.max(0, ...durationsMs),
    maxEndWallMs: durationsMs.length > 0 ? BEGIN_WALL_MS + 7_500 : 0,
    buckets,
  };
}

function bucketOf(ms: number): number {
  return Math.min(HISTOGRAM_BUCKET_COUNT - 1, Math.max(0, Math.floor(Math.log2(ms * 1000))));
}

/** Yields the end of one child process. */
export function buildExit(overrides: Partial<ExitEvent> = {}): ExitEvent {
  const processId = overrides.processId ?? 900;
  return {
    kind: "exit",
    targetId: TARGET_ID,
    atMs: BEGIN_MS + 1000,
    processId,
    threadId: processId,
    parentProcessId: 100,
    command: "worker",
    exitCode: 0,
    signal: 0,
    isOomVictim: false,
    processEnded: true,
    ...overrides,
  };
}

/** A peer the target turned to. */
export const PEER_ENDPOINT: SocketEndpoint = { kind: "peer", protocol: "tcp", address: "10.0.0.9", port: 5432 };

/** The same as what a thread waits for. */
export const PEER: WaitObject = PEER_ENDPOINT;

/** A file with its path. */
export const FILE: WaitObject = { kind: "file", id: "8:1:4711", path: "/srv/shop/data.bin" };
