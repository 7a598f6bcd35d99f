/**
 * Where every thread's time went: one bar each, as long as its life.
 *
 * @module
 */

import { HTML_PROCESS_ROWS_MAX, HTML_THREAD_ROWS_MAX } from "../../api/limits.ts";
import { redactCommandLine } from "../../api/redact.ts";
import { addSums, type TimeSums } from "../facts.ts";
import { formatCount, formatLifetime, formatMs, formatShare } from "../format.ts";
import type { Report } from "../report.ts";
import { describeChecks } from "../text_time_ledger.ts";
import { type Markup, markup } from "./markup.ts";
import { moreButton, section, stateBar } from "./parts.ts";
import { PAGE_STATES, stateAmounts, stateLabel } from "./states.ts";

interface Bar {
  readonly name: string;
  readonly about: string;
  /** Sorts by: most non-idle time first without a choice. */
  readonly sums: TimeSums;
  readonly isSummary?: boolean;
}

/** Yields the section: threads, and processes where there are several. */
export function renderThreads(report: Report): Markup {
  const { processes, departed } = report.timeLedger;
  const threads = threadBars(report);
  const hasProcesses = processes.length > 1;
  const departedText = departed === undefined || departed.threadCount === 0
    ? undefined
    : markup`<p class="note">${formatCount(departed.threadCount, "thread")} ended without a ledger of their own, ${
      formatMs(departed.lifetimeMs)
    } in all: on CPU ${formatMs(departed.onCpuMs)}, blocked ${formatMs(departed.blockedMs)}.</p>`;
  return section({
    id: "threads",
    title: "Where the time went",
    note: "A bar is as long as its thread lived in the window. Switch states off to compare the others.",
  }, [
    renderControls(hasProcesses),
    renderKey(threads),
    renderBars(threads, "bars-threads"),
    hasProcesses && renderBars(processBars(report), "bars-processes"),
    departedText,
    markup`<p class="note">${describeChecks(report.timeLedger)}</p>`,
  ]);
}

function threadBars({ timeLedger: { processes } }: Report): readonly Bar[] {
  const threads = processes.flatMap((process) => process.threads.map((thread) => ({ process, thread })))
    .sort((first, second) =>
      second.thread.sums.nonIdleMs - first.thread.sums.nonIdleMs ||
      first.thread.ledger.threadId - second.thread.ledger.threadId
    );
  const shown = threads.slice(0, HTML_THREAD_ROWS_MAX).map(({ process, thread: { ledger, sums } }) => ({
    name: ledger.command,
    about: `${ledger.threadId}${processes.length > 1 ? ` in ${process.info.command} (${process.info.processId})` : ""}${
      ledger.exited ? ", ended" : ""
    }`,
    sums,
  }));
  return withSummary(shown, threads.slice(HTML_THREAD_ROWS_MAX).map(({ thread }) => thread.sums), "more thread");
}

function processBars({ timeLedger: { processes } }: Report): readonly Bar[] {
  const shown = processes.slice(0, HTML_PROCESS_ROWS_MAX).map(({ info, sums, threads }) => ({
    name: info.command,
    about: [
      String(info.processId),
      formatCount(threads.length, "thread"),
      ...(info.exited ? ["ended"] : []),
      redactCommandLine(info.commandLine).join(" "),
    ].filter((text) => text !== "").join(", "),
    sums,
  }));
  const hidden = processes.slice(HTML_PROCESS_ROWS_MAX).map(({ sums }) => sums);
  return withSummary(shown, hidden, "more process", "more processes");
}

function withSummary(shown: readonly Bar[], hidden: readonly TimeSums[], ...names: [string, string?]): readonly Bar[] {
  if (hidden.length === 0) return shown;
  const name = formatCount(hidden.length, names[0], names[1]);
  return [...shown, { name, about: "together, on a scale of their own", sums: addSums(hidden), isSummary: true }];
}

function renderControls(hasProcesses: boolean): Markup {
  return markup`<div class="controls"><label>Filter <input type="search" id="bars-filter" autocomplete="off" spellcheck="false"></label>
<label>Sort by <select id="bars-sort"><option value="held">held up</option><option value="cpu">on CPU</option><option value="runnable">waiting for a CPU</option><option value="blocked">blocked</option><option value="life">lifetime</option><option value="name">name</option></select></label>
${
    hasProcesses &&
    markup`<label>Show <select id="bars-show"><option value="bars-threads">threads</option><option value="bars-processes">processes</option></select></label>`
  }<output class="count" data-counts="bars-threads bars-processes"></output></div>`;
}

function renderKey(bars: readonly Bar[]): Markup {
  const present = new Set<number>();
  for (const { sums } of bars) stateAmounts(sums).forEach((ms, index) => ms > 0 && present.add(index));
  const keys = PAGE_STATES.filter((_, index) => present.has(index));
  return markup`<div class="keys" role="group" aria-label="States shown">${
    keys.map((state) =>
      markup`<button type="button" class="toggle" aria-pressed="true" data-state="${state}"><i class="swatch s-${state}"></i>${
        stateLabel(state)
      }</button>`
    )
  }</div>`;
}

function renderBars(bars: readonly Bar[], id: string): Markup {
  const wholeMs = bars.reduce((max, { sums, isSummary }) => isSummary ? max : Math.max(max, sums.lifetimeMs), 0);
  return markup`<div><ol class="bars" id="${id}">${bars.map((bar) => renderBar(bar, wholeMs))}</ol>${
    moreButton(id)
  }</div>`;
}

function renderBar({ name, about, sums, isSummary }: Bar, wholeMs: number): Markup {
  const share = (ms: number) => formatShare(sums.lifetimeMs > 0 ? Math.max(0, ms) / sums.lifetimeMs : 0);
  const idleMs = sums.idleMs - sums.byClass.stopped;
  const heldMs = sums.lifetimeMs - sums.onCpuMs - idleMs;
  const keys = [
    ["held", heldMs],
    ["cpu", sums.onCpuMs],
    ["runnable", sums.runnableMs + sums.throttledMs],
    ["blocked", sums.blockedMs - idleMs],
    ["life", sums.lifetimeMs],
  ] as const;
  return markup`<li class="row${isSummary ? " summary" : ""}"${
    keys.map(([key, ms]) => markup` data-${key}="${ms.toFixed(2)}"`)
  }><div class="who"><b>${name}</b> <span>${about}</span></div>${
    stateBar(stateAmounts(sums), isSummary ? sums.lifetimeMs : wholeMs)
  }<dl class="figures"><div><dt>time</dt><dd>${formatLifetime(sums.lifetimeMs)}</dd></div><div><dt>cpu</dt><dd>${
    share(sums.onCpuMs)
  }</dd></div><div><dt>wait</dt><dd>${share(heldMs)}</dd></div><div><dt>idle</dt><dd>${
    share(idleMs)
  }</dd></div></dl></li>`;
}
