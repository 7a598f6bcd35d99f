/**
 * Names and paths that want to steer a terminal, end a line or a field, or
 * become markup, through every renderer of the report.
 */

import { assert } from "../../tests/support/assert.ts";
import { checkProperty, property } from "../../tests/support/property.ts";
import type { Measurements, StackFrame } from "../api/measurements.ts";
import { renderCsvReport } from "./csv_report.ts";
import { renderHtmlReport } from "./html/html_report.ts";
import { renderJsonReport } from "./json_report.ts";
import type { Report } from "./report.ts";
import { toReport } from "./report.ts";
import { reportSchema } from "./report_schema.ts";
import { EventDigest } from "./event_digest.ts";
import { buildMeasurements, PEER, TARGET_ID, type WorldSketch } from "./test_measurements.ts";
import { renderTextReport } from "./text_report.ts";

/** Controls of both sets, what turns the direction of text, what is no character, other line ends. */
const STEERING =
  // deno-lint-ignore no-control-regex -- these are what must not appear
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]/u;

const PIECES = [
  "\x1b[2J",
  "\x1b]0;owned\x07",
  "\x9b31m",
  "\r\n",
  "\n2. CRITICAL [slow-peer] made up\n",
  "\u202e",
  "\u2066",
  "\u2028",
  "\ufeff",
  "\0",
  "\ud800",
  '"',
  "'",
  ",",
  ";",
  "=cmd|' /C calc'!A0",
  "</script><script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "&lt;",
  "{{x}}",
  "`",
  "x".repeat(300),
  "../../etc/passwd",
  "%s%n",
  "é",
  "日本",
];

const hostileName = property.oneof(
  property.array(property.constantFrom(...PIECES), { minLength: 1, maxLength: 4 }).map((parts) => parts.join("")),
  property.string({ unit: "binary", maxLength: 40 }),
);

/** A world in which every text that a target chooses is `name`, raw: as if nobody before had sanitised it. */
function reportOf(name: string): Report {
  const world: WorldSketch = {
    processes: [{
      processId: 100,
      command: name,
      commandLine: [name, `--password=${name}`],
      threads: [{
        threadId: 100,
        command: name,
        onCpuMs: 700,
        waits: [
          { waitClass: "network", object: PEER, systemCall: "recvfrom", count: 20, eachMs: 100 },
          { waitClass: "network", object: { kind: "unixPeer", id: "7", path: name }, count: 10, eachMs: 100 },
          { waitClass: "diskWrite", object: { kind: "file", id: "8:0:1", path: name }, count: 40, eachMs: 20 },
          {
            waitClass: "lock",
            object: { kind: "lock", address: "0x10" },
            count: 5,
            eachMs: 50,
            waker: { threadId: 101, processId: 100, command: name },
          },
        ],
      }],
    }],
    lockChains: [{ lockAddress: "0x10", holder: { threadId: 101, processId: 100, command: name }, totalMs: 200 }],
    cgroups: [{
      targetId: TARGET_ID,
      path: name,
      cpuLimit: 1,
      periodCount: 10,
      throttledPeriodCount: 5,
      throttledMs: 100,
      cpuUsageMs: 700,
      pressure: undefined,
    }],
    cpuSamples: [{ stack: ["placeholder"], sampleCount: 50 }],
  };
  const frame: StackFrame = {
    text: `${name}+0x1`,
    function: name,
    offset: 1,
    module: name,
    buildId: undefined,
    isResolved: true,
  };
  const built = buildMeasurements(world);
  const measurements: Measurements = {
    ...built,
    waits: built.waits.map((wait) => ({ ...wait, userStack: [frame, { ...frame, isResolved: false }] })),
    cpuSamples: built.cpuSamples.map((sample) => ({ ...sample, userStack: [frame] })),
  };
  const digest = new EventDigest().summary();
  return toReport({ measurements, digest, runEnd: { endReason: "commandEnded", command: commandOf(name) } }, {
    targetLabels: new Map([[TARGET_ID, name]]),
  });
}

function commandOf(name: string) {
  return { argv: [name, name], exitCode: 1, signal: undefined };
}

function stringsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => [key, ...stringsIn(member)]);
}

Deno.test("incident 7: no name steers a terminal from the text report, or adds a line to it", () => {
  const lineCount = renderTextReport(reportOf("plain")).split("\n").filter((line) => /^\d+\. /.test(line)).length;
  checkProperty(hostileName, (name) => {
    const text = renderTextReport(reportOf(name));
    assert.doesNotMatch(text, STEERING);
    const headings = text.split("\n").filter((line) => /^\d+\. [A-Z]+ \[/.test(line)).length;
    assert.ok(headings <= lineCount, text);
    assert.ok(text.split("\n").every((line) => Array.from(line).length <= 400), text);
  }, { runCount: 150 });
});

Deno.test("incident 7: every string of the JSON report is harmless, and the report is still of its shape", () => {
  checkProperty(hostileName, (name) => {
    const text = renderJsonReport(reportOf(name));
    assert.doesNotMatch(text, STEERING);
    const json: unknown = JSON.parse(text);
    reportSchema.parse(json);
    for (const found of stringsIn(json)) assert.doesNotMatch(found, new RegExp(`${STEERING.source}|\\n`, "u"));
  }, { runCount: 150 });
});

/** As RFC 4180 has them: quoted ones hold anything, a quote doubled. */
function fieldsOf(csv: string): readonly string[] {
  return Array.from(
    csv.matchAll(/(?:^|,|\r\n)(?:"((?:[^"]|"")*)"|([^",\r\n]*))/g),
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? "",
  );
}

Deno.test("incident 7: no name leaves its field of the CSV report", () => {
  const rowCount = renderCsvReport(reportOf("plain")).split("\r\n").length;
  checkProperty(hostileName, (name) => {
    const text = renderCsvReport(reportOf(name));
    assert.doesNotMatch(text.replaceAll("\r\n", ""), STEERING);
    assert.equal(text.split("\r\n").length, rowCount, text);
    for (const field of fieldsOf(text)) assert.doesNotMatch(field, /^[=+@]/, text);
  }, { runCount: 150 });
});

Deno.test("incident 7: no name becomes an element or an attribute of the HTML report", () => {
  // How many there are depends on how long names are; which kinds, and with which attributes, does not.
  const element = /<([a-zA-Z/!][^\s>"]*)((?:\s+[^\s=>"]+(?:="[^"]*")?)*)\s*\/?>/g;
  const kindsOf = (html: string) => {
    const found = [...html.matchAll(element)];
    const begun = html.match(/<[a-zA-Z/!]/g)?.length ?? 0;
    assert.equal(found.length, begun, "an element with attributes that are not quoted");
    return new Set(
      found.map(([, tag, attributes = ""]) => `${tag} ${attributes.replaceAll(/="[^"]*"/g, "").trim()}`),
    );
  };
  const known = kindsOf(renderHtmlReport(reportOf("plain")));
  const longer = kindsOf(renderHtmlReport(reportOf("a name of several words that is cut ".repeat(9))));
  checkProperty(hostileName, (name) => {
    const html = renderHtmlReport(reportOf(name));
    assert.doesNotMatch(html, STEERING);
    assert.ok(!html.includes("<script>alert") && !html.includes("<img src=x"), html);
    const unknown = [...kindsOf(html)].filter((kind) => !known.has(kind) && !longer.has(kind));
    assert.deepEqual(unknown, []);
  }, { runCount: 60 });
});
