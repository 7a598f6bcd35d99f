/**
 * The shape of the JSON report: one zod schema from which the TypeScript type
 * and the published JSON Schema (docs/report.schema.json) are made.
 *
 * @module
 */

import * as z from "zod";
import { CATEGORIES, type Category, FRAME_PROBLEMS } from "../api/measurements.ts";
import { PLANES } from "../api/plane.ts";
import { SEVERITIES } from "../api/severity.ts";
import { RULE_IDS } from "./finding.ts";
import { WAIT_CLASS_ORDER } from "./facts.ts";

/** Grows by one with every change that a reader of the older shape could trip over. */
export const REPORT_SCHEMA_VERSION = 1;

/** Rows of one list in the JSON; what is beyond is counted in the field beside it. */
export const JSON_ROWS_MAX = 1000;

const count = z.int().min(0);
const milliseconds = z.number();
const share = z.number().min(0).max(1);
const wallTime = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/).describe("RFC 3339, UTC, milliseconds");
const waitClass = z.enum(WAIT_CLASS_ORDER as [string, ...string[]]);

const threadName = z.strictObject({ pid: z.int(), tid: z.int(), name: z.string() });

const waitFigures = z.strictObject({
  totalMs: milliseconds,
  count,
  meanMs: milliseconds,
  p99MsMax: milliseconds.optional().describe("Upper bound of the 99th percentile, from a log2 histogram"),
  longestMs: milliseconds,
  longestAt: wallTime.optional().describe("When the longest wait ended"),
  openMs: milliseconds.describe("The part of totalMs that was still going on when the window closed"),
});

const userStacks = z.array(z.strictObject({
  totalMs: milliseconds,
  count,
  frames: z.array(z.string()).describe("Innermost first: name+0x12, module+0x1234 or 0x7f..."),
})).optional().describe("Where in the program the waits were begun, most time first; only with --stacks");

const summary = z.strictObject({
  total_events: count.describe("Waits counted, and forks, execs and exits"),
  events_per_second: z.number().min(0),
  start_time: wallTime,
  end_time: wallTime,
  duration_seconds: z.number().min(0),
});

const percent = z.number().min(0);
const perSecond = z.number().min(0);
const bytes = z.number().min(0);
const countsByName = z.record(z.string(), count);
const topTargets = z.array(z.strictObject({ Target: z.string(), Count: count })).describe("Most first");
const bound = milliseconds.describe("Upper bound of the percentile, from a log2 histogram");

const latency = z.strictObject({
  count,
  avg_ms: milliseconds,
  max_ms: milliseconds,
  p50_ms: bound,
  p95_ms: bound,
  p99_ms: bound,
});

const cgroupScope = z.strictObject({
  distinct: count,
  cgroups: z.array(z.strictObject({
    target: z.string(),
    path: z.string(),
    cpu_limit: z.number().optional().describe("CPUs"),
    cpu_usage_ms: milliseconds.optional().describe("In the window"),
  })),
});

const transfers = {
  send_operations: count,
  receive_operations: count,
  sends_per_second: perSecond,
  receives_per_second: perSecond,
  would_block: count.describe("Operations that found nothing to read or no room to write; no errors"),
  errors: count,
  error_rate: percent,
  error_breakdown: countsByName.describe("By errno"),
  sent_bytes: bytes,
  received_bytes: bytes,
  total_bytes: bytes,
  avg_bytes: bytes.describe("Per operation"),
  peak_bytes: bytes.optional().describe("The largest single operation"),
  bytes_per_second: bytes,
};

const tcp = z.strictObject({
  ...transfers,
  rtt_connections: count.describe("Connections whose round-trip time is known"),
  avg_rtt_ms: milliseconds.optional().describe("Over connections: the kernel's smoothed round-trip time, last seen"),
  max_rtt_ms: milliseconds.optional(),
  p50_ms: milliseconds.optional().describe("Over connections, nearest rank"),
  p95_ms: milliseconds.optional(),
  p99_ms: milliseconds.optional(),
  rtt_spikes: count.describe("Connections whose smoothed round-trip time was ever above rtt_threshold_ms"),
  rtt_threshold_ms: milliseconds,
  retransmits: count,
  segments: count.optional(),
  retransmit_rate: percent.optional().describe("Of segments"),
  responses: latency.optional().describe("Of peers: first send to first receive"),
  served: latency.optional().describe("Our own: first receive to first send"),
  unmeasured_responses: count.describe("Exchanges in which requests overlapped"),
});

const udp = z.strictObject({ ...transfers, responses: latency.optional() });

const connections = z.strictObject({
  total_connections: count.describe("Attempts"),
  rate_per_second: perSecond,
  avg_latency_ms: milliseconds.optional().describe("Of the handshake, of connections that were established"),
  max_latency_ms: milliseconds.optional(),
  p50_ms: bound.optional(),
  p95_ms: bound.optional(),
  p99_ms: bound.optional(),
  established: count,
  failed: count,
  pending: count.describe("Not decided when the window closed"),
  failure_rate: percent,
  error_breakdown: countsByName.describe("By errno"),
  top_targets: topTargets,
  accepted: count,
  closed: count,
  resets_received: count,
  resets_sent: count,
  open_at_end: count,
});

const filesystem = z.strictObject({
  write_operations: count.optional().describe("This and the next ones: only while file operations are looked at"),
  read_operations: count.optional(),
  fsync_operations: count.optional(),
  operations_per_second: perSecond.optional(),
  avg_latency_ms: milliseconds.optional(),
  max_latency_ms: milliseconds.optional(),
  p50_ms: bound.optional(),
  p95_ms: bound.optional(),
  p99_ms: bound.optional(),
  slow_operations: count.optional().describe("A lower bound: at least so many took longer than slow_threshold_ms"),
  slow_threshold_ms: milliseconds.optional(),
  errors: count.optional(),
  total_bytes: bytes.optional(),
  avg_bytes: bytes.optional(),
  top_files: topTargets.optional(),
  disk_waits: z.strictObject({
    reads: count,
    writes: count,
    total_ms: milliseconds,
    avg_ms: milliseconds,
    max_ms: milliseconds,
    p50_ms: bound,
    p95_ms: bound,
    p99_ms: bound,
    files: z.array(z.strictObject({ path: z.string(), total_ms: milliseconds })),
  }).optional().describe("Operations that had to wait for a disk"),
});

const cpu = z.strictObject({
  thread_switches: count.describe("Times a thread went to sleep"),
  switches_per_second: perSecond,
  avg_block_time_ms: milliseconds.describe("Over all waits, idle ones included"),
  max_block_time_ms: milliseconds,
  p50_ms: bound,
  p95_ms: bound,
  p99_ms: bound,
  non_idle: latency.optional().describe("The same without waits that are absence of work"),
});

const memory = z.strictObject({
  minor_faults: count,
  major_faults: count,
  faults_per_second: perSecond,
  resident_bytes_begin: bytes.optional(),
  resident_bytes_end: bytes.optional(),
  oom_kills: z.array(
    z.strictObject({ at: wallTime, pid: z.int(), name: z.string(), resident_bytes: bytes.optional() }),
  ),
});

const resourceLimits = z.array(z.strictObject({
  resource: z.enum(["cpu", "memory", "io", "tasks", "descriptors"]),
  subject: z.string().describe("The cgroup that sets the limit, or the process"),
  use: z.string().optional().describe("What is limited of it, such as writes of device 8:0"),
  unit: z.enum(["CPUs", "bytes", "bytes/s", "operations/s", "count"]),
  usage: z.number().min(0),
  limit: z.number().min(0),
  utilization_percent: percent,
  status: z.enum(["OK", "WARNING", "CRITICAL", "EMERGENCY"]).describe("From 80, 90 and 95 %"),
})).describe("The fullest first");

const processResources = z.strictObject({
  processes: z.array(z.strictObject({
    target: z.string(),
    pid: z.int(),
    name: z.string(),
    descriptors_begin: count.optional(),
    descriptors_end: count.optional(),
    descriptor_limit: z.number().min(0).optional(),
    threads_begin: count.optional(),
    threads_end: count.optional(),
    threads_started: count.describe("In the window"),
    minor_faults: count,
    major_faults: count,
    resident_bytes_begin: bytes.optional(),
    resident_bytes_end: bytes.optional(),
  })).describe("Most resident memory first; begin is missing before a process's birth, end after its end"),
  omitted: count,
});

/** Figures that are left out where nobody could tell. */
function knownFigures<Name extends string>(...names: readonly Name[]) {
  const figure = z.number().min(0).optional();
  return z.strictObject(Object.fromEntries(names.map((name) => [name, figure])) as Record<Name, typeof figure>);
}

const cgroupResources = z.strictObject({
  cgroups: z.array(z.strictObject({
    target: z.string(),
    path: z.string(),
    cpu: knownFigures("limit_cpus", "usage_ms", "periods", "throttled_periods", "throttled_ms").optional(),
    memory: z.strictObject({
      ...knownFigures("limit_bytes", "high_bytes", "usage_bytes", "peak_bytes", "anonymous_bytes", "swap_bytes").shape,
      ...knownFigures("high_events", "max_events", "oom_events", "oom_kills").shape,
    }).optional().describe("limit: from here to the root; usage: with page cache; peak: ever; events: in the window"),
    io: z.strictObject({
      devices: z.array(z.strictObject({
        device: z.string().describe("major:minor"),
        read_bytes: bytes,
        write_bytes: bytes,
        read_operations: count,
        write_operations: count,
      })).describe("In the window"),
      limits: z.array(z.strictObject({
        device: z.string(),
        ...knownFigures("read_bytes_per_second", "write_bytes_per_second").shape,
        ...knownFigures("read_operations_per_second", "write_operations_per_second").shape,
      })),
    }).optional(),
    pressure: knownFigures("cpu_some_ms", "io_some_ms", "io_full_ms", "memory_some_ms", "memory_full_ms").optional()
      .describe("Time in the window in which some (all) tasks stood still for want of it"),
  })),
  omitted: count,
});

const cpuByProcess = z.strictObject({
  total_percent: percent.describe("Of one CPU"),
  machine_percent: percent.describe("Of all CPUs"),
  cpu_count: count,
  processes: z.array(z.strictObject({
    pid: z.int(),
    name: z.string(),
    cpu_ms: milliseconds.describe("In the window"),
    percent: percent.describe("Of one CPU"),
  })),
});

const processSyscalls = z.strictObject({
  execs: count,
  forks: count.describe("New threads included"),
  exits: count.describe("Of threads"),
  execs_per_second: perSecond,
  forks_per_second: perSecond,
  opens: count.optional().describe("This and the next ones: only while file operations are looked at"),
  closes: count.optional(),
  opens_per_second: perSecond.optional(),
  top_opened: topTargets.optional(),
  descriptor_growth: z.int().optional().describe("Of the processes that were there all the while"),
});

const timeline = z.array(z.strictObject({ from: wallTime, to: wallTime, events: count, percentage: percent }))
  .describe("Single events: slow waits, failures, processes; five equal stretches of the window");

const bursts = z.array(
  z.strictObject({ at: wallTime, length_ms: milliseconds, events: count, times_average: z.number() }),
)
  .describe("Stretches of a second, longer in long runs, with more than twice the average of single events");

const connectionPatterns = z.strictObject({
  pattern: z.enum(["bursty", "steady", "sporadic"]),
  window_ms: milliseconds,
  average_rate_per_second: perSecond,
  peak_rate_per_second: perSecond,
  unique_targets: count,
  connections: count,
  not_counted: count.describe("Connections that found no room in the list"),
});

const networkPattern = z.strictObject({
  send_receive_ratio: z.number().optional().describe("Operations; missing when nothing was received"),
  operations_per_second: perSecond,
});

/** One text for both places. */
const OPEN_AT_END = "Open at the end; missing for UDP and unix sockets, of which nobody tells the end";

const peers = z.array(z.strictObject({
  pid: z.int(),
  name: z.string(),
  role: z.enum(["client", "server"]),
  target: z.string(),
  send_operations: count,
  receive_operations: count,
  sent_bytes: bytes,
  received_bytes: bytes,
  connects: count,
  failed_connects: count,
  accepts: count,
  open: count.optional().describe(OPEN_AT_END),
  errors: count,
  retransmits: count,
  resets: count,
  handshake: latency.optional(),
  responses: latency.optional(),
  smoothed_rtt_ms: milliseconds.optional(),
}));

const errorCorrelation = z.strictObject({
  total_errors: count,
  chains: z.array(z.strictObject({
    severity: z.enum(["low", "medium", "high", "critical"]),
    subject: z.string(),
    root_operation: z.string(),
    root_error: z.string(),
    errors: count,
    breakdown: countsByName,
    first_at: wallTime.optional(),
    last_at: wallTime.optional(),
    suggestions: z.array(z.string()),
  })).describe("Two or more errors with one peer, file or command; most first"),
});

const processActivity = z.strictObject({
  pid: z.int(),
  name: z.string(),
  event_count: count,
  percentage: z.number().min(0).max(100),
});

const evidence = z.strictObject({
  object: z.string().optional(),
  systemCalls: z.array(z.string()).optional(),
  waits: waitFigures.optional(),
  threads: z.array(threadName.extend({ totalMs: milliseconds, count })).optional(),
  threadCount: count.optional(),
  holder: threadName.extend({ activity: z.string(), share }).optional(),
  waker: threadName.optional(),
  cpu: z.strictObject({
    onCpuMs: milliseconds,
    runnableMs: milliseconds,
    throttledMs: milliseconds,
    cpuCount: count,
    cpuLimit: z.number().optional(),
    periodCount: count.optional(),
    throttledPeriodCount: count.optional(),
    cgroupThrottledMs: milliseconds.optional(),
    cpuPressureMs: milliseconds.optional(),
  }).optional(),
  failures: z.strictObject({
    failedCount: count,
    attemptCount: count,
    exitCodes: z.record(z.string(), count),
    signals: z.record(z.string(), count),
    firstAt: wallTime,
    lastAt: wallTime,
    parent: z.strictObject({ pid: z.int(), name: z.string() }),
  }).optional(),
  slowWaits: z.strictObject({ count, firstAt: wallTime, lastAt: wallTime }).optional(),
  userStacks,
  notes: z.array(z.string()).optional(),
});

const finding = z.strictObject({
  id: z.enum(RULE_IDS),
  severity: z.enum(SEVERITIES),
  target: z.string(),
  title: z.string(),
  evidence,
  consequences: z.array(z.string()),
  nextStep: z.string(),
  explainedMs: milliseconds,
  share: share.describe("Of the target's non-idle time"),
});

const timeSums = z.strictObject({
  lifetimeMs: milliseconds,
  onCpuMs: milliseconds,
  runnableMs: milliseconds.describe("Waiting for a CPU, throttled time not included"),
  throttledMs: milliseconds,
  blockedMs: milliseconds,
  blockedByClass: z.partialRecord(waitClass, milliseconds).describe("Only classes that occurred"),
  unattributedMs: milliseconds.describe("Blocked time that no wait row accounts for"),
  residualMs: milliseconds,
  idleMs: milliseconds.describe("Idle, sleep, parked and stopped waits"),
  delegatedMs: milliseconds.describe("Waits for other traced threads, and for input that was never due"),
  nonIdleMs: milliseconds.describe("What shares are taken of: lifetime without idle and delegated waits"),
});

const timeLedger = z.strictObject({
  windowMs: milliseconds,
  total: timeSums,
  unnamedShare: share,
  checks: z.array(z.strictObject({
    name: z.enum(["sum", "waits", "onCpu", "runDelay"]),
    oursMs: milliseconds,
    expectedMs: milliseconds,
    difference: z.number().min(0),
    differenceMax: z.number().min(0),
    differenceMsMax: milliseconds.describe("A difference of so much is none, whatever its share"),
    verdict: z.enum(["ok", "off", "unknown"]),
  })),
  processes: z.array(z.strictObject({
    pid: z.int(),
    parentPid: z.int().describe("0: unknown"),
    name: z.string(),
    commandLine: z.array(z.string()).describe("What looks like a secret is ***"),
    exited: z.boolean(),
    sums: timeSums,
    threads: z.array(z.strictObject({ tid: z.int(), name: z.string(), exited: z.boolean(), sums: timeSums })),
    omittedThreads: count,
  })),
  omittedProcesses: count,
  departed: z.strictObject({
    threadCount: count,
    lifetimeMs: milliseconds,
    onCpuMs: milliseconds,
    runnableMs: milliseconds,
    throttledMs: milliseconds,
    blockedMs: milliseconds,
    residualMs: milliseconds,
  }).optional().describe("Ended threads that could not be told apart any more; in no other figure"),
  waits: z.array(z.strictObject({
    pid: z.int(),
    name: z.string(),
    class: waitClass,
    systemCall: z.string().optional(),
    object: z.string(),
    threadCount: count,
    figures: waitFigures,
    waker: threadName.optional(),
    userStacks,
  })),
  omittedWaits: count,
});

const latencyFigures = z.strictObject({
  count,
  totalMs: milliseconds,
  meanMs: milliseconds,
  p99MsMax: milliseconds.optional().describe("Upper bound of the 99th percentile, from a log2 histogram"),
  longestMs: milliseconds,
  longestAt: wallTime.optional(),
});

const errorCounts = z.record(z.string(), count).describe("By errno name");

const transferFigures = z.strictObject({
  operations: count,
  bytes: count,
  wouldBlock: count.describe("Calls that found nothing to read, or no room to write"),
  failed: count,
  errors: errorCounts,
});

const roundTrip = z.strictObject({ lastMs: milliseconds, minMs: milliseconds, maxMs: milliseconds })
  .describe("The kernel's smoothed round-trip time");

const socketRole = z.enum(["client", "server"]);

const socketAddress = z.strictObject({ address: z.string(), port: z.int().min(0).max(65535) });

const sockets = z.strictObject({
  peers: z.array(z.strictObject({
    pid: z.int().describe("0: sockets that found no room in the kernel's table"),
    role: socketRole,
    endpoint: z.string().optional(),
    sends: transferFigures,
    receives: transferFigures,
    responses: latencyFigures.describe(
      "As a client: first send to first receive. As a server: first receive to first send",
    ),
    unmeasuredResponses: count.describe("Exchanges in which requests overlapped; in no figure of responses"),
    connects: z.strictObject({
      attempts: count,
      established: count,
      failed: count,
      pending: count,
      failures: errorCounts,
      handshakes: latencyFigures,
    }),
    accepts: count,
    closes: count,
    open: count.optional().describe(OPEN_AT_END),
    retransmits: count,
    segments: count.optional().describe("Segments with payload, retransmits included"),
    resetsReceived: count,
    resetsSent: count,
    roundTrip: roundTrip.optional(),
  })).describe("Most bytes first"),
  omittedPeers: count,
  connections: z.array(z.strictObject({
    pid: z.int(),
    role: socketRole,
    endpoint: z.string(),
    local: socketAddress.optional(),
    remote: socketAddress.optional(),
    openedAt: wallTime.optional().describe("Missing: before the window"),
    closedAt: wallTime.optional().describe("Missing: open when the window closed"),
    sent: z.strictObject({ operations: count, bytes: count }),
    received: z.strictObject({ operations: count, bytes: count }),
    responses: z.strictObject({ count, totalMs: milliseconds, longestMs: milliseconds }),
    retransmits: count,
    roundTrip: roundTrip.optional(),
  })).describe("Most bytes first"),
  omittedConnections: count,
  listenQueues: z.array(z.strictObject({
    pid: z.int(),
    endpoint: z.string(),
    address: z.string().optional(),
    backlogMax: count,
    queued: count.describe("When the window closed"),
    dropped: count.optional().describe("Connection attempts dropped in the window"),
  })),
});
const stacks = z.strictObject({
  samplesPerSecond: count.describe('How often each CPU was looked at for the part "computing"'),
  parts: z.array(z.strictObject({
    part: z.union([z.literal("computing"), waitClass]),
    totalMs: milliseconds.describe('With and without a stack; of "computing" an estimate'),
    count: count.describe("Waits, or samples"),
    withoutStackMs: milliseconds,
    stacks: z.array(z.strictObject({
      totalMs: milliseconds,
      count,
      share: share.describe("Of the part's totalMs"),
      frames: z.array(z.strictObject({
        text: z.string().describe("A function, or module[buildid:...]+0x1234, module+0x1234, 0x7f..."),
        module: z.string().optional().describe("The file its code is in"),
        buildId: z.string().optional(),
        isResolved: z.boolean().describe("text is a function's name"),
      })).describe("Innermost first"),
    })),
    omittedStackCount: count,
  })).describe("Parts of which any stack was taken"),
  foldedOnCpu: z.array(z.string()).describe("For flame graphs: process;outermost;...;innermost, a blank, samples"),
  foldedOffCpu: z.array(z.string()).describe("As foldedOnCpu, with [class] innermost, and microseconds"),
  frameCount: count.describe("Frames of all stacks, one per wait or sample"),
  unnamed: z.array(z.strictObject({ module: z.string().optional(), problem: z.enum(FRAME_PROBLEMS).optional(), count }))
    .describe("Frames without a function's name, by file and by why; most first"),
}).optional().describe("Where in the program; only with --stacks");

const completeness = z.union([
  z.strictObject({ verdict: z.literal("complete") }),
  z.strictObject({
    verdict: z.literal("partial"),
    percent: z.number().min(0).max(100),
    reason: z.string(),
    lostFrom: wallTime.optional().describe("Losses fell between here and lostTo; absent when that is not known"),
    lostTo: wallTime.optional(),
  }),
  z.strictObject({ verdict: z.literal("blind"), reason: z.string() }),
]);

const ledgerFigures = {
  seen: count,
  filtered: count,
  aggregated: count,
  delivered: count,
  dropped: count,
  droppedByReason: z.record(z.string(), count),
  residual: z.int().describe("seen - filtered - aggregated - delivered - dropped"),
};

const cost = z.strictObject({
  programs: z.array(z.strictObject({
    name: z.string(),
    provider: z.string(),
    calls: count,
    runTimeNs: z.number().min(0).optional(),
  })),
  runTimeNote: z.string(),
  hooks: z.array(z.strictObject({
    hook: z.string(),
    provider: z.string().optional(),
    refused: z.array(z.string()),
    blindFor: z.string(),
    plane: z.enum(PLANES),
    isAskedFor: z.boolean(),
    attachedMs: milliseconds.optional().describe("Only of hooks that come and go with their plane"),
  })),
  records: count,
  recordBytes: count,
  ownCpuMs: milliseconds,
  ownMemoryBytes: count,
  mapMemoryBytes: count,
  targetCpuMs: milliseconds,
});

const alerting = z.strictObject({
  offered: count.describe("Findings there were"),
  belowSeverity: count.describe("Milder than PODTRACE_ALERT_MIN_SEVERITY"),
  duplicates: count.describe("Told within PODTRACE_ALERT_DEDUP_WINDOW already"),
  rateLimited: count.describe("More than PODTRACE_ALERT_RATE_LIMIT a minute"),
  sinks: z.array(z.strictObject({
    sink: z.enum(["webhook", "slack", "splunk"]),
    host: z.string(),
    delivered: count,
    failed: count,
    queueFull: count,
    abandoned: count.describe("Not sent, or without an answer, when the run was over"),
    retries: count,
    lastProblem: z.string().optional(),
  })).describe("What is not told is in none of them; the rest is in each, once"),
});

/** One entry for every category, none left out. */
function perCategory<Schema extends z.ZodType>(schema: Schema) {
  return z.strictObject(
    Object.fromEntries(CATEGORIES.map((category) => [category, schema])) as Record<Category, Schema>,
  );
}

/** The report of `podtrace diagnose -o json`. */
export const reportSchema = z.strictObject({
  schemaVersion: z.literal(REPORT_SCHEMA_VERSION),
  summary,
  cgroup_scope: cgroupScope.optional(),
  tcp: tcp.optional(),
  connections: connections.optional(),
  filesystem: filesystem.optional(),
  udp: udp.optional(),
  cpu: cpu.optional(),
  memory: memory.optional(),
  resource_limits: resourceLimits.optional(),
  cgroup_resources: cgroupResources.optional(),
  process_resources: processResources.optional(),
  cpu_by_process: cpuByProcess.optional(),
  process_syscalls: processSyscalls.optional(),
  process_activity: z.array(processActivity).optional(),
  timeline: timeline.optional(),
  bursts: bursts.optional(),
  connection_patterns: connectionPatterns.optional(),
  network_pattern: networkPattern.optional(),
  peers: peers.optional(),
  error_correlation: errorCorrelation.optional(),
  potential_issues: z.array(z.string()).optional().describe("Titles of the findings above info"),
  emptyReason: z.string().optional().describe("Why nothing was collected; missing when something was"),
  endReason: z.enum(["duration", "targetsEnded", "commandEnded", "interrupted"]).describe("Why the window closed"),
  command: z.strictObject({
    argv: z.array(z.string()).describe("What looks like a secret is ***"),
    exitCode: z.int().optional().describe("Missing when a signal ended it"),
    signal: z.string().optional(),
    stoppedBy: z.string().optional().describe("The signal we sent because the window was over"),
  }).optional().describe("The command that was started to be traced"),
  targets: z.array(z.strictObject({ id: z.string(), label: z.string() })),
  findings: z.array(finding),
  absences: z.strictObject({
    absent: z.array(z.string()),
    withheld: z.array(z.strictObject({ statement: z.string(), reason: z.string() })),
  }),
  timeLedger,
  sockets,
  stacks,
  completeness: perCategory(completeness),
  forgotten: z.strictObject({
    names: count,
    processes: count,
    stacks: count,
    processResources: count,
    oomKills: count,
  }).optional()
    .describe("What was known and had to go for lack of room"),
  ledger: z.strictObject({
    ...ledgerFigures,
    categories: perCategory(z.strictObject(ledgerFigures)),
  }),
  cost,
  alerting: alerting.optional().describe("What became of the alerts; only where alerts are told"),
}).meta({ title: "podtrace report", description: "What `podtrace diagnose -o json` prints" });

/** What `reportSchema` accepts. */
export type JsonReport = z.infer<typeof reportSchema>;

/** Yields the JSON Schema (draft 2020-12) that docs/report.schema.json publishes. */
export function reportJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(reportSchema, { target: "draft-2020-12" }) };
}
