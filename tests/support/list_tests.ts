/**
 * Prints the names of the tests that the files given as arguments register, as
 * one JSON object of file to names; none of them is run.
 *
 * @module
 */

import { withoutSkip } from "./kernel_requirements.ts";

const names: string[] = [];

/** Stands in for the runner, in every form that is in use. */
function register(first: unknown): void {
  if (typeof first === "string") names.push(first);
  else if (typeof first === "object" && first !== null && "name" in first) names.push(String(first.name));
}

// deno-lint-ignore podtrace/foreign-memory -- its test registry is replaced, nothing else is touched
Object.defineProperty(Deno, "test", { value: register });
const found: Record<string, readonly string[]> = {};
for (const file of Deno.args) {
  // deno-lint-ignore podtrace/doors -- test files of ours alone, by path
  await import(new URL(file, `file://${Deno.cwd()}/`).href);
  found[file] = names.splice(0).map(withoutSkip);
}
console.log(JSON.stringify(found));
