import { assert } from "../../../tests/support/assert.ts";
import type { JsonReport } from "../../../engine/diagnose/report_schema.ts";
import type { GuestLine } from "./guest_lines.ts";
import { judge } from "./judge.ts";
import type { TriedKernel } from "./kernels.ts";
import type { Scenario } from "./scenarios.ts";

const KERNEL: TriedKernel = {
  name: "5.10",
  suite: "bullseye",
  providers: { sched_switch: "sched_switch_by_task_state" },
  blindCategories: ["listeners"],
};

const SCENARIO: Scenario = {
  name: "slow upstream",
  program: "slow_upstream",
  settings: {},
  target: "process",
  findingId: "slow-peer",
  names: (ready) => [`127.0.0.1:${ready["upstream_port"]}`],
};

const HEALTHY: Scenario = { ...SCENARIO, findingId: undefined, names: () => [] };

const CHECK = { name: "onCpu", oursMs: 100, expectedMs: 100, difference: 0, differenceMax: 0.02, verdict: "ok" };
const SUM = { ...CHECK, name: "sum", oursMs: 1000, expectedMs: 1000 };
const DELAY = { ...CHECK, name: "runDelay", expectedMs: 50, verdict: "off", difference: 0.2 };
const FINDING = { id: "slow-peer", severity: "critical", title: "Waiting for 127.0.0.1:4711", evidence: {} };
const WAKING = { hook: "sched_waking", provider: "sched_waking", refused: [], blindFor: "" };
const SWITCH = { hook: "sched_switch", provider: "sched_switch_by_task_state", refused: ["no"], blindFor: "" };

interface Parts {
  readonly checks?: readonly unknown[];
  readonly findings?: readonly unknown[];
  readonly hooks?: readonly unknown[];
  readonly completeness?: Readonly<Record<string, unknown>>;
  readonly ledger?: Readonly<Record<string, number>>;
}

/** The parts of a report that are judged, all as they should be. */
function aReport(parts: Parts = {}): JsonReport {
  const report: unknown = {
    findings: parts.findings ?? [FINDING],
    timeLedger: { checks: parts.checks ?? [CHECK] },
    completeness: {
      waits: { verdict: "complete" },
      listeners: { verdict: "blind", reason: "no hook" },
      ...parts.completeness,
    },
    ledger: { residual: 0, dropped: 0, ...parts.ledger },
    cost: { hooks: parts.hooks ?? [SWITCH, WAKING] },
  };
  return report as JsonReport; // the rest of it is not looked at
}

function problemsOf(lines: readonly GuestLine[], scenario = SCENARIO): readonly string[] {
  return judge(lines, { kernel: KERNEL, scenarios: [scenario] }).map(({ text }) => text);
}

function outcome(report: JsonReport | undefined, code = 0): readonly GuestLine[] {
  const ready = { upstream_port: 4711 };
  return [{ kind: "scenario", name: SCENARIO.name, ready, code, report, said: "Cannot trace\n" }, { kind: "end" }];
}

Deno.test("judge() has nothing to say when all is as this kernel is known for", () => {
  assert.deepEqual(problemsOf(outcome(aReport())), []);
  assert.deepEqual(problemsOf(outcome(aReport({ findings: [] })), HEALTHY), []);
});

Deno.test("judge() does not miss what was not asked for", () => {
  const blind = { verdict: "blind", reason: "not asked for" };
  const hook = { ...WAKING, hook: "file_call_enter", provider: undefined, isAskedFor: false };
  assert.deepEqual(problemsOf(outcome(aReport({ completeness: { files: blind }, hooks: [SWITCH, WAKING, hook] }))), []);
});

Deno.test("judge() expects no provider where the kernel is known to have none", () => {
  const kernel = { ...KERNEL, providers: { ...KERNEL.providers, sched_waking: "none" } };
  const hooks = [SWITCH, { ...WAKING, provider: undefined, refused: ["why"] }];
  assert.deepEqual(judge(outcome(aReport({ hooks })), { kernel, scenarios: [SCENARIO] }), []);
});

Deno.test("judge() tells what a scenario finds wrong with the figures", () => {
  const scenario: Scenario = { ...SCENARIO, figureProblems: () => ["no bytes"] };
  assert.deepEqual(problemsOf(outcome(aReport()), scenario), ["no bytes"]);
});

const WRONG: readonly [what: string, parts: Parts, problem: RegExp][] = [
  ["the finding is missing", { findings: [] }, /^no slow-peer above info among the findings: none$/],
  ["the finding is only info", { findings: [{ ...FINDING, severity: "info" }] }, /info slow-peer$/],
  ["the finding names another peer", { findings: [{ ...FINDING, title: "127.0.0.1:1" }] }, /127\.0\.0\.1:4711 is not/],
  ["a hook has no provider", { hooks: [{ ...WAKING, provider: undefined, refused: ["why"] }] }, /no provider: why$/],
  ["a hook lost its first provider", { hooks: [{ ...WAKING, refused: ["why"] }] }, /^sched_waking refused: why$/],
  ["a known refusal is gone", { hooks: [{ ...SWITCH, provider: "sched_switch" }] }, /served by sched_switch, wanted/],
  ["a category is partial", { completeness: { waits: { verdict: "partial", reason: "lost" } } }, /partial \(lost\)/],
  ["a blind category claims to see", { completeness: { listeners: { verdict: "complete" } } }, /wanted blind$/],
  ["something was dropped", { ledger: { dropped: 2 } }, /2 dropped, wanted none/],
  ["the loss ledger does not balance", { ledger: { residual: -1 } }, /residual -1, wanted 0/],
  ["a sum is off at all", { checks: [{ ...CHECK, name: "sum", verdict: "off", difference: 0.002 }] }, /sum is off/],
  ["on-CPU is off at all", { checks: [{ ...CHECK, verdict: "off", difference: 0.03 }] }, /onCpu is off/],
  ["waiting for a CPU is far off", { checks: [SUM, { ...DELAY, oursMs: 61 }] }, /runDelay is off/],
  ["on-CPU was not checked", { checks: [{ ...CHECK, verdict: "unknown" }] }, /onCpu is unknown/],
];

for (const [what, parts, problem] of WRONG) {
  Deno.test(`judge() complains when ${what}`, () => {
    const [first, ...rest] = problemsOf(outcome(aReport(parts)));
    assert.match(first ?? "", problem);
    assert.deepEqual(rest, []);
  });
}

Deno.test("judge() allows what emulation costs: waiting for a CPU off by a hundredth of all time", () => {
  assert.deepEqual(problemsOf(outcome(aReport({ checks: [SUM, { ...DELAY, oursMs: 60 }] }))), []);
});

Deno.test("judge() complains of a loud finding where nothing is wrong", () => {
  assert.deepEqual(problemsOf(outcome(aReport()), HEALTHY), [`nothing is wrong, and yet: ${FINDING.title}`]);
});

Deno.test("judge() complains when --now does not name what it has to", () => {
  const scenario: Scenario = { ...SCENARIO, nowNames: () => ["recvfrom"] };
  const [line, end] = outcome(aReport());
  const withNow = (now: string) =>
    problemsOf([{ ...line, now } as GuestLine, ...(end === undefined ? [] : [end])], scenario);
  assert.deepEqual(withNow("caller: recvfrom"), []);
  assert.deepEqual(withNow("caller: not named\n"), ["--now does not name recvfrom: caller: not named"]);
});

Deno.test("judge() tells why there is no report", () => {
  assert.deepEqual(problemsOf(outcome(undefined, 1)), ["podtrace ended with 1: Cannot trace"]);
  assert.deepEqual(
    problemsOf([{ kind: "failed", name: SCENARIO.name, message: "no such program" }, { kind: "end" }]),
    ["it could not be run: no such program"],
  );
});

Deno.test("judge() complains when the machine ended early", () => {
  assert.deepEqual(problemsOf([]), ["it was never tried", "it ended before all scenarios were tried"]);
});
