/**
 * What a machine's answers have to be (pure).
 *
 * @module
 */

import { NOT_ASKED_FOR } from "../../../engine/api/plane.ts";
import type { JsonReport } from "../../../engine/diagnose/report_schema.ts";
import type { DoctorReport, OutcomeLine, ScenarioOutcome } from "./guest_lines.ts";
import { NO_PROVIDER, type TriedKernel } from "./kernels.ts";
import type { Scenario } from "./scenarios.ts";

/**
 * How much of all threads' time, waiting for a CPU may be off the scheduler's own
 * account in an emulated machine. Where a thread syncs a file all the time it is
 * 14 to 25 ms a run (measured on all three, not explained; real machines agree);
 * in every other scenario the product's own check finds nothing.
 */
const RUN_DELAY_SHARE_MAX = 0.01;

/** What a kernel in lockdown=confidentiality is told to be. */
const REFUSAL = /lockdown/;

/** One thing that is not as it should be. */
export interface Problem {
  readonly scenario: string;
  readonly text: string;
}

/** Yields everything that is wrong; nothing for a kernel on which all of podtrace works. */
export function judge(
  lines: readonly OutcomeLine[],
  options: { readonly kernel: TriedKernel; readonly scenarios: readonly Scenario[] },
): readonly Problem[] {
  const { kernel, scenarios } = options;
  const problems = scenarios.flatMap((scenario) =>
    judgeScenario(scenario, lines, kernel).map((text) => ({ scenario: scenario.name, text }))
  );
  problems.push(...judgeDoctor(lines, kernel).map((text) => ({ scenario: "doctor", text })));
  if (!lines.some(({ kind }) => kind === "end")) {
    problems.push({ scenario: "machine", text: "it ended before all scenarios were tried" });
  }
  return problems;
}

function judgeScenario(scenario: Scenario, lines: readonly OutcomeLine[], kernel: TriedKernel): readonly string[] {
  const line = lines.find((candidate) => "name" in candidate && candidate.name === scenario.name);
  if (line === undefined) return ["it was never tried"];
  if (line.kind !== "scenario") return [`it could not be run: ${"message" in line ? line.message : line.kind}`];
  const { report } = line;
  if (kernel.lockdown === "confidentiality") return judgeRefusal(line);
  if (line.code !== 0 || report === undefined) return [`podtrace ended with ${line.code}: ${line.said.trim()}`];
  return [
    ...judgeHooks(report, kernel),
    ...judgeCompleteness(report, kernel),
    ...judgeLedgers(report),
    ...judgeFindings(scenario, line, report),
    ...scenario.figureProblems?.(report) ?? [],
    ...judgeNow(scenario, line),
    ...judgeReplay(scenario, line),
  ];
}

/** Where programs may not read the kernel's memory: one line that says so, and nothing else. */
function judgeRefusal({ code, said, now = "" }: ScenarioOutcome): readonly string[] {
  return [said, now].flatMap((text) => {
    const isClear = code === 1 && text.trim().split("\n").length === 1 && REFUSAL.test(text);
    return isClear ? [] : [`podtrace ended with ${code} and said "${text.trim()}", wanted 1 and ${REFUSAL}`];
  });
}

/** Its verdict, and one program for each hook: it tries them all, those that are not asked for too. */
function judgeDoctor(lines: readonly OutcomeLine[], kernel: TriedKernel): readonly string[] {
  const line = lines.find(({ kind }) => kind === "doctor");
  if (line?.kind !== "doctor") return ["it was never asked"];
  const { report, code } = line;
  if (report === undefined) return [`it ended with ${code}: ${line.said.trim()}`];
  const isShut = kernel.lockdown === "confidentiality";
  const served = (hook: DoctorReport["hooks"][number]) => hook.providers.find(({ verdict }) => verdict === "used");
  return [
    ...(report.canDiagnose === !isShut
      ? []
      : [`it says that diagnose ${isShut ? "works" : "does not"}: ${report.reason}`]),
    ...(isShut === REFUSAL.test(report.reason) ? [] : [`its reason is "${report.reason}"`]),
    ...(report.lockdown === (kernel.lockdown ?? "none") ? [] : [`it says that lockdown is ${report.lockdown}`]),
    ...(isShut ? [] : report.hooks.flatMap((hook) => {
      const wanted = kernel.providers[hook.hook] ?? hook.providers[0]?.program;
      const found = served(hook)?.program ?? NO_PROVIDER;
      return found === wanted ? [] : [`${hook.hook} is served by ${found}, wanted ${wanted}`];
    })),
  ];
}

function judgeReplay(scenario: Scenario, { replay }: ScenarioOutcome): readonly string[] {
  if (scenario.isRecorded !== true) return [];
  if (replay === undefined) return ["it was not replayed"];
  return replay.isSame ? [] : [`the replay ended with ${replay.code} and another report: ${replay.said.trim()}`];
}

/** Every hook that was asked for has the provider this kernel is known for. */
function judgeHooks(report: JsonReport, kernel: TriedKernel): readonly string[] {
  return report.cost.hooks.filter(({ isAskedFor }) => isAskedFor !== false).flatMap(({ hook, provider, refused }) => {
    const wanted = kernel.providers[hook];
    if (provider === undefined && wanted === NO_PROVIDER) return [];
    if (provider === undefined) return [`${hook} has no provider: ${refused.join("; ")}`];
    if (wanted === undefined) return refused.length === 0 ? [] : [`${hook} refused: ${refused.join("; ")}`];
    return provider === wanted ? [] : [`${hook} is served by ${provider}, wanted ${wanted}`];
  });
}

function judgeCompleteness(report: JsonReport, kernel: TriedKernel): readonly string[] {
  return Object.entries(report.completeness).flatMap(([category, completeness]) => {
    const isBlind = kernel.blindCategories.some((blind) => blind === category);
    const wanted = isBlind ? "blind" : "complete";
    if (completeness.verdict === wanted || isNotAskedFor(completeness)) return [];
    const reason = "reason" in completeness ? ` (${completeness.reason})` : "";
    return [`${category} is ${completeness.verdict}${reason}, wanted ${wanted}`];
  });
}

function isNotAskedFor(completeness: JsonReport["completeness"]["waits"]): boolean {
  return completeness.verdict === "blind" && completeness.reason === NOT_ASKED_FOR;
}

function judgeLedgers(report: JsonReport): readonly string[] {
  const { checks } = report.timeLedger;
  return [
    ...checks.filter((check) => !isWithinReach(check, checks)).map(({ name, verdict, oursMs, expectedMs }) =>
      `time ledger: ${name} is ${verdict}: ${oursMs.toFixed(1)} ms, the kernel says ${expectedMs.toFixed(1)} ms`
    ),
    ...(report.ledger.residual === 0 ? [] : [`loss ledger: residual ${report.ledger.residual}, wanted 0`]),
    ...(report.ledger.dropped === 0 ? [] : [`loss ledger: ${report.ledger.dropped} dropped, wanted none`]),
  ];
}

type Check = JsonReport["timeLedger"]["checks"][number];

function isWithinReach(check: Check, checks: readonly Check[]): boolean {
  if (check.verdict === "ok") return true;
  const lifetimeMs = checks.find(({ name }) => name === "sum")?.expectedMs ?? 0;
  return check.name === "runDelay" && check.verdict === "off" &&
    Math.abs(check.oursMs - check.expectedMs) <= RUN_DELAY_SHARE_MAX * lifetimeMs;
}

function judgeFindings(scenario: Scenario, outcome: ScenarioOutcome, report: JsonReport): readonly string[] {
  if (scenario.findingId === "any") return [];
  const loud = report.findings.filter(({ severity }) => severity !== "info");
  if (scenario.findingId === undefined) return loud.map(({ title }) => `nothing is wrong, and yet: ${title}`);
  const finding = loud.find(({ id }) => id === scenario.findingId);
  if (finding === undefined) {
    const found = report.findings.map(({ id, severity }) => `${severity} ${id}`).join(", ") || "none";
    return [`no ${scenario.findingId} above info among the findings: ${found}`];
  }
  const text = JSON.stringify(finding);
  return scenario.names(outcome.ready).filter((name) => !text.includes(name)).map((name) =>
    `${name} is not named in ${text}`
  );
}

function judgeNow(scenario: Scenario, { ready, now = "" }: ScenarioOutcome): readonly string[] {
  const names = scenario.nowNames?.(ready) ?? [];
  return names.filter((name) => !now.includes(name)).map((name) => `--now does not name ${name}: ${now.trim()}`);
}
