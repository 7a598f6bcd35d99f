import { assert } from "../../tests/support/assert.ts";
import { ALERT_KEYS_MAX } from "../api/limits.ts";
import { MinuteRate, ToldAlerts } from "./admission.ts";

Deno.test("MinuteRate lets as many through as allowed in any span of one minute", () => {
  const rate = new MinuteRate({ countMax: 2 });
  const passes = [0, 30_000, 59_999, 60_000, 60_001, 90_000, 90_001].map((nowMs) => rate.tryPass(nowMs));
  assert.deepEqual(passes, [true, true, false, true, false, true, false]);
});

Deno.test("ToldAlerts forgets the oldest when it is full", () => {
  const told = new ToldAlerts({ windowMs: 1_000_000 });
  for (let index = 0; index <= ALERT_KEYS_MAX; index++) told.remember(`${index}`, index);
  assert.equal(told.has("0", ALERT_KEYS_MAX), false);
  assert.equal(told.has("1", ALERT_KEYS_MAX), true);
  assert.equal(told.has(`${ALERT_KEYS_MAX}`, ALERT_KEYS_MAX), true);
});
