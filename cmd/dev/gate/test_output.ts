/**
 * Reading what `deno test` prints while it runs (pure).
 *
 * The JUnit report names the file that called `Deno.test`, which for a test
 * registered through a function is that function's file; what is printed names
 * the test file.
 *
 * @module
 */

/** A line of output and when it was printed. */
export interface TimedLine {
  readonly text: string;
  /** Of any clock that goes forward. */
  readonly atMs: number;
}

/** What one test file printed. */
export interface TestSection {
  /** From the root of the tree. */
  readonly file: string;
  /** How many tests it registered. */
  readonly testCount: number;
  /** Until the next file began; the next file's loading is part of it. */
  readonly durationMs: number;
  readonly lines: readonly string[];
}

/** Yields one section per test file, in the order in which they ran. */
export function readSections(output: readonly TimedLine[]): readonly TestSection[] {
  const sections: (TestSection & { lines: string[]; durationMs: number })[] = [];
  let startMs = 0;
  for (const { text, atMs } of output) {
    const line = withoutColours(text);
    const current = sections.at(-1);
    if (current !== undefined) current.durationMs = atMs - startMs;
    const [, testCount, file] = /^running (\d+) tests? from (?:\.\/)?(.+)$/.exec(line) ?? [];
    if (file !== undefined) {
      sections.push({ file, testCount: Number(testCount), durationMs: 0, lines: [] });
      startMs = atMs;
    } else {
      current?.lines.push(line);
    }
  }
  return sections;
}

/** Yields the file whose section prints the test `name`, or `undefined` if none does. */
export function fileOfTest(name: string, sections: readonly TestSection[]): string | undefined {
  return sections.find((section) => section.lines.some((line) => line.startsWith(`${name} ...`)))?.file;
}

function withoutColours(text: string): string {
  return text.replace(/\x1b\[[0-9;]*m/g, "");
}
