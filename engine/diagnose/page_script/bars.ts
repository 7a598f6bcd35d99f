/**
 * The bars of threads and processes: filtered, sorted, and drawn anew without
 * the states that are switched off.
 *
 * @module
 */

/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

import { barSegments } from "../html/chart_paths.ts";
import { all, byId, hiddenStates, listenToKeys, listenToMore, numberOf, showRows } from "./elements.ts";

/** Makes the controls above the bars work. */
export function startBars(): void {
  const section = byId("threads", HTMLElement);
  if (section === undefined) return;
  const lists = all(section, "ol.bars", HTMLOListElement);
  const filter = byId("bars-filter", HTMLInputElement);
  const sort = byId("bars-sort", HTMLSelectElement);
  const show = byId("bars-show", HTMLSelectElement);
  const keys = all(section, "button.toggle", HTMLButtonElement);
  const update = () => {
    for (const list of lists) {
      const wrapper = list.parentElement;
      const isHidden = show !== undefined && list.id !== show.value;
      if (wrapper !== null) wrapper.hidden = isHidden;
      if (isHidden) continue;
      sortRows(list, sort?.value ?? "held");
      filterRows(list, filter?.value ?? "");
      drawBars(list, hiddenStates(keys));
    }
  };
  filter?.addEventListener("input", update);
  sort?.addEventListener("change", update);
  show?.addEventListener("change", update);
  listenToKeys(keys, update);
  for (const list of lists) listenToMore(list, update);
  update();
}

function filterRows(list: HTMLOListElement, text: string): void {
  const wanted = text.trim().toLowerCase();
  showRows(list, {
    rows: all(list, "li.row:not(.summary)", HTMLLIElement),
    matches: (row) => (row.querySelector(".who")?.textContent ?? "").toLowerCase().includes(wanted),
  });
}

function sortRows(list: HTMLOListElement, key: string): void {
  const rows = all(list, "li.row:not(.summary)", HTMLLIElement);
  const nameOf = (row: Element) => row.querySelector("b")?.textContent ?? "";
  const sorted = [...rows].sort((first, second) =>
    key === "name"
      ? nameOf(first).localeCompare(nameOf(second), "en", { numeric: true })
      : numberOf(second, `data-${key}`) - numberOf(first, `data-${key}`)
  );
  const summary = list.querySelector("li.summary");
  for (const row of sorted) list.insertBefore(row, summary);
}

/** The longest of the shown bars is as wide as the picture, so what is left can be compared. */
function drawBars(list: HTMLOListElement, hidden: ReadonlySet<string>): void {
  const rows = all(list, "li.row", HTMLLIElement).filter((row) => !row.hidden).map((row) => {
    const rects = all(row, "rect[data-state]", SVGRectElement);
    const amounts = rects.map((rect) => hidden.has(rect.dataset["state"] ?? "") ? 0 : numberOf(rect, "data-ms"));
    return { row, rects, amounts, sum: amounts.reduce((total, ms) => total + ms, 0) };
  });
  const wholeMs = rows.reduce(
    (most, { row, sum }) => row.classList.contains("summary") ? most : Math.max(most, sum),
    0,
  );
  for (const { row, rects, amounts, sum } of rows) {
    const segments = barSegments(amounts, row.classList.contains("summary") ? sum : wholeMs);
    rects.forEach((rect, index) => {
      rect.setAttribute("x", segments[index]?.x ?? "0");
      rect.setAttribute("width", segments[index]?.width ?? "0");
    });
  }
}
