import { assert } from "../../../tests/support/assert.ts";
import { toHookFigure } from "./hook_cost.ts";

const WORKLOAD = { name: "hooks", callsPerRound: 2, how: "rounds" };

for (const [costNs, verdict] of [[100, "PASS"], [101, "FAIL"]] as const) {
  Deno.test(`toHookFigure() says ${verdict} to ${costNs} ns a call, whatever drifts`, () => {
    const blocks = [1000, 1500, 700].map((beforeNs) => ({
      beforeNs,
      attachedNs: beforeNs + 50 + 2 * costNs,
      afterNs: beforeNs + 100,
    }));
    const figure = toHookFigure(WORKLOAD, blocks);
    assert.equal(figure.value, costNs);
    assert.equal(figure.verdict, verdict);
  });
}
