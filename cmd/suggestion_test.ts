import { assert } from "../tests/support/assert.ts";
import { closestOf } from "./suggestion.ts";

Deno.test("closestOf() yields what was probably meant, and nothing for another word", () => {
  const categories = ["time", "net", "fs", "cpu", "mem", "proc", "lock"] as const;
  const table: readonly (readonly [string, string | undefined])[] = [
    ["nett", "net"],
    ["tme", "time"],
    ["locks", "lock"],
    ["memory", undefined],
    ["prog", "proc"],
    ["fs", "fs"],
    ["", undefined],
    ["x", undefined],
    ["banana", undefined],
  ];
  for (const [word, expected] of table) assert.equal(closestOf(word, categories), expected, word);
});
