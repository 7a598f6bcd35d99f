/**
 * Reading what `deno test --junit-path` and the skip file say (pure).
 *
 * @module
 */

import type { SkipRecord } from "../../../tests/support/kernel_requirements.ts";

/** One test as it ended; steps inside a test belong to it and are not listed. */
export interface TestCase {
  /** Path of the file that called `Deno.test`, from the root of the tree. */
  readonly file: string;
  readonly name: string;
  readonly durationMs: number;
  readonly outcome: "passed" | "failed" | "skipped";
}

/** Yields the tests in a JUnit report of `deno test`, in the report's order. */
export function readJunit(xml: string): readonly TestCase[] {
  const cases = [...xml.matchAll(/<testcase ([^>]*?)(?:\/>|>(.*?)<\/testcase>)/gs)].map(
    ([, attributes = "", body = ""]): TestCase => ({
      file: attributeOf(attributes, "classname").replace(/^\.\//, ""),
      name: attributeOf(attributes, "name"),
      durationMs: Math.round(Number(attributeOf(attributes, "time")) * 1000),
      outcome: outcomeOf(body),
    }),
  );
  const keys = new Set(cases.map((testCase) => `${testCase.file} ${testCase.name}`));
  return cases.filter((testCase) => !isStep(testCase, keys));
}

/** Yields the records of the skip file, one line of JSON each. */
export function readSkips(text: string): readonly SkipRecord[] {
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as SkipRecord);
}

/** The report lists the steps of a test after it, called `test > step > step`. */
function isStep(testCase: TestCase, keys: ReadonlySet<string>): boolean {
  const parts = testCase.name.split(" > ");
  return parts.some((_, index) => index > 0 && keys.has(`${testCase.file} ${parts.slice(0, index).join(" > ")}`));
}

function outcomeOf(body: string): TestCase["outcome"] {
  if (/<(failure|error)\b/.test(body)) return "failed";
  return /<skipped\b/.test(body) ? "skipped" : "passed";
}

function attributeOf(attributes: string, name: string): string {
  const raw = new RegExp(`(?:^| )${name}="([^"]*)"`).exec(attributes)?.[1] ?? "";
  return raw.replace(
    /&(?:#x([0-9a-fA-F]+)|#([0-9]+)|([a-z]+));/g,
    (_, hex?: string, decimal?: string, entity?: string) => {
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
      if (decimal !== undefined) return String.fromCodePoint(Number.parseInt(decimal, 10));
      return ENTITIES.get(entity ?? "") ?? "";
    },
  );
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["amp", "&"],
  ["apos", "'"],
  ["gt", ">"],
  ["lt", "<"],
  ["quot", '"'],
]);
