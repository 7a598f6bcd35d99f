/**
 * Linkers' names as their language writes them: Rust's, and the plain nested
 * ones of C++. What has types in it is left as it is; no demangler that is
 * kept up is to be had as a small library.
 *
 * @module
 */

/** Rust ends its names in a hash of 16 digits. */
const RUST_HASH = /^h[0-9a-f]{16}$/;

/** What rustc writes for characters a linker does not take. */
const RUST_ESCAPES: ReadonlyMap<string, string> = new Map([
  ["SP", "@"],
  ["BP", "*"],
  ["RF", "&"],
  ["LT", "<"],
  ["GT", ">"],
  ["LP", "("],
  ["RP", ")"],
  ["C", ","],
]);

/** Parts of one name: a bound on the work, no name has as many. */
const PARTS_MAX = 64;

/**
 * Yields "shop::Cart::total" for `_ZN4shop4Cart5totalEv`, and `name` itself
 * where it is not mangled or says more than that.
 *
 * @example
 * ```ts
 * import { demangle } from "./demangle.ts";
 * console.assert(demangle("_ZN4shop4Cart5totalEv") === "shop::Cart::total");
 * console.assert(demangle("main") === "main");
 * ```
 */
export function demangle(name: string): string {
  const nested = /^_ZN(?:K?)(.+)$/s.exec(name)?.[1];
  if (nested !== undefined) return joinParts(nested) ?? name;
  const plain = /^_Z(?:L?)([1-9].*)$/s.exec(name)?.[1];
  const part = plain === undefined ? undefined : takePart(plain);
  // After the name of a function that is no template come its parameters alone.
  return part === undefined || part.rest.startsWith("I") ? name : part.text;
}

function joinParts(nested: string): string | undefined {
  const parts: string[] = [];
  let rest = nested;
  for (let taken = 0; taken < PARTS_MAX; taken++) {
    if (rest.startsWith("E")) return toPath(parts);
    const special = /^(St|[CD][0-9](?![0-9]))/.exec(rest)?.[0];
    if (special !== undefined) {
      parts.push(specialPart(special, parts.at(-1) ?? ""));
      rest = rest.slice(special.length);
      continue;
    }
    const part = takePart(rest.replace(/^L(?=[1-9])/, ""));
    if (part === undefined) return undefined;
    parts.push(part.text);
    rest = part.rest;
  }
  return undefined;
}

/** `St`: std; `C1`, `D1` and the like: constructors and destructors. */
function specialPart(special: string, className: string): string {
  if (special === "St") return "std";
  return special.startsWith("D") ? `~${className}` : className;
}

/** A part is its length and so many characters. */
function takePart(text: string): { text: string; rest: string } | undefined {
  const digits = /^[1-9][0-9]{0,3}/.exec(text)?.[0];
  if (digits === undefined) return undefined;
  const length = Number(digits);
  const begin = digits.length;
  if (text.length < begin + length) return undefined;
  return { text: text.slice(begin, begin + length), rest: text.slice(begin + length) };
}

function toPath(parts: readonly string[]): string | undefined {
  if (parts.length === 0) return undefined;
  const isRust = RUST_HASH.test(parts.at(-1) ?? "") && parts.length > 1;
  return (isRust ? parts.slice(0, -1).map(unescapeRust) : parts)
    .map((part) => part === "_GLOBAL__N_1" ? "(anonymous namespace)" : part).join("::");
}

function unescapeRust(part: string): string {
  return part.replace(/^_(?=\$)/, "").replaceAll("..", "::")
    .replace(/\$([A-Z]{1,2}|u[0-9a-f]{1,6})\$/g, (whole, escape: string) => {
      const known = RUST_ESCAPES.get(escape);
      if (known !== undefined || !escape.startsWith("u")) return known ?? whole;
      const code = parseInt(escape.slice(1), 16);
      return code >= 0x20 && code < 0x7f ? String.fromCodePoint(code) : whole;
    });
}
