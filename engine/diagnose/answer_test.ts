import { assert } from "../../tests/support/assert.ts";
import { describeTargets } from "./answer.ts";

const targetsOf = (count: number) => ({
  targets: Array.from({ length: count }, (_, index) => ({ label: `pid ${index}` })),
});

Deno.test("describeTargets() names a few targets and counts the others", () => {
  assert.equal(describeTargets(targetsOf(0)), "no target");
  assert.equal(describeTargets(targetsOf(2)), "pid 0, pid 1");
  assert.match(describeTargets(targetsOf(8)), /pid 6, pid 7$/);
  assert.match(describeTargets(targetsOf(9)), /pid 6, pid 7 and 1 more target$/);
  assert.match(describeTargets(targetsOf(4096)), /pid 6, pid 7 and 4,?088 more targets$/);
});
