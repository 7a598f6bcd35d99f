/**
 * Choosing among what `deno doc --lint` reports (pure).
 *
 * It asks for a comment on every property. Here a comment says what the code
 * does not, so only functions and classes must have one; everything else it
 * reports counts as it is.
 *
 * @module
 */

/** Yields the diagnostics that count, one line each, from the uncoloured output of `deno doc --lint`. */
export function docProblems(output: string): readonly string[] {
  const blocks = output.split(/^(?=error\[)/m).filter((block) => block.startsWith("error["));
  return blocks.filter(counts).map((block) => {
    const [title = "", place = ""] = block.split("\n");
    return `${place.replace(/^\s*-->\s*/, "")}: ${title}`;
  });
}

/** The first numbered line of a block is the declaration. */
function counts(block: string): boolean {
  // The symbol behind a brand has to stay private: whoever holds it can forge the brand.
  if (block.startsWith("error[private-type-ref]")) {
    // A type that is inferred from a schema is documented by the schema, which is a value.
    return !/: unique symbol;$/m.test(block) && !/= \w+\.infer<typeof \w+>;$/m.test(block);
  }
  if (!block.startsWith("error[missing-jsdoc]")) return true;
  const declaration = /^ *\d+ \| (.*)$/m.exec(block)?.[1] ?? "";
  return /^export (default |declare |abstract |async )*(function|class)\b/.test(declaration);
}
