/**
 * What serves each hook on each kernel, and what is seen there: a table of what
 * is known of the kernels (docs/kernels.md), and one of what a run measured (pure).
 *
 * @module
 */

import { CATEGORIES, type Category } from "../../../engine/api/measurements.ts";
import { NOT_ASKED_FOR } from "../../../engine/api/plane.ts";
import { HOOKS } from "../../../engine/backend/hooks.ts";
import type { OutcomeLine } from "./guest_lines.ts";
import { NO_PROVIDER, TRIED_KERNELS, type TriedKernel } from "./kernels.ts";

/** What a column says of one hook, and of one category. */
export interface MatrixColumn {
  readonly name: string;
  readonly providers: ReadonlyMap<string, string>;
  readonly verdicts: ReadonlyMap<Category, string>;
}

/** Nobody asked: not measured, or not to be known. */
const UNKNOWN = "-";

/** Yields a column of what `kernel` is known for. */
export function knownColumn(kernel: TriedKernel): MatrixColumn {
  return {
    name: kernel.name,
    providers: new Map(
      HOOKS.map(({ hook, providers }) => [hook, kernel.providers[hook] ?? providers[0] ?? NO_PROVIDER]),
    ),
    verdicts: new Map(
      CATEGORIES.map((category) => [category, kernel.blindCategories.includes(category) ? "blind" : "complete"]),
    ),
  };
}

/** Yields a column of what the machine said: the doctor of the hooks, the reports of what was seen. */
export function measuredColumn(name: string, lines: readonly OutcomeLine[]): MatrixColumn {
  const doctor = lines.find((line) => line.kind === "doctor");
  const hooks = doctor?.kind === "doctor" ? doctor.report?.hooks ?? [] : [];
  const providers = hooks.map(({ hook, providers }) =>
    [hook, providers.find(({ verdict }) => verdict === "used")?.program ?? NO_PROVIDER] as const
  );
  return { name, providers: new Map(providers), verdicts: worstVerdicts(lines) };
}

/** From best to worst; a category is as good as the worst report that asked for it. */
const VERDICTS: readonly string[] = ["complete", "partial", "blind"];

function worstVerdicts(lines: readonly OutcomeLine[]): ReadonlyMap<Category, string> {
  const worst = new Map<Category, string>();
  for (const line of lines) {
    const { completeness } = line.kind === "scenario" && line.report !== undefined ? line.report : {};
    for (const category of CATEGORIES) {
      const found = completeness?.[category];
      if (found === undefined || (found.verdict === "blind" && found.reason === NOT_ASKED_FOR)) continue;
      const before = worst.get(category) ?? "complete";
      worst.set(category, VERDICTS.indexOf(found.verdict) > VERDICTS.indexOf(before) ? found.verdict : before);
    }
  }
  return worst;
}

/** Yields two Markdown tables, aligned as `deno fmt` aligns them: providers of hooks, verdicts of categories. */
export function renderMatrix(columns: readonly MatrixColumn[]): string {
  const names = columns.map(({ name }) => name);
  const hooks = HOOKS.map(({ hook, plane }) => [
    hook,
    plane,
    ...columns.map(({ providers }) => providers.get(hook) ?? UNKNOWN),
  ]);
  const categories = CATEGORIES.map((category) => [
    category,
    ...columns.map(({ verdicts }) => verdicts.get(category) ?? UNKNOWN),
  ]);
  return [
    ...table([["hook", "plane", ...names], ...hooks]),
    "",
    ...table([["what is seen", ...names], ...categories]),
  ].join("\n");
}

/** Yields the tables of docs/kernels.md. */
export function renderKnownMatrix(): string {
  return renderMatrix(TRIED_KERNELS.filter(({ lockdown }) => lockdown === undefined).map(knownColumn));
}

function table(rows: readonly (readonly string[])[]): readonly string[] {
  const [head = []] = rows;
  const widths = head.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const toLine = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (cells[column] ?? "").padEnd(width)).join(" | ")} |`;
  const [first, ...rest] = rows.map(toLine);
  return [first ?? "", `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...rest];
}
