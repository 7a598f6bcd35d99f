/**
 * Small pieces that several sections of the page share.
 *
 * @module
 */

import { formatMs, formatShare } from "../format.ts";
import { bucketCeilingMs, bucketFloorMs } from "../histogram.ts";
import { barSegments, CHART_WIDTH, histogramPicture } from "./chart_paths.ts";
import { Markup, markup, type MarkupValue } from "./markup.ts";
import { PAGE_STATES, type PageState, stateLabel } from "./states.ts";

const BAR_HEIGHT = 10;
const SPARK = { width: 96, height: 22, bucketsMin: 12 };

/** Yields a section of the page with its heading; `note` explains how to read it. */
export function section(
  given: { readonly id: string; readonly title: string; readonly note?: MarkupValue },
  body: MarkupValue,
): Markup {
  const { id, title, note } = given;
  return markup`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>
${note === undefined ? undefined : markup`<p class="note">${note}</p>`}${body}</section>
`;
}

/** Yields the button that shows all of a long list; the page's script shows it where rows are held back. */
export function moreButton(listId: string): Markup {
  return markup`<button type="button" class="more" data-more="${listId}" hidden>Show all</button>`;
}

/** Yields a bar of states, `wholeMs` being its full width; amounts are of `PAGE_STATES`. */
export function stateBar(amounts: readonly number[], wholeMs: number): Markup {
  const totalMs = amounts.reduce((sum, ms) => sum + ms, 0);
  const said = PAGE_STATES.flatMap((state, index) => {
    const ms = amounts[index] ?? 0;
    return ms > 0 ? [`${stateLabel(state)} ${formatShare(totalMs > 0 ? ms / totalMs : 0)}`] : [];
  }).join(", ");
  const rects = barSegments(amounts, wholeMs).flatMap(({ x, width }, index) => {
    const state = PAGE_STATES[index] ?? "other";
    const ms = amounts[index] ?? 0;
    if (ms <= 0) return [];
    return [
      markup`<rect class="s-${state}" data-state="${state}" data-ms="${
        ms.toFixed(2)
      }" x="${x}" y="0" width="${width}" height="${BAR_HEIGHT}"><title>${stateLabel(state)} ${formatMs(ms)}, ${
        formatShare(totalMs > 0 ? ms / totalMs : 0)
      }</title></rect>`,
    ];
  });
  return markup`<svg class="bar" viewBox="0 0 ${CHART_WIDTH} ${BAR_HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${said}">${rects}</svg>`;
}

/** Yields a small histogram; bars double in width of time from one to the next. */
export function sparkHistogram(buckets: readonly number[]): Markup | undefined {
  const picture = histogramPicture(buckets, SPARK);
  if (picture === undefined) return undefined;
  const span = `${formatDuration(bucketFloorMs(picture.first))} to ${formatDuration(bucketCeilingMs(picture.last))}`;
  return markup`<svg class="spark" viewBox="0 0 ${SPARK.width} ${SPARK.height}" role="img" aria-label="from ${span}"><title>${span}</title><path d="${new Markup(
    picture.path,
  )}"/></svg>`;
}

/** Yields the occupied buckets for the page's script: "first:count,count,...". */
export function bucketText(buckets: readonly number[]): string {
  const first = buckets.findIndex((count) => count > 0);
  if (first < 0) return "";
  const last = buckets.findLastIndex((count) => count > 0);
  return `${first}:${buckets.slice(first, last + 1).join(",")}`;
}

/** Yields a patch of colour and the state's name, or a closer one. */
export function stateName(state: PageState, name = stateLabel(state)): Markup {
  return markup`<span class="state"><i class="swatch s-${state}"></i>${name}</span>`;
}

/** Yields a table cell with a figure, its column's name for narrow screens, and what it sorts by. */
export function figureCell(label: string, text: string, sortBy: number): Markup {
  return markup`<td class="num" data-label="${label}" data-sort="${toSortKey(sortBy)}">${text}</td>`;
}

function toSortKey(value: number): string {
  return Number.isFinite(value) ? String(Math.round(value * 1000) / 1000) : "-1";
}

/** A column's head that sorts by it. */
export function sortHead(
  label: string,
  options: { readonly isText?: boolean; readonly isSorted?: boolean } = {},
): Markup {
  return markup`<th scope="col" ${options.isText ? undefined : markup`class="num" `}aria-sort="${
    options.isSorted ? "descending" : "none"
  }"><button type="button" class="sort">${label}</button></th>`;
}

/** Yields a short duration with three digits that mean something: "250 us", "15.1 ms", "2.50 s", "3.2 min". */
export function formatDuration(ms: number): string {
  if (ms <= 0) return "0";
  if (ms < 1) return `${threeDigits(ms * 1000)} us`;
  if (ms < 1000) return `${threeDigits(ms)} ms`;
  if (ms < 120_000) return `${threeDigits(ms / 1000)} s`;
  return `${threeDigits(ms / 60_000)} min`;
}

function threeDigits(value: number): string {
  return value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

/** Yields a count with thin groups of three: "21 454". */
export function formatNumber(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, "\u2009");
}
