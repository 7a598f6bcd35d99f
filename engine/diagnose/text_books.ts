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
  type ProgramCost,
} from "../api/measurements.ts";
import { toWallMs } from "./facts.ts";
import { formatBytes, formatCount, formatMs, formatTimeOfDay } from "./format.ts";
import type { Report } from "./report.ts";
import { alignRight, COLUMNS, fitText, wrapText } from "./text_layout.ts";

const PROGRAMS_MAX = 16;

/** Yields the section's lines. */
export function renderBooks({ books, window }: Report): readonly string[] {
  return [
    "HOW COMPLETE IT IS   seen = filtered + aggregated + delivered + dropped + residual",
    `  ${fitText("category", 13)}${fitText("verdict", 13)}` +
    ["seen", "filtered", "aggregated", "delivered", "dropped", "residual"].map((name) => alignRight(name, 12)).join(""),
    ...CATEGORIES.flatMap((category) => [
      renderLedger(category, { ledger: books.ledger[category], completeness: books.completeness[category] }),
      ...renderReason(books.completeness[category], { ledger: books.ledger[category], window }),
    ]),
    "",
    ...renderCost(books.cost),
  ];
}

function renderLedger(
  category: string,
  { ledger, completeness }: { ledger: CategoryLedger; completeness: Completeness },
): string {
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
    figures.map((figure) => alignRight(String(figure), 12)).join("");
}

/** Yields the sum over all reasons. */
export function droppedCount(ledger: Pick<CategoryLedger, "dropped">): number {
  return Object.values(ledger.dropped).reduce((sum, count) => sum + count, 0);
}

function renderReason(
  completeness: Completeness,
  { ledger, window }: { ledger: CategoryLedger; window: Report["window"] },
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
  return texts.length === 0 ? [] : wrapText(texts.join("; "), { first: "    " });
}

function renderCost(cost: CostReceipt): readonly string[] {
  const blind = cost.hooks.filter((hook) => hook.provider === undefined && hook.isAskedFor);
  const shown = cost.programs.slice(0, PROGRAMS_MAX);
  return [
    "WHAT IT COST TO LOOK",
    ...shown.map(renderProgram),
    ...(cost.programs.length > shown.length ? [`  and ${cost.programs.length - shown.length} more programs`] : []),
    ...(cost.runTimeNote === "" ? [] : wrapText(cost.runTimeNote, { first: "  BPF run time: " })),
    ...wrapText(
      `${formatCount(cost.recordCount, "record")} (${formatBytes(cost.recordBytes)}), our CPU ` +
        `${formatMs(cost.ownCpuMs)}, our memory ${formatBytes(cost.ownMemoryBytes)}, kernel tables ` +
        `${formatBytes(cost.mapMemoryBytes)}; the target's CPU ${formatMs(cost.targetCpuMs)}`,
      { first: "  " },
    ),
    ...blind.flatMap((hook) =>
      wrapText(
        `${hook.hook} has no provider${hook.blindFor === "" ? "" : `, so not seen: ${hook.blindFor}`}` +
          (hook.refused.length > 0 ? ` (${hook.refused.join("; ")})` : ""),
        { first: "  " },
      )
    ),
  ];
}

function renderProgram(program: ProgramCost): string {
  const time = program.runTimeNs === undefined
    ? ""
    : `${formatMs(program.runTimeNs / 1e6)}, ${perCallNs(program)} ns each`;
  return `  ${fitText(program.name, 24)} ${fitText(program.provider, 28)}${
    alignRight(String(program.callCount), 10)
  } calls` +
    `  ${fitText(time, COLUMNS - 73).trimEnd()}`;
}

function perCallNs(program: ProgramCost): string {
  return program.callCount === 0 ? "0" : ((program.runTimeNs ?? 0) / program.callCount).toFixed(0);
}
