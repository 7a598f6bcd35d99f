/**
 * Colours for the finished text of a report. Nothing is added but colour, so
 * what is copied from a terminal is the plain report.
 *
 * @module
 */

const RESET = "\x1b[0m";
const BOLD = "\x1b[1m";
const DIM = "\x1b[2m";

/** Black letters on a ground of their own, so that the legend holds where colours do not. */
const STATE_GROUNDS: Readonly<Record<string, string>> = {
  "#": "\x1b[30;42m",
  r: "\x1b[30;43m",
  t: "\x1b[30;103m",
  N: "\x1b[30;104m",
  R: "\x1b[30;105m",
  W: "\x1b[30;45m",
  L: "\x1b[30;101m",
  P: "\x1b[30;106m",
  C: "\x1b[30;46m",
  F: "\x1b[30;95;40m",
  O: "\x1b[30;47m",
  S: "\x1b[97;100m",
};

const SEVERITY_COLOURS: Readonly<Record<string, string>> = {
  CRITICAL: "\x1b[1;91m",
  ERROR: "\x1b[1;31m",
  WARNING: "\x1b[1;33m",
};

const VERDICT_COLOURS: Readonly<Record<string, string>> = {
  COMPLETE: "\x1b[32m",
  PARTIAL: "\x1b[1;33m",
  BLIND: "\x1b[1;33m",
};

/** A row of the time ledger: label, bar, figures. */
const BAR_ROW = /^( {2}.{24} \[)([#rtNRWLPCFOS?.]+)(\] .*)$/u;

/** Yields `text`, a report as `renderTextReport` lays it out, with colours. */
export function colourText(text: string): string {
  return text.split("\n").map(colourLine).join("\n");
}

function colourLine(line: string): string {
  const bar = BAR_ROW.exec(line);
  if (bar !== null) return `${bar[1]}${colourBar(bar[2] ?? "")}${bar[3]}`;
  return line
    .replace(
      /^(\d+\. )(CRITICAL|ERROR|WARNING)( \[[a-z-]+\])/,
      (_all, rank: string, severity: string, rule: string) =>
        `${rank}${SEVERITY_COLOURS[severity]}${severity}${RESET}${BOLD}${rule}${RESET}`,
    )
    .replace(
      /^(\d+ findings? above info, the worst )([A-Z]+)/,
      (_all, before: string, severity: string) =>
        `${BOLD}${before}${RESET}${SEVERITY_COLOURS[severity] ?? BOLD}${severity}${RESET}`,
    )
    .replace(/^Nothing above info was found\./, (answer) => `\x1b[1;32m${answer}${RESET}`)
    .replace(/^ {3}(evidence|so) {2,}/, (label) => `${DIM}${label}${RESET}`)
    .replace(/^ {3}next {2,}/, (label) => `\x1b[1;32m${label}${RESET}`)
    .replace(
      /^(WHERE THE TIME WENT|WAITS|HOTTEST STACKS|HOW COMPLETE IT IS|WHAT IT COST TO LOOK|ALERTS)\b/,
      `${BOLD}$1${RESET}`,
    )
    .replace(/^[A-Z][A-Za-z/& -]+:$/, (title) => `${BOLD}${title}${RESET}`)
    .replace(
      /^( {2}[A-Za-z]+ +)(COMPLETE|PARTIAL|BLIND)\b/,
      (_all, before: string, verdict: string) => `${before}${VERDICT_COLOURS[verdict]}${verdict}${RESET}`,
    );
}

function colourBar(bar: string): string {
  return bar.replace(/#+|r+|t+|N+|R+|W+|L+|P+|C+|F+|O+|S+|\?+|\.+/g, (run) => {
    const ground = STATE_GROUNDS[run[0] ?? ""];
    return ground === undefined ? `${DIM}${run}${RESET}` : `${ground}${run}${RESET}`;
  });
}
