import { assert } from "../../../tests/support/assert.ts";
import { type Block, parseRequestsPerSecond, REDIS_SCENARIOS, type Slice, toRedisFigures } from "./redis_figure.ts";

const SCENARIO = REDIS_SCENARIOS.timePlane;

function slice(requestsPerSecond: number, serverNsPerRequest: number): Slice {
  return { requestsPerSecond, serverNsPerRequest };
}

/** A block in which drift is the same on both sides of what is traced. */
function block(drift: number, cost: { lossPercent: number; growthPercent: number }): Block {
  const untraced = slice(80_000 * drift, 7000 / drift);
  const traced = slice(
    untraced.requestsPerSecond * (1 - cost.lossPercent / 100),
    untraced.serverNsPerRequest * (1 + cost.growthPercent / 100),
  );
  return { before: [untraced, untraced], traced: [traced, traced, traced, traced], after: [untraced, untraced] };
}

const COSTS = [
  { lossPercent: 1, growthPercent: 3, verdicts: ["PASS", "FAIL", "INFO"] },
  { lossPercent: 3, growthPercent: 1, verdicts: ["FAIL", "PASS", "INFO"] },
];

for (const { verdicts, ...cost } of COSTS) {
  Deno.test(`toRedisFigures() finds ${cost.lossPercent} % and ${cost.growthPercent} %, whatever drifts between blocks`, () => {
    const figures = toRedisFigures(SCENARIO, [0.9, 1.2, 1, 0.8].map((drift) => block(drift, cost)));
    assert.deepEqual(figures.map(({ verdict }) => verdict), verdicts);
    assert.deepEqual(figures.slice(0, 2).map(({ value }) => value.toFixed(6)), [
      cost.lossPercent.toFixed(6),
      cost.growthPercent.toFixed(6),
    ]);
  });
}

Deno.test("toRedisFigures() is undecided when blocks disagree by more than the target", () => {
  const losses = [-5, 0, 4, 8];
  const [throughput] = toRedisFigures(
    SCENARIO,
    losses.map((lossPercent) => block(1, { lossPercent, growthPercent: 0 })),
  );
  assert.equal(throughput?.verdict, "UNDECIDED");
});

Deno.test("toRedisFigures() compares untraced slices across neighbouring blocks", () => {
  const blocks = [1, 0.5, 0.25].map((drift) => block(drift, { lossPercent: 0, growthPercent: 0 }));
  assert.equal(toRedisFigures(SCENARIO, blocks)[2]?.value.toFixed(6), "50.000000");
});

Deno.test("parseRequestsPerSecond() reads the row of SET", () => {
  const csv = '"test","rps","avg_latency_ms"\n"SET","81234.50","0.32"\n';
  assert.equal(parseRequestsPerSecond(csv), 81_234.5);
});

for (const csv of ["", '"test","rps"\n', '"SET","0.00"', '"GET","5.0"']) {
  Deno.test(`parseRequestsPerSecond() throws when there is only ${JSON.stringify(csv)}`, () => {
    assert.throws(() => parseRequestsPerSecond(csv), /Cannot read redis-benchmark/);
  });
}
