import { assert } from "../../tests/support/assert.ts";
import { property } from "../../tests/support/property.ts";
import { HEALTHY_REPORT, PARTIAL_REPORT, TROUBLED_REPORT } from "./sample_reports.ts";
import { buildReport, PEER, type ThreadSketch } from "./test_measurements.ts";
import type { RunEnd } from "./report.ts";
import { COLUMNS } from "./text_layout.ts";
import { renderTextReport } from "./text_report.ts";

Deno.test("renderTextReport() of a troubled target", async (t) => {
  await t.assertSnapshot(renderTextReport(TROUBLED_REPORT));
});

Deno.test("renderTextReport() of a healthy target", async (t) => {
  await t.assertSnapshot(renderTextReport(HEALTHY_REPORT));
});

Deno.test("renderTextReport() of a partial look", async (t) => {
  await t.assertSnapshot(renderTextReport(PARTIAL_REPORT));
});

Deno.test("renderTextReport() answers on the first screen", () => {
  const screen = renderTextReport(TROUBLED_REPORT).split("\n").slice(0, 25).join("\n");
  for (const name of ["10.0.0.9:5432", "/srv/shop/data.bin", "lock 0x7f3a10c0", "flusher (101)", "thumbnailer"]) {
    assert.ok(screen.includes(name), `${name} is not on the first screen:\n${screen}`);
  }
});

Deno.test("renderTextReport() says nothing of health that was not seen whole", () => {
  const healthy = "Nothing above info was found.";
  assert.ok(renderTextReport(HEALTHY_REPORT).includes(healthy));
  const text = renderTextReport(PARTIAL_REPORT);
  assert.ok(!text.includes(healthy));
  assert.match(
    text.replaceAll("\n", " "),
    /in what could be seen, which is not everything: waits PARTIAL, lifecycle BLIND/,
  );
  assert.match(text.replaceAll("\n", " "), /Too little was seen of waits, lifecycle to judge them at all\./);
  assert.match(text, /Not said: "no pipe waits", because waits is PARTIAL 42\.4%/);
});

Deno.test("renderTextReport() of a run that saw no thread is one sentence and the books", () => {
  const text = renderTextReport(buildReport());
  assert.match(text, /^No events were collected/m);
  assert.match(text, /HOW COMPLETE IT IS/);
  assert.doesNotMatch(text, /Nothing above info|WHERE THE TIME WENT/);
});

Deno.test("renderTextReport() shows the busiest threads and the sums of the others", () => {
  const threads = Array.from({ length: 43 }, (_, index): ThreadSketch => ({
    threadId: 100 + index,
    command: `worker-${index}`,
    onCpuMs: 1000 + index,
  }));
  const text = renderTextReport(buildReport({ processes: [{ processId: 100, command: "shop", threads }] }));
  assert.match(text, /^ {4}worker-42 142 /m);
  assert.match(text, /^ {4}and 37 more .* 370\.00 s/m);
  assert.doesNotMatch(text, /worker-36/);
});

Deno.test("renderTextReport() says why the window closed early and what became of the command", () => {
  const textOf = (runEnd: RunEnd) => renderTextReport({ ...HEALTHY_REPORT, runEnd });
  const command = { argv: ["job", "--token", "t1"], exitCode: 7, signal: undefined };
  assert.match(textOf({ endReason: "commandEnded", command }), /^command: job --token \*\*\* exited with 7$/m);
  assert.match(
    textOf({
      endReason: "duration",
      command: { ...command, exitCode: undefined, signal: "SIGTERM", stoppedBy: "SIGTERM" },
    }),
    /was ended by SIGTERM, after we sent SIGTERM at the end of the window$/m,
  );
  assert.match(textOf({ endReason: "interrupted" }), /^ended early: interrupted$/m);
  assert.doesNotMatch(textOf({ endReason: "duration" }), /ended early|command:/);
});

Deno.test("renderTextReport() fits every width it is asked for, within its own bounds", () => {
  const widest = (columns: number) =>
    Math.max(...renderTextReport(PARTIAL_REPORT, { columns }).split("\n").map((line) => Array.from(line).length));
  for (const columns of [80, 93, 100, 140]) assert.ok(widest(columns) <= columns, `${widest(columns)} of ${columns}`);
  assert.equal(renderTextReport(PARTIAL_REPORT, { columns: 20 }), renderTextReport(PARTIAL_REPORT, { columns: 80 }));
  assert.equal(renderTextReport(PARTIAL_REPORT, { columns: 999 }), renderTextReport(PARTIAL_REPORT, { columns: 140 }));
  assert.equal(renderTextReport(PARTIAL_REPORT), renderTextReport(PARTIAL_REPORT, { columns: COLUMNS }));
});

Deno.test("renderTextReport() hides secrets of command lines", () => {
  assert.ok(!renderTextReport(TROUBLED_REPORT).includes("hunter2"));
});

Deno.test("renderTextReport() is at most 100 columns wide and steers no terminal, whatever names the target has", () => {
  const name = property.string({ unit: "binary", maxLength: 300 });
  property.assert(
    property.property(
      name,
      name,
      name,
      property.array(name, { maxLength: 6 }),
      (command, path, thread, commandLine) => {
        const text = renderTextReport(buildReport({
          processes: [{
            processId: 4_194_304,
            command,
            commandLine,
            threads: [
              {
                threadId: 4_194_304,
                onCpuMs: 100,
                waits: [
                  {
                    waitClass: "diskWrite",
                    object: { kind: "file", id: "8:1:1", path },
                    systemCall: "fsync",
                    count: 9,
                    eachMs: 400,
                  },
                  { waitClass: "network", object: { ...PEER, address: path } as typeof PEER, count: 9, eachMs: 300 },
                ],
              },
              { threadId: 4_194_303, command: thread, onCpuMs: 200 },
            ],
          }],
        }));
        for (const line of text.split("\n")) {
          assert.ok(Array.from(line).length <= COLUMNS, `${Array.from(line).length} columns: ${line}`);
        }
        assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/);
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("renderTextReport() tells many ended children of one name, and the waits for them, in one line each", () => {
  const CHILDREN = 12;
  const text = renderTextReport(buildReport({
    processes: [
      {
        processId: 100,
        command: "shop",
        threads: [{
          threadId: 100,
          onCpuMs: 10,
          waits: Array.from({ length: CHILDREN }, (_, index) => ({
            waitClass: "child" as const,
            object: { kind: "child" as const, processId: 200 + index },
            systemCall: "wait4",
            count: 1,
            eachMs: index + 1,
          })),
        }],
      },
      ...Array.from({ length: CHILDREN }, (_, index) => ({
        processId: 200 + index,
        parentProcessId: 100,
        command: "helper",
        exited: true,
        threads: [{ threadId: 200 + index, lifetimeMs: 1.5, onCpuMs: 1.5 }],
      })),
    ],
  }));
  assert.match(text, /^ {2}12 ended: helper +\[#{40}\] +18\.0 ms 100\.0%/m);
  assert.doesNotMatch(text, /helper \(2\d\d\)/);
  assert.match(text, /^ {2}child: wait4 12 children +12 +78\.00 +6\.50 +12\.00 /m);
});

Deno.test("renderTextReport() counts stopped time as neither idle nor held up", () => {
  const text = renderTextReport(buildReport({
    processes: [{
      processId: 100,
      command: "shop",
      threads: [{ threadId: 100, onCpuMs: 1000, waits: [{ waitClass: "stopped", count: 3, eachMs: 2500 }] }],
    }],
  }));
  assert.match(text, /^on CPU 10\.0%, held up 0\.0%, stopped 75\.0%, idle 15\.0% of the threads' time$/m);
  assert.match(text, /^ {2}stopped: .*\(not named\) +3 +7500\.00 /m);
  assert.match(text, /^WHERE THE TIME WENT {2}# on CPU {2}S stopped {2}\. idle$/m);
});

Deno.test("renderTextReport() tells every finding above info in full", () => {
  const threads = Array.from({ length: 9 }, (_, index): ThreadSketch => ({
    threadId: 100 + index,
    waits: [{
      waitClass: "network",
      object: { kind: "peer", protocol: "tcp", address: `10.0.0.${index}`, port: 5432 },
      systemCall: "recvfrom",
      count: 50,
      eachMs: 100,
    }],
  }));
  const text = renderTextReport(buildReport({ processes: [{ processId: 100, command: "shop", threads }] }));
  assert.equal(text.match(/^\d\. WARNING \[slow-peer\]/gm)?.length, 9);
  assert.equal(text.match(/^ {3}next /gm)?.length, 9);
  assert.doesNotMatch(text, /^Also:/m);
});

Deno.test("renderTextReport() cuts a long name, never the thread's id", () => {
  const threads = [1_234_567, 1_234_568].map((threadId): ThreadSketch => ({
    threadId,
    command: "a-very-long-nam",
    onCpuMs: 1000,
  }));
  const command = "a-name-from-the-command-line-of-long";
  const text = renderTextReport(buildReport({ processes: [{ processId: 1_234_567, command, threads }] }));
  assert.match(text, /^ {2}a-name\S*~ \(1234567\) /m);
  for (const { threadId } of threads) assert.match(text, new RegExp(`^ {4}a-very-\\S* ${threadId} `, "m"));
});
