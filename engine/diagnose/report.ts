/**
 * The report as plain data: what the renderers print and the exit code follows
 * from.
 *
 * @module
 */

import type { AlertingReceipt } from "../api/alerts.ts";
import type { Books, Category, Completeness, Measurements } from "../api/measurements.ts";
import { CATEGORIES } from "../api/measurements.ts";
import { NOT_ASKED_FOR } from "../api/plane.ts";
import type { TargetId } from "../api/units.ts";
import type { PeerMeasurement } from "../api/socket_measurements.ts";
import type { FilterCategory, UncollectedCategory } from "../api/filter.ts";
import { DEFAULT_THRESHOLDS, type RuleThresholds } from "../api/thresholds.ts";
import { compareSeverity, type Severity } from "../api/severity.ts";
import { type Absences, toAbsences } from "./absences.ts";
import type { DigestSummary } from "./event_digest.ts";
import type { EventList } from "./event_log.ts";
import { type TargetFacts, toTargetFacts } from "./facts.ts";
import { CATEGORY_OF_RULE, type Finding } from "./finding.ts";
import { findingsOf } from "./rules/all_rules.ts";
import { type ReportSections, toSections } from "./sections/all_sections.ts";
import { type StackProfile, toStackProfile } from "./stack_profile.ts";
import { type TimeLedger, toTimeLedger } from "./time_ledger.ts";
import type { Timeline } from "./timeline.ts";

/** Single events, and their course over time. */
export interface ReportListing extends EventList {
  /** What the recorded single waits were for, over time. */
  readonly slowWaits: Timeline;
  /** All of the threads' time, over time; `undefined`: the run was too short for a course. */
  readonly states: Timeline | undefined;
}

/** How the run ended; the measurements do not say. */
export interface RunEnd {
  /** Why the window closed. */
  readonly endReason: "duration" | "targetsEnded" | "commandEnded" | "interrupted";
  /** The command that was started to be traced. */
  readonly command?: {
    readonly argv: readonly string[];
    readonly exitCode: number | undefined; // undefined: a signal ended it
    readonly signal: string | undefined;
    /** The signal by which it was stopped because the window was over. */
    readonly stoppedBy?: string | undefined;
  } | undefined;
}

/** Everything there is to say of one run. */
export interface Report {
  /** What is told; `undefined`: everything. */
  readonly categories?: ReadonlySet<FilterCategory> | undefined;
  /** How it ended. */
  readonly runEnd: RunEnd;
  /** What was looked at, for people: "pid 4711 (shop)". */
  readonly targets: readonly { readonly id: TargetId; readonly label: string }[];
  /** What was looked at. */
  readonly window: Measurements["window"];
  /** Ranked: above info first, then by explained time, then by failures. */
  readonly findings: readonly Finding[];
  /** What was not found, and what cannot be said. */
  readonly absences: Absences;
  /** Where the time went. */
  readonly timeLedger: TimeLedger;
  /** What each category has to tell. */
  readonly sections: ReportSections;
  /** Where in the program; `undefined`: no stack was taken. */
  readonly stackProfile: StackProfile | undefined;
  /** How complete it is, and what it cost. */
  readonly books: Books;
  /** What the events came to. */
  readonly digest: DigestSummary;
  /** Names of processes by id. */
  readonly commands: ReadonlyMap<number, string>;
  /** Single events; `undefined`: nobody asked for them. */
  readonly listing?: ReportListing | undefined;
  /** What sockets exchanged, most waiting for answers first. */
  readonly peers: Measurements["peers"];
  /** Connections, those with most bytes first. */
  readonly connections: Measurements["connections"];
  /** Connections that are not listed. */
  readonly omittedConnectionCount: number;
  /** Listening sockets. */
  readonly listenQueues: Measurements["listenQueues"];
  /** CPU limits and pressure. */
  readonly cgroups: Measurements["cgroups"];
  /** The machine. */
  readonly host: Measurements["host"];
  /** What became of the alerts; `undefined`: none are told. */
  readonly alerting?: AlertingReceipt;
  /** Why there is nothing to report on; `undefined`: there is something. */
  readonly emptyReason: string | undefined;
}

/** What the caller of the engine knows of a run. */
export interface ReportOptions {
  /** How targets are called; one that is not listed goes by its id. */
  readonly targetLabels: ReadonlyMap<TargetId, string>;
  /** What is told; `undefined`: everything. */
  readonly categories?: ReadonlySet<FilterCategory> | undefined;
  /** What was asked for and is not collected. */
  readonly uncollected?: readonly UncollectedCategory[] | undefined;
  /** From when on rules call something slow or failing; default `DEFAULT_THRESHOLDS`. */
  readonly thresholds?: RuleThresholds | undefined;
}

const NO_THREAD_SEEN = "no thread of the target was seen";

/** Yields the report of one finished run. */
export function toReport(
  input: {
    readonly measurements: Measurements;
    readonly digest: DigestSummary;
    readonly runEnd?: RunEnd;
    readonly listing?: ReportListing;
    readonly emptyReason?: string;
  },
  options: ReportOptions,
): Report {
  const { measurements, digest } = input;
  const { categories, thresholds } = options;
  const facts = toTargetFacts(measurements, digest, { thresholds });
  const timeLedger = toTimeLedger(facts, measurements.departed);
  return {
    categories,
    runEnd: input.runEnd ?? { endReason: "duration" },
    targets: labelTargets(facts, options),
    window: measurements.window,
    findings: findingsOf(facts).filter(({ id }) => isTold(categories, CATEGORY_OF_RULE[id])),
    absences: toAbsences(facts, { categories, uncollected: options.uncollected }),
    timeLedger,
    sections: toSections({ measurements, digest, timeLedger, thresholds: thresholds ?? DEFAULT_THRESHOLDS }, {
      categories,
    }),
    stackProfile: toStackProfile(measurements),
    books: measurements.books,
    digest,
    commands: new Map(measurements.processes.map(({ processId, command }) => [processId, command])),
    listing: input.listing,
    peers: rankPeers(measurements.peers),
    connections: measurements.connections,
    omittedConnectionCount: measurements.omittedConnectionCount,
    listenQueues: measurements.listenQueues,
    cgroups: measurements.cgroups,
    host: measurements.host,
    emptyReason: input.emptyReason ?? (measurements.threads.length === 0 ? NO_THREAD_SEEN : undefined),
  };
}

/** By the time spent waiting for answers as a client, then by bytes; the rest by what tells them apart. */
function rankPeers(peers: Measurements["peers"]): Measurements["peers"] {
  const waitedMs = (peer: PeerMeasurement) => peer.role === "client" ? peer.responses.totalMs : 0;
  const bytes = (peer: PeerMeasurement) => peer.sends.byteCount + peer.receives.byteCount;
  return peers.toSorted((first, second) =>
    waitedMs(second) - waitedMs(first) || bytes(second) - bytes(first) || first.processId - second.processId
  );
}

/** Whether what belongs to `category` is told where `categories` were asked about; `undefined`: all were. */
export function isTold(categories: ReadonlySet<FilterCategory> | undefined, category: FilterCategory): boolean {
  return categories?.has(category) ?? true;
}

function labelTargets(facts: readonly TargetFacts[], { targetLabels }: ReportOptions): Report["targets"] {
  const ids = new Set([...targetLabels.keys(), ...facts.map((target) => target.targetId)]);
  return Array.from(ids, (id) => ({ id, label: targetLabels.get(id) ?? id }));
}

/** Whether nobody wanted the category's plane: no fault of the look. */
export function isNotAskedFor(completeness: Completeness): boolean {
  return completeness.verdict === "blind" && completeness.reason === NOT_ASKED_FOR;
}

/** Yields the gravest severity of all findings; `undefined`: there are none. */
export function worstSeverity(report: Pick<Report, "findings">): Severity | undefined {
  return report.findings.reduce<Severity | undefined>(
    (worst, { severity }) => worst === undefined || compareSeverity(severity, worst) > 0 ? severity : worst,
    undefined,
  );
}

/** Yields the categories that did not see everything they were asked for. */
export function incompleteCategories(
  books: Pick<Books, "completeness">,
): readonly { readonly category: Category; readonly completeness: Exclude<Completeness, { verdict: "complete" }> }[] {
  return CATEGORIES.flatMap((category) => {
    const completeness = books.completeness[category];
    if (completeness.verdict === "complete" || isNotAskedFor(completeness)) return [];
    return [{ category, completeness }];
  });
}
