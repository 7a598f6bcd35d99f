import { assert } from "../../tests/support/assert.ts";
import { measureWallOffsetMs } from "./wall_offset.ts";

Deno.test("measureWallOffsetMs() takes the reading that took the least time, from its middle", () => {
  const readings = [
    { beforeMs: 100, wallMs: 9100, afterMs: 140 },
    { beforeMs: 200, wallMs: 9205, afterMs: 209 },
    { beforeMs: 300, wallMs: 5301, afterMs: 302 },
    { beforeMs: 400, wallMs: 9430, afterMs: 430 },
    { beforeMs: 500, wallMs: 9500, afterMs: 502.5 },
  ];
  const monotonic = readings.flatMap((reading) => [reading.beforeMs, reading.afterMs]);
  const walls = readings.map((reading) => reading.wallMs);
  const clock = { monotonicMs: () => monotonic.shift() ?? NaN, wallMs: () => walls.shift() ?? NaN };

  assert.equal(measureWallOffsetMs(clock), 5000);
});
