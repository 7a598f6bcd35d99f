import { assert } from "../../tests/support/assert.ts";
import { renderCsvReport } from "./csv_report.ts";
import { renderHtmlReport } from "./html/html_report.ts";
import { renderJsonReport } from "./json_report.ts";
import { reportSchema } from "./report_schema.ts";
import { PROFILE_STACKS_MAX, toStackProfile } from "./stack_profile.ts";
import { buildMeasurements, buildReport, PEER, type WorldSketch } from "./test_measurements.ts";
import { renderTextReport } from "./text_report.ts";

const BUILD = "libmath.so[buildid:0123456789abcdef0123456789abcdef01234567]+0x1234";

const WORLD: WorldSketch = {
  processes: [{
    processId: 100,
    command: "shop;x",
    threads: [{
      threadId: 100,
      onCpuMs: 1000,
      waits: [
        // One stack but for where in its functions it was.
        { waitClass: "network", object: PEER, stack: ["recv+0x1", "search+0x2", "main+0x9"], count: 10, eachMs: 100 },
        { waitClass: "network", object: PEER, stack: ["recv+0x1", "search+0x8", "main+0x9"], count: 10, eachMs: 50 },
        { waitClass: "network", object: PEER, stack: ["recv+0x1", "login+0x2", "main+0x9"], count: 5, eachMs: 100 },
        { waitClass: "network", object: PEER, count: 1, eachMs: 500 },
        { waitClass: "lock", stack: ["lock+0x1", "main+0x2"], count: 1, eachMs: 7 },
        { waitClass: "idle", stack: ["poll+0x1", "main+0x2"], count: 1, eachMs: 70 },
      ],
    }],
  }],
  cpuSamples: [
    { stack: ["parse+0x4", "main+0x9"], sampleCount: 60 },
    { stack: ["parse+0x8", "main+0x9"], sampleCount: 6 },
    { stack: [BUILD, "main+0x9"], sampleCount: 30 },
    { stack: [], sampleCount: 3 },
  ],
};

Deno.test("toStackProfile() adds up stacks of the same functions, computing first, then waits by time", () => {
  const profile = toStackProfile(buildMeasurements(WORLD));
  const [onCpu, network, idle, lock] = profile?.parts ?? [];
  assert.deepEqual([onCpu, network, idle, lock].map((part) => part?.waitClass), [
    undefined,
    "network",
    "idle",
    "lock",
  ]);
  assert.deepEqual(
    onCpu?.stacks.map(({ frames, count, share }) => [
      frames.map(({ text }) => text),
      count,
      share.toFixed(6),
    ]),
    [
      [["parse", "main"], 66, "0.666667"],
      [[BUILD, "main"], 30, "0.303030"],
    ],
  );
  assert.deepEqual([onCpu?.totalMs.toFixed(3), onCpu?.count, onCpu?.withoutStackMs.toFixed(3)], [
    "1000.000",
    99,
    "30.303",
  ]);
  assert.deepEqual(network?.stacks.map(({ totalMs, count, share }) => [totalMs, count, share]), [
    [1500, 20, 0.6],
    [500, 5, 0.2],
  ]);
  assert.deepEqual([network?.totalMs, network?.withoutStackMs], [2500, 500]);
});

Deno.test("toStackProfile() folds stacks from the outermost in, and keeps separators out of names", () => {
  const profile = toStackProfile(buildMeasurements(WORLD));
  assert.deepEqual(profile?.foldedOnCpu, ["shop:x;main;parse 66", `shop:x;main;${BUILD} 30`]);
  assert.deepEqual(profile?.foldedOffCpu, [
    "shop:x;main;search;recv;[network] 1500000",
    "shop:x;main;login;recv;[network] 500000",
    "shop:x;main;poll;[idle] 70000",
    "shop:x;main;lock;[lock] 7000",
  ]);
});

Deno.test("toStackProfile() yields nothing where no stack was taken, and a bounded number where many were", () => {
  assert.equal(toStackProfile(buildMeasurements({ cpuSamples: [{ stack: [], sampleCount: 9 }] })), undefined);
  const cpuSamples = Array.from({ length: PROFILE_STACKS_MAX + 7 }, (_, index) => ({
    stack: [`f${index}+0x1`],
    sampleCount: index + 1,
  }));
  const [part] = toStackProfile(buildMeasurements({ cpuSamples }))?.parts ?? [];
  assert.deepEqual([part?.stacks.length, part?.omittedStackCount], [PROFILE_STACKS_MAX, 7]);
  assert.equal(part?.stacks[0]?.count, PROFILE_STACKS_MAX + 7);
});

Deno.test("the text shows the hottest stacks with shares, and build ids by their beginning", () => {
  const text = renderTextReport(buildReport(WORLD));
  const section = text.slice(text.indexOf("HOTTEST STACKS"), text.indexOf("\n\n", text.indexOf("HOTTEST STACKS")));
  assert.deepEqual(section.split("\n"), [
    "HOTTEST STACKS, the innermost function first",
    "  computing: about 1.00 s, 99 samples at 99 a second and CPU",
    "     66.7%  parse < main",
    "     30.3%  libmath.so[buildid:01234567...]+0x1234 < main",
    "      3.0%  no stack could be taken",
    "  network: 2500.00 ms in 26 waits",
    "     60.0%  recv < search < main",
    "     20.0%  recv < login < main",
    "     20.0%  no stack could be taken",
    "  lock: 7.00 ms in 1 wait",
    "    100.0%  lock < main",
  ]);
  assert.ok(!renderTextReport(buildReport({ processes: [] })).includes("HOTTEST"));
});

Deno.test("the JSON has every part, frames as data, and folded stacks", () => {
  const json = reportSchema.parse(JSON.parse(renderJsonReport(buildReport(WORLD))));
  assert.deepEqual(json.stacks?.parts.map((part) => part.part), ["computing", "network", "idle", "lock"]);
  assert.deepEqual(json.stacks?.parts[0]?.stacks[1]?.frames, [
    { text: BUILD, isResolved: false },
    { text: "main", isResolved: true },
  ]);
  assert.equal(json.stacks?.foldedOffCpu[0], "shop:x;main;search;recv;[network] 1500000");
  assert.equal(json.stacks?.samplesPerSecond, 99);
  const without = reportSchema.parse(JSON.parse(renderJsonReport(buildReport({ processes: [] }))));
  assert.equal(without.stacks, undefined);
});

Deno.test("every form says how many frames have no name, of which file, and why", () => {
  const report = buildReport(WORLD);
  assert.deepEqual(report.stackProfile?.unnamed, [{ module: undefined, problem: "stripped", count: 30 }]);
  // 25 waits of three functions, a lock and an idle wait of two, 96 samples of two.
  assert.equal(report.stackProfile?.frameCount, 25 * 3 + 2 * 2 + 96 * 2);
  const said = "stack frames: 11.1% have no name: code of no file (the file is stripped) 11.1%";
  assert.ok(renderTextReport(report).replace(/\s+/g, " ").includes(said));
  assert.ok(renderHtmlReport(report).includes(said));
  assert.ok(renderCsvReport(report).includes(said));
  const json = reportSchema.parse(JSON.parse(renderJsonReport(report)));
  assert.deepEqual(json.stacks?.unnamed, [{ problem: "stripped", count: 30 }]);
  assert.ok(!renderTextReport(buildReport()).includes("have no name"));
});
