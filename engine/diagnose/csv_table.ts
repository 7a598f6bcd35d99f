/**
 * CSV as RFC 4180 has it, with text that no spreadsheet takes for a formula.
 *
 * @module
 */

import { sanitizeText } from "../api/text.ts";

/** Longest field; only a defence, names are cut where they enter. */
const FIELD_BYTES_MAX = 4096;

/**
 * Characters by which spreadsheets know a formula or a command, full-width
 * forms included; blanks before one do not save the cell everywhere.
 */
const FORMULA_LEAD = /^[\s\ufeff]*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/u;

/** What RFC 4180 wants in quotes; blanks at the ends as well, which some readers strip. */
const NEEDS_QUOTES = /[",\r\n]|^\s|\s$/u;

/** Milliseconds, printed with two decimals. */
export interface CsvMs {
  readonly ms: number;
}

/** A number is printed as it is; text is made safe; `undefined` is an empty field. */
export type CsvField = string | number | CsvMs | undefined;

/** Yields `records` with CRLF after each of them, the header included. */
export function renderCsv(records: readonly (readonly CsvField[])[]): string {
  return records.map((record) => record.map(renderField).join(",") + "\r\n").join("");
}

function renderField(field: CsvField): string {
  if (field === undefined) return "";
  if (typeof field === "number") return String(field);
  if (typeof field === "object") return field.ms.toFixed(2);
  const text = sanitizeText(neutralizeFormula(field), { bytesMax: FIELD_BYTES_MAX });
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * Yields `text` with an apostrophe in front if a spreadsheet would take it for
 * a formula; the sign is how a person would enter such text.
 */
export function neutralizeFormula(text: string): string {
  return FORMULA_LEAD.test(text) ? `'${text}` : text;
}
