import { DEFAULT_PLANES } from "../../engine/api/plane.ts";
import { assert } from "../../tests/support/assert.ts";
import { SLOW_SOCKET_MS_DEFAULT } from "../../engine/api/limits.ts";
import { DEFAULT_THRESHOLDS } from "../../engine/api/thresholds.ts";
import { toProcessId } from "../../engine/api/units.ts";
import type { DiagnoseArguments } from "../options.ts";
import { UsageError } from "../usage_error.ts";
import { type DiagnoseRequest, toDiagnoseRequest } from "./request.ts";

const NOTHING: DiagnoseArguments = {
  pid: [],
  cgroup: [],
  container: [],
  isSystemWide: false,
  command: undefined,
  words: [],
  duration: undefined,
  diagnose: undefined,
  isNow: false,
  output: undefined,
  outputFile: undefined,
  record: undefined,
  replay: undefined,
  failOn: undefined,
  filter: [],
  isFollow: false,
  isTop: false,
  errorThreshold: undefined,
  rttThreshold: undefined,
  fsThreshold: undefined,
  slowWait: undefined,
  hasUserStacks: false,
  logLevel: undefined,
};

/** A valid command line with `overrides`. */
function given(overrides: Partial<DiagnoseArguments> = {}): DiagnoseArguments {
  return { ...NOTHING, pid: ["4711"], ...overrides };
}

function refusalOf(overrides: Partial<DiagnoseArguments>): string {
  try {
    toDiagnoseRequest({ ...NOTHING, ...overrides });
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return "accepted";
}

const HEX_64 = "3f2a9c0d1e4b".repeat(5) + "3f2a";

Deno.test("toDiagnoseRequest() fills in the defaults", () => {
  const expected: DiagnoseRequest = {
    target: { kind: "processes", processIds: [toProcessId(4711)] },
    view: {
      kind: "window",
      durationMs: 30_000,
      slowWaitMs: 10,
      slowFileMs: 10,
      hasUserStacks: false,
      planes: DEFAULT_PLANES,
      failOn: undefined,
      live: "none",
      selection: {
        categories: undefined,
        thresholds: DEFAULT_THRESHOLDS,
        slowWaitMsByClass: {},
        slowSocketMs: SLOW_SOCKET_MS_DEFAULT,
      },
    },
    output: "text",
    outputFile: undefined,
    recordingFile: undefined,
    logLevel: "info",
  };
  assert.deepEqual(toDiagnoseRequest(given()), expected);
});

Deno.test("toDiagnoseRequest() takes every option that is given", () => {
  const request = toDiagnoseRequest(given({
    duration: "1m",
    slowWait: "1ms",
    hasUserStacks: true,
    failOn: "critical",
    output: "json",
    outputFile: "report.json",
    record: "look.rec",
    logLevel: "debug",
    isFollow: true,
    filter: ["net"],
  }));
  assert.deepEqual(request, {
    target: { kind: "processes", processIds: [toProcessId(4711)] },
    view: {
      kind: "window",
      durationMs: 60_000,
      slowWaitMs: 1,
      slowFileMs: 10,
      hasUserStacks: true,
      planes: new Set(["time", "sockets", "profile"]),
      failOn: "critical",
      live: "follow",
      selection: {
        categories: new Set(["net"]),
        thresholds: DEFAULT_THRESHOLDS,
        slowWaitMsByClass: {},
        slowSocketMs: SLOW_SOCKET_MS_DEFAULT,
      },
    },
    output: "json",
    outputFile: "report.json",
    recordingFile: "look.rec",
    logLevel: "debug",
  });
  assert.deepEqual(toDiagnoseRequest(given({ isNow: true })).view, { kind: "now" });
});

Deno.test("toDiagnoseRequest() yields each kind of target in its one form", () => {
  const table: readonly (readonly [Partial<DiagnoseArguments>, DiagnoseRequest["target"]])[] = [
    [{ pid: ["1", "4194304", "1"] }, { kind: "processes", processIds: [toProcessId(1), toProcessId(4194304)] }],
    [{ pid: ["007"] }, { kind: "processes", processIds: [toProcessId(7)] }],
    [{ cgroup: ["/kubepods/x"] }, { kind: "cgroup", path: "/kubepods/x" }],
    [{ container: ["3f2a9c0d1e4b"] }, { kind: "container", id: "3f2a9c0d1e4b" }],
    [{ container: ["3F2A9C0D1E4B"] }, { kind: "container", id: "3f2a9c0d1e4b" }],
    [{ container: [HEX_64] }, { kind: "container", id: HEX_64 }],
    [{ container: [`containerd://${HEX_64}`] }, { kind: "container", id: HEX_64 }],
    [{ container: [`cri-o://${HEX_64}`] }, { kind: "container", id: HEX_64 }],
    [{ container: ["a".repeat(128)] }, { kind: "container", id: "a".repeat(128) }],
    [{ isSystemWide: true }, { kind: "system" }],
    [{ command: ["ls", "", "-l"] }, { kind: "command", argv: ["ls", "", "-l"] }],
  ];
  for (const [overrides, target] of table) {
    assert.deepEqual(toDiagnoseRequest({ ...NOTHING, ...overrides }).target, target);
  }
});

Deno.test("toDiagnoseRequest() refuses what is no target, or more than one kind of it", () => {
  const pid = "expected a process id from 1 to 4194304";
  const container = "expected 12 to 128 hexadecimal digits of its id";
  const table: readonly (readonly [Partial<DiagnoseArguments>, string])[] = [
    [
      {},
      "Cannot diagnose: no target given, expected --pid N, --cgroup PATH, --container ID, --system-wide, --replay FILE or -- COMMAND",
    ],
    [
      { pid: ["1"], cgroup: ["/a"] },
      "Cannot diagnose several kinds of target: found --pid and --cgroup, expected one of them",
    ],
    [
      { isSystemWide: true, command: ["ls"], container: ["x"] },
      "Cannot diagnose several kinds of target: found --container and --system-wide and -- COMMAND, expected one of them",
    ],
    [
      { words: ["web-0"] },
      'Cannot diagnose "web-0": pods cannot be targets in this build yet, name the container with --container ID; ' +
      "to start a command write it after --, as in -- web-0",
    ],
    [
      { pid: ["1"], words: ["ls", "-l"] },
      'Cannot diagnose "ls": pods cannot be targets in this build yet, name the container with --container ID; ' +
      "to start a command write it after --, as in -- ls -l",
    ],
    [{ pid: ["0"] }, `Cannot use --pid "0": ${pid}`],
    [{ pid: ["4194305"] }, `Cannot use --pid "4194305": ${pid}`],
    [{ pid: ["-3"] }, `Cannot use --pid "-3": ${pid}`],
    [{ pid: ["12,13"] }, `Cannot use --pid "12,13": ${pid}`],
    [{ pid: ["1e3"] }, `Cannot use --pid "1e3": ${pid}`],
    [{ pid: ["0x10"] }, `Cannot use --pid "0x10": ${pid}`],
    [{ pid: [""] }, `Cannot use --pid "": ${pid}`],
    [{ pid: ["1", "redis"] }, `Cannot use --pid "redis": ${pid}`],
    [{ pid: ["9".repeat(400)] }, `Cannot use --pid "${"9".repeat(400)}": ${pid}`],
    [{ cgroup: [""] }, 'Cannot use --cgroup "": expected a path that begins with /'],
    [{ cgroup: ["a/b"] }, 'Cannot use --cgroup "a/b": expected a path that begins with /'],
    [{ cgroup: ["/a", "/b"] }, "Cannot use --cgroup 2 times: expected one"],
    [{ container: [""] }, `Cannot use --container "": ${container}`],
    [{ container: ["3f2a9c0d1e4"] }, `Cannot use --container "3f2a9c0d1e4": ${container}`],
    [{ container: ["a".repeat(129)] }, `Cannot use --container "${"a".repeat(129)}": ${container}`],
    [{ container: ["../../etc/passwd"] }, `Cannot use --container "../../etc/passwd": ${container}`],
    [{ container: ["webserver-one"] }, `Cannot use --container "webserver-one": ${container}`],
    [{ container: [HEX_64, HEX_64] }, "Cannot use --container 2 times: expected one"],
    [{ command: [] }, "Cannot start a command: nothing follows --, expected COMMAND ARGS..."],
    [{ command: [""] }, 'Cannot start the command "": expected its name or path'],
  ];
  for (const [overrides, message] of table) assert.equal(refusalOf(overrides), message);
});

Deno.test("toDiagnoseRequest() takes 4096 processes and refuses one more", () => {
  const pid = Array.from({ length: 4096 }, (_, index) => String(index + 1));
  const { target } = toDiagnoseRequest(given({ pid }));
  assert.equal(target.kind === "processes" ? target.processIds.length : 0, 4096);
  assert.equal(
    refusalOf({ pid: [...pid, "4097"] }),
    "Cannot use --pid 4097 times: expected at most 4096 processes",
  );
});

Deno.test("toDiagnoseRequest() accepts durations above 0 up to 24h, for both spellings of the option", () => {
  const table: readonly (readonly [text: string, durationMs: number])[] = [
    ["1ns", 0.000001],
    ["1ms", 1],
    [".5s", 500],
    ["1.5h", 5_400_000],
    ["23h59m59.999999999s", 86_399_999.999999],
    ["24h", 86_400_000],
    ["24h0m0s", 86_400_000],
  ];
  for (const [text, durationMs] of table) {
    for (const overrides of [{ duration: text }, { diagnose: text }]) {
      const { view } = toDiagnoseRequest(given(overrides));
      assert.equal(view.kind === "window" ? view.durationMs : undefined, durationMs, text);
    }
  }
});

Deno.test("toDiagnoseRequest() refuses durations of 0, below 0, above 24h, and what is none", () => {
  const bounds = "expected more than 0s and at most 24h0m0s";
  const table: readonly (readonly [text: string, reason: string])[] = [
    ["0", bounds],
    ["0s", bounds],
    ["-0", bounds],
    ["0.1ns", bounds],
    ["-1ns", bounds],
    ["-5s", bounds],
    ["24h0m0.000000001s", bounds],
    ["24h0m0.001s", bounds],
    ["25h", bounds],
    ["2562047h", bounds],
    ["9999999h", '"9999999h" is beyond 292 years'],
    ["", '"" has no digits'],
    ["30", 'no unit after "30", expected ns, us, ms, s, m or h'],
    ["soon", 'expected digits at "soon"'],
    ["1d", 'unknown unit "d", expected ns, us, ms, s, m or h'],
  ];
  for (const [text, reason] of table) {
    assert.equal(refusalOf({ pid: ["1"], duration: text }), `Cannot use --duration ${JSON.stringify(text)}: ${reason}`);
    assert.equal(refusalOf({ pid: ["1"], diagnose: text }), `Cannot use --diagnose ${JSON.stringify(text)}: ${reason}`);
  }
});

Deno.test("toDiagnoseRequest() follows a command until it ends, unless a duration is given", () => {
  const open = toDiagnoseRequest({ ...NOTHING, command: ["make"] }).view;
  assert.equal(open.kind === "window" ? open.durationMs : undefined, 24 * 60 * 60 * 1000);
  const bounded = toDiagnoseRequest({ ...NOTHING, command: ["make"], duration: "2s" }).view;
  assert.equal(bounded.kind === "window" ? bounded.durationMs : undefined, 2000);
});

Deno.test("toDiagnoseRequest() bounds --slow-wait on both sides", () => {
  for (const [text, slowWaitMs] of [["1ms", 1], ["1.5ms", 1.5], ["24h", 86_400_000]] as const) {
    const { view } = toDiagnoseRequest(given({ slowWait: text }));
    assert.equal(view.kind === "window" ? view.slowWaitMs : undefined, slowWaitMs);
  }
  for (const text of ["0s", "-1ms", "999.999us", "24h0m0.001s"]) {
    assert.equal(
      refusalOf({ pid: ["1"], slowWait: text }),
      `Cannot use --slow-wait "${text}": expected at least 1ms and at most 24h0m0s`,
    );
  }
  assert.equal(
    refusalOf({ pid: ["1"], slowWait: "10" }),
    'Cannot use --slow-wait "10": no unit after "10", expected ns, us, ms, s, m or h',
  );
});

Deno.test("toDiagnoseRequest() refuses unknown choices and an empty output file", () => {
  const table: readonly (readonly [Partial<DiagnoseArguments>, string])[] = [
    [{ output: "xml" }, 'Cannot use --output "xml": expected text, json, csv, html'],
    [{ output: "JSON" }, 'Cannot use --output "JSON": expected text, json, csv, html'],
    [{ logLevel: "loud" }, 'Cannot use --log-level "loud": expected debug, info, warn, error'],
    [{ failOn: "fatal" }, 'Cannot use --fail-on "fatal": expected info, warning, error, critical'],
    [{ outputFile: "" }, 'Cannot use --output-file "": expected a path'],
  ];
  for (const [overrides, message] of table) assert.equal(refusalOf({ pid: ["1"], ...overrides }), message);
});

Deno.test("toDiagnoseRequest() refuses options that contradict each other", () => {
  const now = (option: string) =>
    `Cannot use --now with ${option}: --now looks at one instant, leave one of the two out`;
  const table: readonly (readonly [Partial<DiagnoseArguments>, string])[] = [
    [
      { duration: "5s", diagnose: "5s" },
      "Cannot use --duration with --diagnose: both set how long to look, leave one of the two out",
    ],
    [{ isNow: true, duration: "5s" }, now("--duration")],
    [{ isNow: true, diagnose: "5s" }, now("--diagnose")],
    [{ isNow: true, slowWait: "5ms" }, now("--slow-wait")],
    [{ isNow: true, hasUserStacks: true }, now("--stacks")],
    [{ isNow: true, failOn: "error" }, now("--fail-on")],
    [{ isNow: true, command: ["ls"], pid: [] }, now("-- COMMAND")],
    [
      { isNow: true, output: "csv" },
      "Cannot use --now with --output csv: --now looks at one instant, expected text or json",
    ],
  ];
  for (const [overrides, message] of table) assert.equal(refusalOf({ pid: ["1"], ...overrides }), message);
});

Deno.test("toDiagnoseRequest() looks until it is ended where a live view was asked for, unless a duration was", () => {
  for (const live of [{ isFollow: true }, { isTop: true }]) {
    const view = toDiagnoseRequest(given(live)).view;
    assert.equal(view.kind === "window" && view.durationMs, 24 * 60 * 60 * 1000);
    const bounded = toDiagnoseRequest(given({ ...live, duration: "3s" })).view;
    assert.equal(bounded.kind === "window" && bounded.durationMs, 3000);
  }
});

Deno.test("toDiagnoseRequest() refuses two owners of one terminal", () => {
  assert.equal(
    refusalOf({ pid: ["1"], isFollow: true, isTop: true }),
    "Cannot use --follow with --top: both need the terminal, leave one of the two out",
  );
  assert.equal(
    refusalOf({ command: ["ls"], isTop: true }),
    "Cannot use --top with -- COMMAND: both need the terminal, start it first and use --pid",
  );
});

Deno.test("toDiagnoseRequest() takes every level of the contract", () => {
  for (const [text, level] of [["debug", "debug"], ["warn", "warn"], ["error", "error"], ["fatal", "error"]]) {
    assert.equal(toDiagnoseRequest(given({ logLevel: text })).logLevel, level);
  }
  assert.match(refusalOf({ pid: ["1"], logLevel: "loud" }), /^Cannot use --log-level "loud": expected debug, info/);
});

Deno.test("toDiagnoseRequest() takes a recording in the place of a target, and what judges and renders it", () => {
  const request = toDiagnoseRequest({
    ...NOTHING,
    replay: "look.rec",
    failOn: "error",
    output: "json",
    isFollow: true,
  });
  assert.deepEqual([request.target, request.view, request.output, request.recordingFile], [
    { kind: "recording", path: "look.rec" },
    { kind: "replay", path: "look.rec", failOn: "error", live: "follow" },
    "json",
    undefined,
  ]);
});

Deno.test("toDiagnoseRequest() refuses what has no meaning beside --record or --replay", () => {
  const table: readonly (readonly [Partial<DiagnoseArguments>, RegExp])[] = [
    [{ replay: "a", pid: ["1"] }, /several kinds of target: found --pid and --replay/],
    [{ replay: "a", command: ["true"] }, /several kinds of target: found --replay and -- COMMAND/],
    [{ replay: "a", record: "b" }, /Cannot use --replay with --record/],
    [{ replay: "a", duration: "1s" }, /Cannot use --replay with --duration/],
    [{ replay: "a", diagnose: "1s" }, /Cannot use --replay with --diagnose/],
    [{ replay: "a", slowWait: "1s" }, /Cannot use --replay with --slow-wait/],
    [{ replay: "a", hasUserStacks: true }, /Cannot use --replay with --stacks/],
    [{ replay: "a", filter: ["net"] }, /Cannot use --replay with --filter/],
    [{ replay: "a", errorThreshold: "1" }, /Cannot use --replay with --error-threshold/],
    [{ replay: "a", rttThreshold: "1" }, /Cannot use --replay with --rtt-threshold/],
    [{ replay: "a", fsThreshold: "1" }, /Cannot use --replay with --fs-threshold/],
    [{ replay: "a", isTop: true }, /Cannot use --replay with --top/],
    [{ replay: "a", isNow: true }, /Cannot use --now with --replay/],
    [{ replay: "" }, /Cannot use --replay "": expected a path/],
    [{ record: "a", pid: ["1"], isNow: true }, /Cannot use --now with --record/],
    [{ record: "", pid: ["1"] }, /Cannot use --record "": expected a path/],
    [{ record: "a", outputFile: "a", pid: ["1"] }, /--output-file names the same file/],
  ];
  for (const [overrides, message] of table) assert.match(refusalOf(overrides), message);
});
