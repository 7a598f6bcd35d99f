/**
 * Finding and making elements.
 *
 * @module
 */

/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

const SVG = "http://www.w3.org/2000/svg";

/** Yields the element with this id, if it is of the class that is wanted. */
export function byId<T extends Element>(id: string, type: new () => T): T | undefined {
  const element = document.getElementById(id);
  return element instanceof type ? element : undefined;
}

/** Yields all elements that match, of the class that is wanted. */
export function all<T extends Element>(root: ParentNode, selector: string, type: new () => T): readonly T[] {
  return [...root.querySelectorAll(selector)].filter((element): element is T => element instanceof type);
}

/** Yields a number kept in an attribute; 0 where there is none. */
export function numberOf(element: Element, attribute: string): number {
  const value = Number(element.getAttribute(attribute) ?? "0");
  return Number.isFinite(value) ? value : 0;
}

/** Makes an element of SVG. */
export function svgElement(name: "path" | "svg" | "rect", attributes: Readonly<Record<string, string>>): SVGElement {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/** Rows shown of a long list before its reader asks for all. */
const ROWS_FIRST = 20;

/**
 * Hides the rows that do not match, and those beyond the first of many until
 * the list's button was pressed; says how many are shown.
 */
export function showRows(
  list: HTMLElement,
  given: { readonly rows: readonly HTMLElement[]; readonly matches: (row: HTMLElement) => boolean },
): void {
  const more = document.querySelector(`button[data-more="${list.id}"]`);
  const isWhole = list.dataset["whole"] === "true";
  let matchCount = 0;
  for (const row of given.rows) {
    const isMatch = given.matches(row);
    if (isMatch) matchCount++;
    row.hidden = !isMatch || (!isWhole && matchCount > ROWS_FIRST);
  }
  const shown = isWhole ? matchCount : Math.min(matchCount, ROWS_FIRST);
  if (more instanceof HTMLButtonElement) {
    more.hidden = shown === matchCount;
    more.textContent = `Show all ${matchCount}`;
  }
  showCount(document.querySelector(`output[data-counts~="${list.id}"]`), { shown, total: given.rows.length });
}

/** Makes the list's button show all of it. */
export function listenToMore(list: HTMLElement, onChange: () => void): void {
  const more = document.querySelector(`button[data-more="${list.id}"]`);
  more?.addEventListener("click", () => {
    list.dataset["whole"] = "true";
    onChange();
  });
}

/** Says how many of all are shown, where not all are. */
function showCount(output: Element | undefined | null, counts: { shown: number; total: number }): void {
  if (output) output.textContent = counts.shown === counts.total ? "" : `${counts.shown} of ${counts.total}`;
}

/** States that the reader has switched off, of one group of keys. */
export function hiddenStates(keys: readonly HTMLButtonElement[]): ReadonlySet<string> {
  return new Set(
    keys.filter((key) => key.getAttribute("aria-pressed") === "false").map((key) => key.dataset["state"] ?? ""),
  );
}

/** Calls `onChange` after a key was switched. */
export function listenToKeys(keys: readonly HTMLButtonElement[], onChange: () => void): void {
  for (const key of keys) {
    key.addEventListener("click", () => {
      key.setAttribute("aria-pressed", key.getAttribute("aria-pressed") === "true" ? "false" : "true");
      onChange();
    });
  }
}
