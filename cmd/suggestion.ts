/**
 * What somebody may have meant by a word that is not known.
 *
 * @module
 */

/** Further off than this is another word. */
const EDITS_MAX = 2;

/** Yields the candidate closest to `word`; `undefined` when none is close. */
export function closestOf<Candidate extends string>(
  word: string,
  candidates: readonly Candidate[],
): Candidate | undefined {
  const [best] = candidates
    .map((candidate) => ({ candidate, edits: editsBetween(word, candidate) }))
    .filter(({ candidate, edits }) => edits <= EDITS_MAX && edits < Math.max(word.length, candidate.length))
    .toSorted((first, second) => first.edits - second.edits);
  return best?.candidate;
}

/** Insertions, deletions and replacements that make one of the other (Levenshtein), the words being short. */
function editsBetween(first: string, second: string): number {
  let above = Array.from({ length: second.length + 1 }, (_, column) => column);
  for (const [row, letter] of [...first].entries()) {
    const line = [row + 1];
    for (const [column, other] of [...second].entries()) {
      const replaced = (above[column] ?? 0) + (letter === other ? 0 : 1);
      line.push(Math.min(replaced, (above[column + 1] ?? 0) + 1, (line[column] ?? 0) + 1));
    }
    above = line;
  }
  return above.at(-1) ?? 0;
}
