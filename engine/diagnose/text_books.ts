/**
 * How far the report can be trusted, and what the look cost, as text.
 *
 * @module
 */

import {
  CATEGORIES,
  type CategoryLedger,
  type Completeness,
  type CostReceipt,
  type FrameProblem,
  type ProgramCost,
} from "../api/measurements.ts";
import { toWallMs } from "./facts.ts";
import { formatBytes, formatCount, formatList, formatMs, formatShare, formatTimeOfDay } from "./format.ts";
import type { Report } from "./report.ts";
import type { StackProfile } from "./stack_profile.ts";
import { alignRight, COLUMNS, fitText, wrapText } from "./text_layout.ts";

const PROGRAMS_MAX = 16;

/** Yields the section's lines. */
export function renderBooks({ books, window, stackProfile }: Report, columns = COLUMNS): readonly string[] {
  const unnamed = describeUnnamedFrames(stackProfile);
  const figureColumns = Math.min(12, Math.floor((columns - 28) / 6));
  return [
    ...wrapText("seen = filtered + aggregated + delivered + dropped + residual", {
      first: "HOW COMPLETE IT IS   ",
      columns,
    }),
    `  ${fitText("category", 13)}${fitText("verdict", 13)}` +
    ["seen", "filtered", "aggregated", "delivered", "dropped", "residual"]
      .map((name) => alignRight(fitText(name, figureColumns - 1).trimEnd(), figureColumns)).join(""),
    ...CATEGORIES.flatMap((category) => [
      renderLedger(category, {
        ledger: books.ledger[category],
        completeness: books.completeness[category],
        figureColumns,
      }),
      ...renderReason(books.completeness[category], { ledger: books.ledger[category], window, columns }),
    ]),
    ...renderForgotten(books),
    ...(unnamed === undefined ? [] : wrapText(unnamed, { first: "  ", columns })),
    "",
    ...renderCost(books.cost, columns),
  ];
}

const FRAME_PROBLEM_NAMES: Readonly<Record<FrameProblem, string>> = {
  processGone: "their process ended before they were looked up, or is not ours to read",
  notMapped: "nothing is mapped there",
  generated: "generated code, and no /tmp/perf-PID.map tells of it",
  unreadable: "the file is gone, replaced, or not ours to read",
  notProgram: "the file is no program of this machine",
  tooLarge: "its tables are too large, or took too long to read",
  stripped: "the file is stripped",
  noFunction: "no function of the file covers the place",
};

/** Reasons told of frames without a name. */
const UNNAMED_SHOWN_MAX = 4;

/** Yields "stack frames: 12.3% have no name: libx.so (the file is stripped) 10.1%, ..."; `undefined`: all have one. */
export function describeUnnamedFrames(profile: StackProfile | undefined): string | undefined {
  if (profile === undefined || profile.unnamed.length === 0) return undefined;
  const { unnamed, frameCount } = profile;
  const shareOf = (count: number) => formatShare(frameCount > 0 ? count / frameCount : 0);
  const parts = unnamed.map(({ module, problem, count }) =>
    `${module ?? "code of no file"} (${problem === undefined ? "not known why" : FRAME_PROBLEM_NAMES[problem]}) ` +
    shareOf(count)
  );
  const total = unnamed.reduce((sum, { count }) => sum + count, 0);
  return `stack frames: ${shareOf(total)} have no name: ${formatList(parts, { itemsMax: UNNAMED_SHOWN_MAX })}`;
}

/** One line, where anything was forgotten. */
function renderForgotten({ forgotten }: Report["books"]): readonly string[] {
  if (forgotten === undefined) return [];
  const parts = [
    [forgotten.names, "name of an object", "names of objects"],
    [forgotten.processes, "process", "processes"],
    [forgotten.stacks, "stack", "stacks"],
    [forgotten.processResources, "process's resources", "processes' resources"],
    [forgotten.oomKills, "OOM kill", "OOM kills"],
  ] as const;
  const told = parts.filter(([count]) => count > 0).map(([count, one, many]) => formatCount(count, one, many));
  return told.length === 0 ? [] : wrapText(`forgotten for lack of room: ${told.join(", ")}`, { first: "  " });
}

function renderLedger(
  category: string,
  given: { ledger: CategoryLedger; completeness: Completeness; figureColumns: number },
): string {
  const { ledger, completeness, figureColumns } = given;
  const verdict = completeness.verdict === "partial"
    ? `PARTIAL ${completeness.percent.toFixed(1)}%`
    : completeness.verdict.toUpperCase();
  const figures = [
    ledger.seen,
    ledger.filtered,
    ledger.aggregated,
    ledger.delivered,
    droppedCount(ledger),
    ledger.residual,
  ];
  return `  ${fitText(category, 13)}${fitText(verdict, 13)}` +
    figures.map((figure) => ` ${alignRight(String(figure), figureColumns - 1)}`).join("");
}

/** Yields the sum over all reasons. */
export function droppedCount(ledger: Pick<CategoryLedger, "dropped">): number {
  return Object.values(ledger.dropped).reduce((sum, count) => sum + count, 0);
}

function renderReason(
  completeness: Completeness,
  { ledger, window, columns }: { ledger: CategoryLedger; window: Report["window"]; columns: number },
): readonly string[] {
  const reasons = Object.entries(ledger.dropped).filter(([, count]) => count > 0)
    .map(([reason, count]) => `${reason} ${count}`);
  const texts = [
    ...(completeness.verdict === "complete" ? [] : [completeness.reason]),
    ...(completeness.verdict !== "partial" && reasons.length > 0 ? [`dropped: ${reasons.join(", ")}`] : []),
    ...(completeness.verdict === "partial" && completeness.span !== undefined
      ? [
        `between ${formatTimeOfDay(toWallMs(window, completeness.span.beginMs))} and ` +
        formatTimeOfDay(toWallMs(window, completeness.span.endMs)),
      ]
      : []),
  ];
  return texts.length === 0 ? [] : wrapText(texts.join("; "), { first: "    ", columns });
}

function renderCost(cost: CostReceipt, columns: number): readonly string[] {
  const blind = cost.hooks.filter((hook) => hook.provider === undefined && hook.isAskedFor);
  const shown = cost.programs.slice(0, PROGRAMS_MAX);
  return [
    "WHAT IT COST TO LOOK",
    ...shown.map((program) => renderProgram(program, columns)),
    ...(cost.programs.length > shown.length ? [`  and ${cost.programs.length - shown.length} more programs`] : []),
    ...(cost.runTimeNote === "" ? [] : wrapText(cost.runTimeNote, { first: "  BPF run time: ", columns })),
    ...wrapText(
      `${formatCount(cost.recordCount, "record")} (${formatBytes(cost.recordBytes)}), our CPU ` +
        `${formatMs(cost.ownCpuMs)}, our memory ${formatBytes(cost.ownMemoryBytes)}, kernel tables ` +
        `${formatBytes(cost.mapMemoryBytes)}; the target's CPU ${formatMs(cost.targetCpuMs)}`,
      { first: "  ", columns },
    ),
    ...blind.flatMap((hook) =>
      wrapText(
        `${hook.hook} has no provider${hook.blindFor === "" ? "" : `, so not seen: ${hook.blindFor}`}` +
          (hook.refused.length > 0 ? ` (${hook.refused.join("; ")})` : ""),
        { first: "  ", columns },
      )
    ),
  ];
}

function renderProgram(program: ProgramCost, columns: number): string {
  const time = program.runTimeNs === undefined
    ? ""
    : `${formatMs(program.runTimeNs / 1e6)}, ${perCallNs(program)} ns each`;
  // What a program is attached to says little more than its name; the time does.
  const provider = columns < COLUMNS ? "" : ` ${fitText(program.provider, 28)}`;
  return `  ${fitText(program.name, 24)}${provider}${alignRight(String(program.callCount), 10)} calls` +
    `  ${fitText(time, 27).trimEnd()}`;
}

function perCallNs(program: ProgramCost): string {
  return program.callCount === 0 ? "0" : ((program.runTimeNs ?? 0) / program.callCount).toFixed(0);
}
