import { assert } from "../../tests/support/assert.ts";
import { UserStacks } from "./user_stacks.ts";

Deno.test("framesOf() asks once per process and stack, and keeps control characters out", () => {
  const asked: [processId: number, addresses: readonly bigint[]][] = [];
  const stacks = new UserStacks({ userStack: (stackId) => [BigInt(stackId)] }, {
    describeStack: (processId, addresses) => {
      asked.push([processId, addresses]);
      return ["ma\x1bin+0x1"];
    },
  });
  assert.equal(stacks.isKnown(100, 5), false);
  assert.deepEqual(stacks.framesOf(100, 5), [{ text: "ma\\x1bin+0x1" }]);
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
