import { DIAGNOSE_DURATION_MS_MAX, SLOW_SOCKET_MS_DEFAULT } from "../../engine/api/limits.ts";
import { DEFAULT_PLANES } from "../../engine/api/plane.ts";
import { DEFAULT_THRESHOLDS } from "../../engine/api/thresholds.ts";
import { assert } from "../../tests/support/assert.ts";
import { UsageError } from "../usage_error.ts";
import { describeUncollected, type SelectionArguments, toPlanes, toSelection } from "./selection.ts";

const NOTHING: SelectionArguments = {
  filter: [],
  errorThreshold: undefined,
  rttThreshold: undefined,
  fsThreshold: undefined,
};

function refusalOf(overrides: Partial<SelectionArguments>): string {
  try {
    toSelection({ ...NOTHING, ...overrides });
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return "accepted";
}

Deno.test("toSelection() takes everything by default, and lists in any spelling", () => {
  assert.deepEqual(toSelection(NOTHING), {
    categories: undefined,
    thresholds: DEFAULT_THRESHOLDS,
    slowWaitMsByClass: {},
    slowSocketMs: SLOW_SOCKET_MS_DEFAULT,
  });
  const { categories } = toSelection({ ...NOTHING, filter: ["net, FS", "lock", "net"] });
  assert.deepEqual(categories, new Set(["net", "fs", "lock"]));
  assert.equal(refusalOf({ filter: [`net${",net".repeat(24)}`] }), "accepted");
});

Deno.test("toSelection() refuses what is no category and says what there is", () => {
  const known = "expected time, net, fs, cpu, mem, proc, lock, dns";
  const table: readonly (readonly [readonly string[], string])[] = [
    [["nett"], `invalid event filter: "nett" is no category; ${known}; did you mean net?`],
    [["net,banana"], `invalid event filter: "banana" is no category; ${known}`],
    [["net,"], `invalid event filter: "" is no category; ${known}`],
    [[""], `invalid event filter: "" is no category; ${known}`],
    [["usdt"], `invalid event filter: "usdt" is not collected in this version; ${known}`],
    [["dnss"], `invalid event filter: "dnss" is no category; ${known}; did you mean dns?`],
    [["a".repeat(101)], "invalid event filter: --filter has 101 characters, expected at most 100"],
  ];
  for (const [filter, expected] of table) assert.equal(refusalOf({ filter }), expected);
});

Deno.test("toSelection() takes every category of the reference, and says what of it is not collected", () => {
  for (const name of ["dns", "net", "fs", "cpu", "proc"]) assert.equal(refusalOf({ filter: [name] }), "accepted", name);
  const selection = toSelection({ ...NOTHING, filter: ["DNS,cpu"] });
  assert.deepEqual(selection.categories, new Set(["cpu", "net"]));
  assert.deepEqual(selection.uncollected, ["dns"]);
  assert.match(describeUncollected(selection).join(), /^--filter dns: the names, .* are not collected in this version/);
  assert.deepEqual(describeUncollected(toSelection(NOTHING)), []);
});

Deno.test("toSelection() takes thresholds within their bounds, and a given one is what rules and events go by", () => {
  const selection = toSelection({ ...NOTHING, errorThreshold: "0", rttThreshold: "250.5", fsThreshold: "0" });
  assert.deepEqual(selection.thresholds, { errorPercent: 0, rttMs: 250.5, slowPeerMs: 250.5, fsMs: 0, slowReadMs: 0 });
  assert.equal(selection.slowSocketMs, 250.5);
  assert.deepEqual(selection.slowWaitMsByClass, { network: 250.5, diskRead: 0, diskWrite: 0, pageFault: 0 });
  assert.equal(toSelection({ ...NOTHING, errorThreshold: "100" }).thresholds.errorPercent, 100);
});

Deno.test("toSelection() refuses thresholds out of their bounds", () => {
  const percent = "expected a percentage from 0 to 100";
  const milliseconds = `expected milliseconds from 0 to ${DIAGNOSE_DURATION_MS_MAX}`;
  for (const text of ["-1", "100.1", "ten", "", "1e1", "NaN", "10%"]) {
    const expected = `invalid error threshold: --error-threshold is ${JSON.stringify(text)}, ${percent}`;
    assert.equal(refusalOf({ errorThreshold: text }), expected);
  }
  for (const text of ["-1", "100ms", "", "Infinity", String(DIAGNOSE_DURATION_MS_MAX + 1)]) {
    const quoted = JSON.stringify(text);
    assert.equal(
      refusalOf({ rttThreshold: text }),
      `invalid RTT threshold: --rtt-threshold is ${quoted}, ${milliseconds}`,
    );
    assert.equal(
      refusalOf({ fsThreshold: text }),
      `invalid file system threshold: --fs-threshold is ${quoted}, ${milliseconds}`,
    );
  }
});

Deno.test("toPlanes() asks for what the categories need, and for details per file only by name", () => {
  assert.equal(toPlanes(undefined), DEFAULT_PLANES);
  assert.equal(DEFAULT_PLANES.has("files"), false);
  assert.deepEqual(toPlanes(new Set(["fs"])), new Set(["time", "files"]));
  assert.deepEqual(toPlanes(new Set(["net", "proc", "mem"])), new Set(["time", "sockets", "memory"]));
  assert.deepEqual(toPlanes(new Set(["lock", "cpu", "time"])), new Set(["time"]));
  assert.deepEqual(toPlanes(new Set(["lock"]), { hasStacks: true }), new Set(["time", "profile"]));
  assert.deepEqual(toPlanes(undefined, { hasStacks: true }), new Set([...DEFAULT_PLANES, "profile"]));
});
