/**
 * How far the report can be trusted, what held the target from outside, and
 * what the look cost.
 *
 * @module
 */

import { HTML_CGROUP_ROWS_MAX } from "../../api/limits.ts";
import { CATEGORIES, type CgroupMeasurement, type PressureMeasurement } from "../../api/measurements.ts";
import { formatBytes, formatCount, formatMs } from "../format.ts";
import { incompleteCategories, type Report } from "../report.ts";
import { describeSink } from "../text_alerting.ts";
import { describeUnnamedFrames, droppedCount } from "../text_books.ts";
import { type Markup, markup } from "./markup.ts";
import { formatNumber, section } from "./parts.ts";
import { plainTable } from "./tables_section.ts";

/** Yields CPU limits and pressure; nothing where no cgroup has a limit and nobody was stalled. */
export function renderLimits({ cgroups, host }: Report): Markup | undefined {
  const telling = cgroups.filter((cgroup) => cgroup.cpuLimit !== undefined || hasPressure(cgroup.pressure));
  if (telling.length === 0 && !hasPressure(host.pressure)) return undefined;
  const rows = telling.slice(0, HTML_CGROUP_ROWS_MAX).map((cgroup) => [cgroup.path, ...limitCells(cgroup)]);
  return section({
    id: "limits",
    title: "Limits and pressure",
    note: "Pressure is the time in the window in which some (all) tasks were stalled for want of it.",
  }, [
    plainTable(
      ["cgroup", "CPU limit", "throttled periods", "throttled", "CPU used", ...PRESSURE_HEADS],
      [...rows, [
        `the machine, ${formatCount(host.cpuCount, "CPU")}`,
        "",
        "",
        "",
        "",
        ...pressureCells(host.pressure),
      ]],
    ),
    telling.length > rows.length &&
    markup`<p class="note">and ${formatCount(telling.length - rows.length, "more cgroup")}</p>`,
  ]);
}

const PRESSURE_HEADS = ["CPU some", "I/O some", "I/O full", "memory some", "memory full"];

function limitCells(cgroup: CgroupMeasurement): readonly string[] {
  const { cpuLimit, periodCount, throttledPeriodCount } = cgroup;
  return [
    cpuLimit === undefined ? "none" : `${cpuLimit.toFixed(2)} CPUs`,
    periodCount === undefined || throttledPeriodCount === undefined ? "" : `${throttledPeriodCount} of ${periodCount}`,
    optionalMs(cgroup.throttledMs),
    optionalMs(cgroup.cpuUsageMs),
    ...pressureCells(cgroup.pressure),
  ];
}

function pressureCells(pressure: PressureMeasurement | undefined): readonly string[] {
  return [
    pressure?.cpuSomeMs,
    pressure?.ioSomeMs,
    pressure?.ioFullMs,
    pressure?.memorySomeMs,
    pressure?.memoryFullMs,
  ].map(optionalMs);
}

function optionalMs(ms: number | undefined): string {
  return ms === undefined ? "" : formatMs(ms);
}

function hasPressure(pressure: PressureMeasurement | undefined): boolean {
  return pressure !== undefined && Object.values(pressure).some((ms) => (ms ?? 0) > 0);
}

/** Yields the verdict per category with its books. */
export function renderCompleteness({ books, stackProfile }: Report): Markup {
  const unnamed = describeUnnamedFrames(stackProfile);
  const incomplete = incompleteCategories(books);
  const verdict = incomplete.length === 0
    ? markup`<p class="verdict is-calm"><b>COMPLETE</b> Nothing was lost, in any category.</p>`
    : markup`<ul class="verdicts">${
      incomplete.map(({ category, completeness }) =>
        markup`<li class="verdict is-warning"><b>${
          completeness.verdict === "partial" ? `PARTIAL ${completeness.percent.toFixed(1)}%` : "BLIND"
        }</b> ${category}: ${completeness.reason}</li>`
      )
    }</ul>`;
  const rows = CATEGORIES.map((category) => {
    const ledger = books.ledger[category];
    const { verdict: word } = books.completeness[category];
    const counts = [ledger.seen, ledger.filtered, ledger.aggregated, ledger.delivered, droppedCount(ledger)];
    return [category, word.toUpperCase(), ...[...counts, ledger.residual].map(formatNumber)];
  });
  return section({ id: "completeness", title: "How complete it is" }, [
    verdict,
    unnamed !== undefined && markup`<p class="note">${unnamed}.</p>`,
    markup`<details><summary>The books: seen = filtered + aggregated + delivered + dropped + residual</summary>${
      plainTable(["category", "verdict", "seen", "filtered", "aggregated", "delivered", "dropped", "residual"], rows)
    }</details>`,
  ]);
}

/** Yields what the look cost, and what became of alerts. */
export function renderCost({ books: { cost }, alerting }: Report): Markup {
  const tiles: readonly (readonly [name: string, value: string])[] = [
    ["our CPU", formatMs(cost.ownCpuMs)],
    ["the target\u2019s CPU", formatMs(cost.targetCpuMs)],
    ["our memory", formatBytes(cost.ownMemoryBytes)],
    ["kernel tables", formatBytes(cost.mapMemoryBytes)],
    ["records read", `${formatNumber(cost.recordCount)} (${formatBytes(cost.recordBytes)})`],
  ];
  const blind = cost.hooks.filter((hook) => hook.provider === undefined && hook.isAskedFor && hook.blindFor !== "");
  return section({ id: "cost", title: "What it cost to look" }, [
    markup`<dl class="tiles">${
      tiles.map(([name, value]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>`)
    }</dl>`,
    blind.map((hook) =>
      markup`<p class="note">Not seen for want of a provider for ${hook.hook}: ${hook.blindFor}.</p>`
    ),
    markup`<details><summary>${formatCount(cost.programs.length, "program")} in the kernel</summary>${
      plainTable(
        ["program", "attached to", "calls", "run time", "per call"],
        cost.programs.map(({ name, provider, callCount, runTimeNs }) => [
          name,
          provider,
          formatNumber(callCount),
          runTimeNs === undefined ? "" : formatMs(runTimeNs / 1e6),
          runTimeNs === undefined || callCount === 0 ? "" : `${(runTimeNs / callCount).toFixed(0)} ns`,
        ]),
      )
    }</details>`,
    cost.runTimeNote !== "" && markup`<p class="note">BPF run time: ${cost.runTimeNote}.</p>`,
    alerting !== undefined &&
    markup`<p class="note">Alerts: ${alerting.sinks.map(describeSink).join("; ")}.</p>`,
  ]);
}
