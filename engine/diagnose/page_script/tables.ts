/**
 * Tables that filter by text and by a span of time, and sort by any column.
 *
 * @module
 */

/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

import { all, byId, listenToMore, numberOf, showRows } from "./elements.ts";

/** A span of the window, in milliseconds from its begin; `undefined`: all of it. */
export type Span = { readonly beginMs: number; readonly endMs: number } | undefined;

/** Makes every table's heads and filter work. */
export function startTables(): void {
  for (const table of all(document, "table.rows", HTMLTableElement)) {
    const buttons = all(table, "button.sort", HTMLButtonElement);
    for (const button of buttons) button.addEventListener("click", () => sortBy(table, button));
  }
  for (const input of all(document, "input[data-filters]", HTMLInputElement)) {
    const table = byId(input.dataset["filters"] ?? "", HTMLTableElement);
    if (table === undefined) continue;
    input.addEventListener("input", () => filterTable(table));
    listenToMore(table, () => filterTable(table));
    filterTable(table);
  }
}

/** Shows the rows that the filter's text and the span leave. */
export function filterTable(table: HTMLTableElement): void {
  const input = document.querySelector(`input[data-filters="${table.id}"]`);
  const wanted = input instanceof HTMLInputElement ? input.value.trim().toLowerCase() : "";
  const span = spanOf(table);
  showRows(table, {
    rows: [...table.tBodies[0]?.rows ?? []],
    matches: (row) => row.textContent.toLowerCase().includes(wanted) && isWithin(row, span),
  });
}

/** Lets the table show only what went on within `span`. */
export function setSpan(table: HTMLTableElement, span: Span): void {
  if (span === undefined) {
    delete table.dataset["begin"];
    delete table.dataset["end"];
  } else {
    table.dataset["begin"] = String(span.beginMs);
    table.dataset["end"] = String(span.endMs);
  }
  filterTable(table);
}

function spanOf(table: HTMLTableElement): Span {
  return table.dataset["begin"] === undefined
    ? undefined
    : { beginMs: numberOf(table, "data-begin"), endMs: numberOf(table, "data-end") };
}

function isWithin(row: HTMLElement, span: Span): boolean {
  if (span === undefined) return true;
  const endMs = numberOf(row, "data-at");
  return endMs >= span.beginMs && endMs - numberOf(row, "data-lasted") <= span.endMs;
}

function sortBy(table: HTMLTableElement, button: HTMLButtonElement): void {
  const head = button.closest("th");
  const body = table.tBodies[0];
  if (head === null || body === undefined) return;
  const isDescending = head.getAttribute("aria-sort") !== "descending";
  for (const other of all(table, "th[aria-sort]", HTMLTableCellElement)) other.setAttribute("aria-sort", "none");
  head.setAttribute("aria-sort", isDescending ? "descending" : "ascending");
  const isText = !head.classList.contains("num");
  const sign = isDescending ? -1 : 1;
  const keyed = [...body.rows].map((row) => ({ row, key: row.cells[head.cellIndex]?.getAttribute("data-sort") ?? "" }));
  keyed.sort((first, second) =>
    sign *
    (isText ? first.key.localeCompare(second.key, "en", { numeric: true }) : Number(first.key) - Number(second.key))
  );
  for (const { row } of keyed) body.append(row);
  filterTable(table);
}
