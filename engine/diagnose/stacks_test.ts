import { assert } from "../../tests/support/assert.ts";
import { renderJsonReport } from "./json_report.ts";
import { reportSchema } from "./report_schema.ts";
import { dearestStacks, describeFrames, STACKS_MAX } from "./stacks.ts";
import { buildReport, buildWait, PEER, TARGET_ID } from "./test_measurements.ts";
import { renderTextReport } from "./text_report.ts";

const IDS = { targetId: TARGET_ID, processId: 100, threadId: 100 };

function waitIn(stack: readonly string[], figures: { count: number; eachMs: number }) {
  return buildWait({ waitClass: "network", object: PEER, systemCall: "recvfrom", stack, ...figures }, IDS);
}

Deno.test("dearestStacks() adds equal stacks up and puts the one with most time first", () => {
  const stacks = dearestStacks([
    waitIn(["recv+0x1", "login+0x2"], { count: 50, eachMs: 1 }),
    waitIn(["recv+0x1", "search+0x2"], { count: 1, eachMs: 40 }),
    waitIn(["recv+0x1", "search+0x2"], { count: 2, eachMs: 20 }),
  ]);
  assert.deepEqual(stacks, [
    { frames: ["recv+0x1", "search+0x2"], totalMs: 80, count: 3 },
    { frames: ["recv+0x1", "login+0x2"], totalMs: 50, count: 50 },
  ]);
});

Deno.test("dearestStacks() leaves out waits without a stack and keeps a bounded number", () => {
  assert.deepEqual(dearestStacks([waitIn([], { count: 1, eachMs: 40 })]), []);
  const many = Array.from({ length: STACKS_MAX + 1 }, (_, index) => waitIn([`f+${index}`], { count: 1, eachMs: 1 }));
  assert.equal(dearestStacks(many).length, STACKS_MAX);
});

Deno.test("describeFrames() shows six frames, innermost first, and counts the others", () => {
  const frames = ["a", "b", "c", "d", "e", "f", "g", "h"];
  assert.equal(describeFrames(frames.slice(0, 6)), "a < b < c < d < e < f");
  assert.equal(describeFrames(frames.slice(0, 7)), "a < b < c < d < e < f ... 1 more");
  assert.equal(describeFrames(frames), "a < b < c < d < e < f ... 2 more");
});

function reportWith(stacks: readonly (readonly string[])[]) {
  return buildReport({
    processes: [{
      processId: 100,
      command: "shop",
      threads: [{
        threadId: 100,
        onCpuMs: 500,
        waits: stacks.map((stack, index) => ({
          waitClass: "network",
          object: PEER,
          systemCall: "recvfrom",
          stack,
          count: 10,
          eachMs: 100 * (index + 1),
        })),
      }],
    }],
  });
}

Deno.test("waits on one object with different stacks are one row with the dearest stack in text", () => {
  const text = renderTextReport(reportWith([["recv+0x1", "login+0x2"], ["recv+0x1", "search+0x2", "main+0x9"]]));
  const rows = text.split("\n").filter((line) => line.startsWith("  network: recvfrom 10.0.0.9:5432"));
  assert.equal(rows.length, 1, text);
  assert.match(text, /^ {4}66\.7% in recv\+0x1 < search\+0x2 < main\+0x9$/m);
  assert.match(text, /^ {13}66\.7% of it in recv\+0x1 < search\+0x2 < main\+0x9$/m);
  assert.ok(!text.slice(0, text.indexOf("HOTTEST STACKS")).includes("login"));
});

Deno.test("both stacks are in the JSON, on the row and in the evidence", () => {
  const json = reportSchema.parse(
    JSON.parse(renderJsonReport(reportWith([["recv+0x1", "login+0x2"], ["recv+0x1", "search+0x2"]]))),
  );
  const expected = [
    { totalMs: 2000, count: 10, frames: ["recv+0x1", "search+0x2"] },
    { totalMs: 1000, count: 10, frames: ["recv+0x1", "login+0x2"] },
  ];
  assert.deepEqual(json.timeLedger.waits.filter((wait) => wait.class === "network").map((wait) => wait.userStacks), [
    expected,
  ]);
  assert.deepEqual(json.findings.find((finding) => finding.id === "slow-peer")?.evidence.userStacks, expected);
});

Deno.test("nothing is said of stacks where none were taken", () => {
  const report = reportWith([[]]);
  assert.ok(!renderJsonReport(report).includes("userStacks"));
  assert.doesNotMatch(renderTextReport(report), /% (of it )?in recv/);
});
