/**
 * The boundary for text that a traced process chose: command names, paths,
 * arguments, socket names. Such text passes {@linkcode sanitizeText} once, where
 * kernel bytes become strings; after that it may go to a terminal, a log or JSON.
 *
 * @module
 */

import { FIELD_TEXT_BYTES_MAX } from "./limits.ts";

/**
 * Cc: C0, DEL, C1 (so every escape sequence). Cf: bidirectional marks,
 * embeddings, overrides and isolates, the byte order mark. Cs: lone surrogates.
 * Zl, Zp: line and paragraph separators. Default_Ignorable_Code_Point (DI):
 * whatever a font shows as nothing, of any category, reserved code points
 * included (joiners, variation selectors, fillers, tags, U+2065).
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{DI}]/gu;

/** Printable ASCII, as almost all text is: nothing to write out, a byte each. */
const PLAIN = /^[\x20-\x7e]*$/;

/** Marks a cut; ASCII, so that it survives every terminal. */
const ELLIPSIS = "...";

/** How text is sanitised. */
export interface SanitizeOptions {
  /** UTF-8 bytes of the result, the ellipsis included; at least 4. */
  readonly bytesMax?: number;
}

/**
 * Yields `raw` with everything that could steer a terminal or disguise text
 * written out (`\x1b`, `\u202e`, `\u{e0041}`), at most `bytesMax` bytes of
 * UTF-8 long (default `FIELD_TEXT_BYTES_MAX`); a cut ends in `...` and never
 * splits a character or an escape.
 *
 * Sanitising twice changes nothing: backslashes are left alone.
 *
 * @example
 * ```ts
 * import { sanitizeText } from "./text.ts";
 * console.assert(sanitizeText("a\x1b[31mb") === "a\\x1b[31mb");
 * ```
 */
export function sanitizeText(raw: string, options: SanitizeOptions = {}): string {
  const bytesMax = options.bytesMax ?? FIELD_TEXT_BYTES_MAX;
  if (raw.length <= bytesMax && PLAIN.test(raw)) return raw;
  // A prefix is enough: every UTF-16 unit makes at least one byte, and one unit more shows that a cut is due.
  const pieces = splitIntoPieces(raw.slice(0, bytesMax + 1));
  let text = "";
  let byteCount = 0;
  let cutLength = 0; // of `text`, where an ellipsis still fits
  for (const piece of pieces) {
    byteCount += utf8Length(piece);
    if (byteCount > bytesMax) return text.slice(0, cutLength) + ELLIPSIS;
    text += piece;
    if (byteCount <= bytesMax - ELLIPSIS.length) cutLength = text.length;
  }
  return text;
}

/** One piece per character, unsafe ones already written out. */
function splitIntoPieces(text: string): string[] {
  return Array.from(text, (character) => character.replace(UNSAFE, escapeCharacter));
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  if (code <= 0xff) return `\\x${hex.padStart(2, "0")}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, "0")}` : `\\u{${hex}}`;
}

function utf8Length(piece: string): number {
  let byteCount = 0;
  for (const character of piece) {
    const code = character.codePointAt(0) ?? 0;
    byteCount += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return byteCount;
}
