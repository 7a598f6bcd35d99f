/**
 * Whether a report names the troubles that were planted.
 *
 * @module
 */

export interface PlantedNames {
  readonly upstreamPort: number;
  /** Path of the log, or the end of it. */
  readonly logPath: string;
  readonly holderThread: string;
}

export interface NamedTrouble {
  readonly trouble: string;
  readonly isNamed: boolean;
}

/** The heading that ends the findings in a text report. */
const FINDINGS_END = /^where the time (went|goes)/im;

/** Looks for each planted trouble among the findings; the ledger below them names everything anyway. */
export function checkReport(report: string, planted: PlantedNames): readonly NamedTrouble[] {
  const findings = report.split(FINDINGS_END)[0] ?? "";
  const isSaid = (...words: string[]): boolean => {
    return findings.split("\n").some((line) => words.every((word) => hasWord(line, word)));
  };
  const peer = `127.0.0.1:${planted.upstreamPort}`;
  return [
    { trouble: `slow upstream ${peer}`, isNamed: isSaid(peer) },
    { trouble: `fsync of ${planted.logPath}`, isNamed: isSaid("fsync", planted.logPath) },
    { trouble: `lock held by ${planted.holderThread}`, isNamed: isSaid("lock", planted.holderThread) },
  ];
}

/** One line: "slow upstream 127.0.0.1:20001 yes; ... no". */
export function describeCheck(troubles: readonly NamedTrouble[]): string {
  return troubles.map(({ trouble, isNamed }) => `${trouble} ${isNamed ? "yes" : "NO"}`).join("; ");
}

/** As a whole word: port 2000 is not named by 127.0.0.1:20001. */
function hasWord(line: string, word: string): boolean {
  const escaped = word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`(?<![\\w-])${escaped}(?![\\w-])`, "i").test(line);
}
