/**
 * How many columns of a terminal a text takes.
 *
 * @module
 */

/** East Asian wide and fullwidth characters and emoji (Unicode UAX #11, the blocks that are wide as a whole). */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** Marks join the character before them. */
const JOINING = /\p{M}/u;

/** Yields the columns of one character. */
export function columnsOf(character: string): number {
  if (character.length === 1 && character < "\u0300") return 1;
  if (JOINING.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/**
 * Yields `text` cut or padded to exactly `columns` columns; a cut ends in `mark`.
 *
 * @param text sanitised: no control characters
 */
export function fitColumns(text: string, columns: number, options: { readonly mark: string }): string {
  let width = 0;
  let kept = "";
  let keptWidth = 0; // of what leaves room for the mark
  let keptText = "";
  const markWidth = Math.min(options.mark.length, columns);
  for (const character of text) {
    const next = columnsOf(character);
    if (width + next > columns) {
      return padEnd(keptText + options.mark.slice(0, columns), keptWidth + markWidth, columns);
    }
    width += next;
    kept += character;
    if (width <= columns - markWidth) [keptText, keptWidth] = [kept, width];
  }
  return padEnd(kept, width, columns);
}

function padEnd(text: string, width: number, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - width));
}
