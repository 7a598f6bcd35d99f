import { assert } from "../../../tests/support/assert.ts";
import { parseBenchOptions } from "./bench_options.ts";

const NAMES = ["ring", "redis"];

const ACCEPTED = [
  { args: [], expected: { isCheck: false, only: [], seconds: undefined } },
  { args: ["--check"], expected: { isCheck: true, only: [], seconds: undefined } },
  {
    args: ["--only", "redis", "--only=ring"],
    expected: { isCheck: false, only: ["redis", "ring"], seconds: undefined },
  },
  { args: ["--seconds", "0.5"], expected: { isCheck: false, only: [], seconds: 0.5 } },
  { args: ["--seconds=600", "--check"], expected: { isCheck: true, only: [], seconds: 600 } },
];

for (const { args, expected } of ACCEPTED) {
  Deno.test(`parseBenchOptions() takes [${args.join(" ")}]`, () => {
    assert.deepEqual(parseBenchOptions(args, NAMES), expected);
  });
}

const REFUSED = [
  { args: ["--only", "rings"], found: /^--only wants one of ring, redis, got "rings"$/ },
  { args: ["--only"], found: /^--only wants/ },
  { args: ["--seconds", "0"], found: /^--seconds wants a number above 0, at most 600, got "0"$/ },
  { args: ["--seconds", "601"], found: /^--seconds wants/ },
  { args: ["--seconds", "soon"], found: /^--seconds wants/ },
  { args: ["--seconds"], found: /^--seconds wants/ },
  { args: ["--fast"], found: /^"--fast" is unknown/ },
];

for (const { args, found } of REFUSED) {
  Deno.test(`parseBenchOptions() refuses [${args.join(" ")}]`, () => {
    const refusal = parseBenchOptions(args, NAMES);
    assert.ok(typeof refusal === "string");
    assert.match(refusal, found);
  });
}
