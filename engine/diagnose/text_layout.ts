/**
 * Laying text out in a fixed number of columns.
 *
 * @module
 */

import { sanitizeText } from "../api/text.ts";

/** Columns of a report where nobody says otherwise; fits a terminal and a pasted code block. */
export const COLUMNS = 100;

/** Narrowest report; a narrower terminal breaks its lines. */
export const COLUMNS_MIN = 80;

/** Widest report; longer lines are no easier to read. */
export const COLUMNS_MAX = 140;

/**
 * Bounds of what is laid out. Names are made safe where they enter; doing it
 * here again costs little and keeps the columns true if one was missed.
 */
const LINE_BYTES_MAX = 1024;
const PARAGRAPH_BYTES_MAX = 4096;

/** Yields `text` in exactly `columns` columns, padded, or cut with `~`. */
export function fitText(text: string, columns: number): string {
  const safe = sanitizeText(text, { bytesMax: LINE_BYTES_MAX });
  const characters = Array.from(safe);
  if (characters.length <= columns) return safe + " ".repeat(columns - characters.length);
  return characters.slice(0, columns - 1).join("") + "~";
}

/** Yields `name` followed by `id` in exactly `columns` columns, padded; what does not fit is cut off the name, with `~`. */
export function fitName(name: string, id: string, columns: number): string {
  const safe = Array.from(sanitizeText(name, { bytesMax: LINE_BYTES_MAX }));
  const room = columns - Array.from(id).length;
  return fitText(
    safe.length <= room || room < 1 ? safe.join("") + id : `${safe.slice(0, room - 1).join("")}~${id}`,
    columns,
  );
}

/** Yields `text` right-aligned in at least `columns` columns. */
export function alignRight(text: string, columns: number): string {
  return " ".repeat(Math.max(0, columns - Array.from(text).length)) + text;
}

/**
 * Yields `text` broken into lines of at most `columns` (default `COLUMNS`): the first begins with
 * `first`, the others with `indent` blanks (default: the same column). A word
 * that is longer than a line is broken.
 */
export function wrapText(
  text: string,
  options: { readonly first: string; readonly indent?: number; readonly columns?: number },
): readonly string[] {
  const indent = options.indent ?? Array.from(options.first).length;
  const columns = options.columns ?? COLUMNS;
  const width = columns - Math.max(indent, Array.from(options.first).length);
  const lines: string[] = [];
  let line = options.first;
  let isBlank = true; // nothing of `text` on the line yet
  const safe = sanitizeText(text, { bytesMax: PARAGRAPH_BYTES_MAX });
  for (const word of safe.split(" ").flatMap((part) => breakWord(part, width))) {
    const joined = isBlank ? line + word : `${line} ${word}`;
    if (isBlank || Array.from(joined).length <= columns) {
      line = joined;
    } else {
      lines.push(line);
      line = " ".repeat(indent) + word;
    }
    isBlank = false;
  }
  return [...lines, line];
}

function breakWord(word: string, width: number): readonly string[] {
  const characters = Array.from(word);
  const pieces: string[] = [];
  for (let begin = 0; begin < characters.length; begin += width) {
    pieces.push(characters.slice(begin, begin + width).join(""));
  }
  return pieces.length === 0 ? [""] : pieces;
}

/** One kind of thing in a bar. */
export interface BarPart {
  /** Exactly one column. */
  readonly symbol: string;
  /** In any unit, the same for all parts. */
  readonly amount: number;
}

/**
 * Yields a bar of exactly `columns` symbols in which every part has its share,
 * rounded by largest remainder; empty when all amounts are 0.
 */
export function drawBar(parts: readonly BarPart[], columns: number): string {
  const total = parts.reduce((sum, part) => sum + part.amount, 0);
  if (total <= 0) return " ".repeat(columns);
  const cells = parts.map((part, index) => {
    const exact = part.amount / total * columns;
    return { index, symbol: part.symbol, whole: Math.floor(exact), remainder: exact - Math.floor(exact) };
  });
  const missing = columns - cells.reduce((sum, cell) => sum + cell.whole, 0);
  const rounded = new Set(
    [...cells].sort((first, second) => second.remainder - first.remainder || first.index - second.index)
      .slice(0, missing).map((cell) => cell.index),
  );
  return cells.map((cell) => cell.symbol.repeat(cell.whole + (rounded.has(cell.index) ? 1 : 0))).join("");
}
