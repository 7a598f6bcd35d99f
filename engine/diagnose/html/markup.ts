/**
 * Markup that cannot be broken out of: whatever is put into a template is
 * escaped unless it is markup itself.
 *
 * @module
 */

import { sanitizeText } from "../../api/text.ts";

/** Longest text of one value; only a defence, names are cut where they enter. */
const VALUE_BYTES_MAX = 4096;

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  "`": "&#96;",
};

/** Text that is markup already; only {@linkcode markup} and {@linkcode dataBlock} make it. */
export class Markup {
  readonly #text: string;

  /** @param text trusted: from literals of ours and escaped values */
  constructor(text: string) {
    this.#text = text;
  }

  /** Yields the markup itself. */
  toString(): string {
    return this.#text;
  }
}

/** `undefined` and `false` are nothing. */
export type MarkupValue = string | number | Markup | readonly MarkupValue[] | undefined | false;

/**
 * Yields markup from a template; values are escaped for element content and for
 * attribute values in quotes, and for nowhere else.
 *
 * @example
 * ```ts
 * import { markup } from "./markup.ts";
 * console.assert(String(markup`<b title="${'"'}">${"<"}</b>`) === '<b title="&quot;">&lt;</b>');
 * ```
 */
export function markup(strings: TemplateStringsArray, ...values: readonly MarkupValue[]): Markup {
  let text = strings[0] ?? "";
  values.forEach((value, index) => text += render(value) + (strings[index + 1] ?? ""));
  return new Markup(text);
}

function render(value: MarkupValue): string {
  if (typeof value === "string") return escapeText(value);
  if (typeof value === "number" || value instanceof Markup) return String(value);
  if (value === undefined || value === false) return "";
  return value.map(render).join("");
}

function escapeText(raw: string): string {
  return sanitizeText(raw, { bytesMax: VALUE_BYTES_MAX }).replace(/[&<>"'`]/g, (character) => ESCAPES[character] ?? "");
}

/** Yields a block of data for the page's script; nothing in it can end the block or be run. */
export function dataBlock(id: string, data: unknown): Markup {
  const json = JSON.stringify(data).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return new Markup(`<script type="application/json" id="${escapeText(id)}">${json}</script>`);
}
