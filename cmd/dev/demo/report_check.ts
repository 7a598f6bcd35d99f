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

/** One finding above info, as the text report has it. */
export interface ReportedFinding {
  /** Id of the rule. */
  readonly rule: string;
  /** Title, evidence, consequences and next step, on one line. */
  readonly text: string;
}

/** The heading that ends the findings: the ledger below it names everything anyway. */
const FINDINGS_END = /^WHERE THE TIME WENT/m;

/** "1. CRITICAL [disk-stall] ...", or in the list of further ones "  warning [slow-peer] ...". */
const FINDING_BEGIN = /^(?: {2}|\d+\. )(?<severity>[A-Za-z]+) \[(?<rule>[a-z-]+)\] (?<text>.*)$/;

/** Yields the findings above info of a text report, each with its wrapped lines joined. */
export function parseFindings(report: string): readonly ReportedFinding[] {
  const findings: { rule: string; text: string; severity: string }[] = [];
  let isWithin = false;
  for (const line of (report.split(FINDINGS_END)[0] ?? "").split("\n")) {
    const begin = FINDING_BEGIN.exec(line)?.groups;
    if (begin !== undefined) {
      const { rule = "", text = "", severity = "" } = begin;
      findings.push({ rule, text, severity });
      isWithin = true;
      continue;
    }
    isWithin &&= line.startsWith("   ");
    const current = findings.at(-1);
    if (isWithin && current !== undefined) current.text += ` ${line.trim()}`;
  }
  return findings.filter(({ severity }) => severity !== "info").map(({ rule, text }) => ({ rule, text }));
}

/** Looks for each planted trouble among the findings above info. */
export function checkReport(report: string, planted: PlantedNames): readonly NamedTrouble[] {
  const findings = parseFindings(report);
  const isSaid = (rules: readonly string[], ...phrases: string[]): boolean =>
    findings.some(({ rule, text }) => rules.includes(rule) && phrases.every((phrase) => hasPhrase(text, phrase)));
  const peer = `127.0.0.1:${planted.upstreamPort}`;
  return [
    { trouble: `slow upstream ${peer}`, isNamed: isSaid(["slow-peer"], peer) },
    { trouble: `fsync of ${planted.logPath}`, isNamed: isSaid(["disk-stall"], "fsync", planted.logPath) },
    {
      trouble: `lock held by ${planted.holderThread}`,
      // The lock is a consequence of the fsync, or a finding of its own.
      isNamed: isSaid(["disk-stall", "lock-contention"], "lock", `held by ${planted.holderThread}`),
    },
  ];
}

/** One line: "slow upstream 127.0.0.1:20001 yes; ... no". */
export function describeCheck(troubles: readonly NamedTrouble[]): string {
  return troubles.map(({ trouble, isNamed }) => `${trouble} ${isNamed ? "yes" : "NO"}`).join("; ");
}

/** As whole words: port 2000 is not named by 127.0.0.1:20001. */
function hasPhrase(text: string, phrase: string): boolean {
  const escaped = phrase.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`(?<![\\w-])${escaped}(?![\\w-])`, "i").test(text);
}
