/**
 * Alerts: what somebody should be told although nobody is looking, and the
 * receipt of what became of them.
 *
 * @module
 */

/** From harmless to grave: those of findings, and what podtrace itself could not survive. */
export const ALERT_SEVERITIES = ["info", "warning", "error", "critical", "fatal"] as const;

/** One of them. */
export type AlertSeverity = (typeof ALERT_SEVERITIES)[number];

/** Yields a negative number when `first` is the milder one, 0 for equals, else a positive one. */
export function compareAlertSeverity(first: AlertSeverity, second: AlertSeverity): number {
  return ALERT_SEVERITIES.indexOf(first) - ALERT_SEVERITIES.indexOf(second);
}

/** One thing to tell; plain data that every sink shapes for itself. */
export interface Alert {
  /** How bad it is. */
  readonly severity: AlertSeverity;
  /** Stable: names the kind of trouble, not its figures. */
  readonly title: string;
  /** One sentence with the figures. */
  readonly message: string;
  /** When it was found, unix time in milliseconds. */
  readonly atWallMs: number;
  /** The part of podtrace that says so: "error_detector", "resource_monitor", "exporter". */
  readonly source: string;
  /** The rule that found it; with `subject` it tells alerts apart. */
  readonly rule: string;
  /** What it is about, without figures: target and peer, path, lock, command. */
  readonly subject: string;
  /** Kubernetes pod; `undefined`: not known. */
  readonly pod: string | undefined;
  /** Of the pod; `undefined`: not known. */
  readonly namespace: string | undefined;
  /** An exit code, signal or errno; `undefined`: there is none. */
  readonly errorCode: string | undefined;
  /** What to do, most useful first. */
  readonly recommendations: readonly string[];
  /** Figures for machines. */
  readonly context: Readonly<Record<string, string | number | boolean>>;
}

/** What became of the alerts of one run. */
export interface AlertingReceipt {
  /** Alerts the run had to tell. */
  readonly offeredCount: number;
  /** Milder than what is asked for. */
  readonly belowSeverityCount: number;
  /** Told within the deduplication window already. */
  readonly duplicateCount: number;
  /** More than the rate limit lets through. */
  readonly rateLimitedCount: number;
  /** One per sink. */
  readonly sinks: readonly SinkReceipt[];
}

/** The kinds of sink. */
export type SinkType = "webhook" | "slack" | "splunk";

/** offered to the sink = delivered + failed + queueFull + abandoned + waiting. */
export interface SinkReceipt {
  /** Which of them. */
  readonly sink: SinkType;
  /** Where it is, without credentials: "hooks.slack.com". */
  readonly host: string;
  /** Alerts the sink took. */
  readonly deliveredCount: number;
  /** Alerts it refused, or could not be given in time. */
  readonly failedCount: number;
  /** Alerts for which its queue had no room. */
  readonly queueFullCount: number;
  /** Alerts not sent because the run was over. */
  readonly abandonedCount: number;
  /** Alerts queued or on their way. */
  readonly waitingCount: number;
  /** Sends that were repeated. */
  readonly retryCount: number;
  /** The last reason an alert was not delivered; `undefined`: none was lost. */
  readonly lastProblem: string | undefined;
}
