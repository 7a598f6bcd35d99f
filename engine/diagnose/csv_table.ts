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

/** Printable ASCII that begins with nothing special, has no quote or comma, and ends in no blank: most fields. */
const PLAIN = /^[A-Za-z0-9(\/_](?:[\x20\x21\x23-\x2b\x2d-\x7e]*[\x21\x23-\x2b\x2d-\x7e])?$/;

/** Milliseconds, printed with two decimals. */
export interface CsvMs {
  readonly ms: number;
}

/** A number is printed as it is; text is made safe; `undefined` is an empty field. */
export type CsvField = string | number | CsvMs | undefined;

/** Yields `records` with CRLF after each of them, the header included. */
export function renderCsv(records: Iterable<readonly CsvField[]>): string {
  let text = "";
  for (const record of records) {
    let isFirst = true;
    for (const field of record) {
      text += isFirst ? renderField(field) : `,${renderField(field)}`;
      isFirst = false;
    }
    text += "\r\n";
  }
  return text;
}

function renderField(field: CsvField): string {
  if (field === undefined) return "";
  if (typeof field === "number") return String(field);
  if (typeof field === "object") return field.ms.toFixed(2);
  if (field.length <= FIELD_BYTES_MAX && PLAIN.test(field)) return field;
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
