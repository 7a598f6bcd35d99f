import { assert } from "../../../tests/support/assert.ts";
import { parseSeed } from "./demo.ts";

const ROWS: readonly { args: string[]; seed: number | undefined }[] = [
  { args: [], seed: 1 },
  { args: ["--seed", "0"], seed: 0 },
  { args: ["--seed=7"], seed: 7 },
  { args: ["--seed", "4294967295"], seed: 4294967295 },
  { args: ["--seed", "4294967296"], seed: undefined },
  { args: ["--seed", "-1"], seed: undefined },
  { args: ["--seed", "1.5"], seed: undefined },
  { args: ["--seed", ""], seed: undefined },
  { args: ["--seed"], seed: undefined },
  { args: ["--seed", "1", "2"], seed: undefined },
  { args: ["--sede", "1"], seed: undefined },
  { args: ["1"], seed: undefined },
];

for (const { args, seed } of ROWS) {
  Deno.test(`parseSeed() yields ${seed} when given [${args.join(" ")}]`, () => {
    assert.equal(parseSeed(args), seed);
  });
}
