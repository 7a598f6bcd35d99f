/**
 * Whether a comment that switches a check off says why.
 *
 * @module
 */

/**
 * Yields what is wrong with a comment, or `undefined` if nothing is.
 *
 * An exception covers one line and carries its reason on it:
 * `deno-lint-ignore rule-name -- why this one is right`.
 */
export function ignoreProblem(comment: string): string | undefined {
  const text = comment.trim();
  if (/^deno-lint-ignore-file\b/.test(text)) return "Cannot ignore a rule for a whole file: ignore it on one line";
  if (/^@ts-(ignore|nocheck)\b/.test(text)) return "Cannot switch the type checker off: use @ts-expect-error -- reason";
  const directive = /^(deno-lint-ignore|deno-fmt-ignore|@ts-expect-error)\b(.*)$/s.exec(text);
  if (directive === null) return undefined;
  const [, name = "", rest = ""] = directive;
  const [rules = "", reason = ""] = rest.split(/\s-- /, 2);
  if (name === "deno-lint-ignore" && rules.trim() === "") {
    return "Cannot ignore every rule: name the one that is wrong here";
  }
  return reason.trim() === ""
    ? `Cannot use ${name} without a reason: write "${name} ... -- why" on its line`
    : undefined;
}
