/**
 * What the process answers to the shell.
 *
 * @module
 */

import { compareSeverity, type Severity } from "../engine/api/severity.ts";

/** Stable: scripts branch on these numbers. */
export const EXIT_CODES = {
  /** The run did what was asked. */
  ok: 0,
  /** It could not: the reason is one line on stderr. */
  error: 1,
  /** The command line was wrong; nothing was attached. */
  usage: 2,
  /** The run went through, but no thread of the target was ever seen. */
  nothingCollected: 3,
  /** `--fail-on` was given and a finding is at least that severe. */
  findings: 4,
} as const;

export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];

/** What of a finished diagnosis decides the exit code. */
export interface DiagnosisOutcome {
  /** Threads of the targets that were seen at all. */
  readonly threadCount: number;
  readonly findingSeverities: readonly Severity[];
}

/** Yields the exit code of a diagnosis whose report was delivered. */
export function exitCodeOf(outcome: DiagnosisOutcome, options: { failOn: Severity | undefined }): ExitCode {
  if (outcome.threadCount === 0) return EXIT_CODES.nothingCollected;
  const { failOn } = options;
  if (failOn === undefined) return EXIT_CODES.ok;
  const isFailed = outcome.findingSeverities.some((severity) => compareSeverity(severity, failOn) >= 0);
  return isFailed ? EXIT_CODES.findings : EXIT_CODES.ok;
}
