import { assert } from "../../../tests/support/assert.ts";
import type { JsonReport } from "../../../engine/diagnose/report_schema.ts";
import type { DoctorReport, OutcomeLine } from "./guest_lines.ts";
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

function problemsOf(lines: readonly OutcomeLine[], scenario = SCENARIO): readonly string[] {
  return judge(lines, { kernel: KERNEL, scenarios: [scenario] }).map(({ text }) => text);
}

const DOCTOR: OutcomeLine = {
  kind: "doctor",
  code: 0,
  said: "",
  report: {
    canDiagnose: true,
    reason: "",
    lockdown: "none",
    hooks: [
      {
        hook: "sched_switch",
        providers: [
          { program: "sched_switch", verdict: "refused", reason: "no" },
          { program: "sched_switch_by_task_state", verdict: "used", reason: "" },
        ],
      },
      { hook: "sched_waking", providers: [{ program: "sched_waking", verdict: "used", reason: "" }] },
    ],
  },
};

/** The scenario last but one. */
function outcome(report: JsonReport | undefined, code = 0): readonly [OutcomeLine, OutcomeLine, OutcomeLine] {
  const ready = { upstream_port: 4711 };
  const said = "Cannot trace\n";
  return [DOCTOR, { kind: "scenario", name: SCENARIO.name, ready, code, report, said }, { kind: "end" }];
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
  const [, line, end] = outcome(aReport({ hooks }));
  const doctor = doctorOf({
    hooks: [{ hook: "sched_waking", providers: [{ program: "sched_waking", verdict: "absent", reason: "no" }] }],
  });
  assert.deepEqual(judge([doctor, line, end], { kernel, scenarios: [SCENARIO] }), []);
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
  const [doctor, line, end] = outcome(aReport());
  const withNow = (now: string) => problemsOf([doctor, { ...line, now } as OutcomeLine, end], scenario);
  assert.deepEqual(withNow("caller: recvfrom"), []);
  assert.deepEqual(withNow("caller: not named\n"), ["--now does not name recvfrom: caller: not named"]);
});

Deno.test("judge() tells why there is no report", () => {
  assert.deepEqual(problemsOf(outcome(undefined, 1)), ["podtrace ended with 1: Cannot trace"]);
  assert.deepEqual(
    problemsOf([DOCTOR, { kind: "failed", name: SCENARIO.name, message: "no such program" }, { kind: "end" }]),
    ["it could not be run: no such program"],
  );
});

Deno.test("judge() complains when the machine ended early", () => {
  assert.deepEqual(problemsOf([]), [
    "it was never tried",
    "it was never asked",
    "it ended before all scenarios were tried",
  ]);
});

Deno.test("judge() complains when a recording is not replayed to the byte", () => {
  const scenario: Scenario = { ...SCENARIO, isRecorded: true };
  const [doctor, line, end] = outcome(aReport());
  const withReplay = (replay: unknown) => problemsOf([doctor, { ...line, replay } as OutcomeLine, end], scenario);
  const good = { code: 0, said: "", isSame: true, recording: "" };
  assert.deepEqual(withReplay(good), []);
  assert.deepEqual(withReplay(undefined), ["it was not replayed"]);
  assert.deepEqual(withReplay({ ...good, code: 1, said: "cut\n", isSame: false }), [
    "the replay ended with 1 and another report: cut",
  ]);
});

/** The doctor's line with `changes` in its report. */
function doctorOf(changes: Partial<DoctorReport>): OutcomeLine {
  if (DOCTOR.kind !== "doctor" || DOCTOR.report === undefined) throw new TypeError("Cannot change it: no report");
  return { ...DOCTOR, report: { ...DOCTOR.report, ...changes } };
}

Deno.test("judge() complains of a doctor that finds another program, or does not know the lockdown", () => {
  const problemsWith = (changes: Partial<DoctorReport>) => {
    const [, line, end] = outcome(aReport());
    return problemsOf([doctorOf(changes), line, end]);
  };
  const hooks = [{ hook: "sched_waking", providers: [{ program: "sched_waking", verdict: "absent", reason: "no" }] }];
  assert.deepEqual(problemsWith({ hooks }), ["sched_waking is served by none, wanted sched_waking"]);
  assert.deepEqual(problemsWith({ lockdown: "integrity" }), ["it says that lockdown is integrity"]);
  assert.deepEqual(problemsWith({ canDiagnose: false }), ["it says that diagnose does not: "]);
});

Deno.test("judge() wants one clear line and no report where the kernel is shut", () => {
  const kernel: TriedKernel = { ...KERNEL, lockdown: "confidentiality" };
  const reason = "Cannot trace: lockdown is confidentiality";
  const doctor = doctorOf({ canDiagnose: false, reason, lockdown: "confidentiality" });
  const problemsWith = (code: number, said: string) =>
    judge([
      doctor,
      { kind: "scenario", name: SCENARIO.name, ready: {}, code, said, now: `${reason}\n` },
      { kind: "end" },
    ], { kernel, scenarios: [SCENARIO] }).map(({ text }) => text);
  assert.deepEqual(problemsWith(1, `${reason}\n`), []);
  assert.match(problemsWith(1, `${reason}\nand a stack\n`).join(), /ended with 1 and said/);
  assert.match(problemsWith(0, `${reason}\n`).join(), /ended with 0/);
  assert.match(problemsWith(1, "Cannot trace: EPERM\n").join(), /wanted 1 and \/lockdown/);
});
