import { assert } from "../../tests/support/assert.ts";
import { parseRounds } from "./fuzz.ts";

const ROWS: readonly { args: readonly string[]; rounds: number | undefined }[] = [
  { args: [], rounds: 20 },
  { args: ["--rounds", "1"], rounds: 1 },
  { args: ["--rounds=100000"], rounds: 100_000 },
  { args: ["--rounds", "100001"], rounds: undefined },
  { args: ["--rounds", "0"], rounds: undefined },
  { args: ["--rounds", "-1"], rounds: undefined },
  { args: ["--rounds", "1.5"], rounds: undefined },
  { args: ["--rounds"], rounds: undefined },
  { args: ["--round", "1"], rounds: undefined },
  { args: ["7"], rounds: undefined },
];

for (const { args, rounds } of ROWS) {
  Deno.test(`parseRounds() yields ${rounds} when given [${args.join(" ")}]`, () => {
    assert.equal(parseRounds(args), rounds);
  });
}
