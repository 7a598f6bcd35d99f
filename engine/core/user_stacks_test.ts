import { assert } from "../../tests/support/assert.ts";
import { aFrame } from "./test_host.ts";
import { UserStacks } from "./user_stacks.ts";

Deno.test("framesOf() asks once per process and stack, and keeps control characters out", () => {
  const asked: [processId: number, addresses: readonly bigint[]][] = [];
  const stacks = new UserStacks({ userStack: (stackId) => [BigInt(stackId)] }, {
    describeStack: (processId, addresses) => {
      asked.push([processId, addresses]);
      return [{ ...aFrame({ function: "ma\x1bin", offset: 1 }), module: "a\u202eb" }];
    },
  });
  assert.equal(stacks.isKnown(100, 5), false);
  assert.deepEqual(stacks.framesOf(100, 5), [
    { ...aFrame({ function: "ma\\x1bin", offset: 1 }), module: "a\\u202eb" },
  ]);
  stacks.framesOf(100, 5);
  stacks.framesOf(200, 5);
  assert.deepEqual(asked, [[100, [5n]], [200, [5n]]]);
  assert.equal(stacks.isKnown(100, 5), true);
});

Deno.test("framesOf() yields nothing, and asks nobody, where no stack was taken", () => {
  const refuse = () => {
    throw new Error("asked");
  };
  const stacks = new UserStacks({ userStack: refuse }, { describeStack: refuse });
  assert.deepEqual(stacks.framesOf(100, -1), []);
  assert.equal(stacks.isKnown(100, -1), true);
});
