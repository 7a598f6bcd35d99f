/**
 * What the gate says at its end (pure).
 *
 * @module
 */

import { skippedName, type SkipRecord } from "../../../tests/support/kernel_requirements.ts";
import { fileOfTest, type TestSection } from "./test_output.ts";
import type { TestCase } from "./test_report.ts";

/** One step of the gate that is no test: set-up, formatting, lint and so on. */
export interface StepResult {
  readonly name: string;
  readonly durationMs: number;
  readonly outcome: "passed" | "failed" | "skipped";
  /** Why it was skipped, or what failed, in one line. */
  readonly detail?: string;
}

export interface GateResult {
  readonly steps: readonly StepResult[];
  /** `undefined`: the tests were never started. */
  readonly tests: TestRunResult | undefined;
}

export interface TestRunResult {
  readonly exitCode: number;
  readonly cases: readonly TestCase[];
  readonly sections: readonly TestSection[];
  readonly skips: readonly SkipRecord[];
  /** Every test file of the tree, to notice one that registered no test. */
  readonly files: readonly string[];
}

export interface Verdict {
  readonly passedCount: number;
  readonly failedCount: number;
  readonly skippedCount: number;
  /** One line per failure, in the order of the gate. */
  readonly failures: readonly string[];
  /** One line per skip, with its reason. */
  readonly skips: readonly string[];
}

/** How many of the slowest are worth a line. */
const SLOWEST_COUNT = 10;

/** Yields the counts and the failures: steps and tests count alike. */
export function judge(result: GateResult): Verdict {
  const stepsWith = (outcome: StepResult["outcome"]) => result.steps.filter((step) => step.outcome === outcome);
  const cases = result.tests?.cases ?? [];
  const failures = [
    ...stepsWith("failed").map((step) => `${step.name}: ${step.detail ?? "see above"}`),
    ...(result.tests === undefined ? [] : testFailures(result.tests)),
  ];
  const skips = [
    ...stepsWith("skipped").map((step) => `${step.name}: ${step.detail ?? ""}`),
    ...(result.tests?.skips ?? []).map(({ testName, reason }) =>
      `${testName}: ${reason.kind}, requires ${reason.requirement}, found ${reason.found}`
    ),
  ];
  const passedCount = stepsWith("passed").length + cases.filter((one) => one.outcome === "passed").length;
  return { passedCount, failedCount: failures.length, skippedCount: skips.length, failures, skips };
}

/** Yields the closing lines; the last one is the count. */
export function summaryLines(result: GateResult): readonly string[] {
  const verdict = judge(result);
  return [
    ...section("Slowest steps", result.steps.toSorted(bySlowness).slice(0, SLOWEST_COUNT).map(durationLine)),
    ...section(
      "Slowest test files",
      slowestSections(result.tests?.sections ?? []).map(durationLine),
    ),
    ...section("Skipped", verdict.skips),
    ...section("Failed", verdict.failures),
    "",
    countLine(verdict),
  ];
}

/** Yields `12 passed, 0 failed`, with `, 3 skipped` where there are some. */
export function countLine(verdict: Pick<Verdict, "passedCount" | "failedCount" | "skippedCount">): string {
  const skipped = verdict.skippedCount === 0 ? "" : `, ${verdict.skippedCount} skipped`;
  return `${verdict.passedCount} passed, ${verdict.failedCount} failed${skipped}`;
}

/** Skipped in the report, but no record says why: somebody switched a test off. */
function untypedSkips(tests: TestRunResult): readonly TestCase[] {
  const recorded = new Set(tests.skips.map(skippedName));
  return tests.cases.filter((one) => one.outcome === "skipped" && !recorded.has(one.name));
}

function testFailures(tests: TestRunResult): readonly string[] {
  const placed = (one: TestCase) => `${fileOfTest(one.name, tests.sections) ?? one.file}: ${one.name}`;
  return [
    ...tests.cases.filter((one) => one.outcome === "failed").map(placed),
    ...untypedSkips(tests).map((one) => `${placed(one)}: skipped without a typed reason`),
    ...unreportedFailures(tests),
  ];
}

/** Failures that the report does not know: a file whose module threw, a run that never began. */
function unreportedFailures(tests: TestRunResult): readonly string[] {
  if (tests.cases.length === 0) return [missingReport(tests)];
  const registered = new Set(tests.sections.filter((one) => one.testCount > 0).map((one) => one.file));
  const silent = tests.files.filter((file) => !registered.has(file)).map((file) => `${file}: registered no test`);
  const isExplained = silent.length > 0 || tests.cases.some((one) => one.outcome === "failed");
  return tests.exitCode === 0 || isExplained ? silent : [`deno test: exit code ${tests.exitCode} and no failed test`];
}

/** A run that was cut short leaves no report; what it printed last says where it hung. */
function missingReport({ exitCode, sections }: TestRunResult): string {
  const last = sections.at(-1);
  const place = last === undefined ? "no file was reached" : `last in ${last.file}: ${last.lines.at(-1) ?? ""}`;
  return `deno test: it wrote no report and ended with ${exitCode}, ${place}`;
}

function slowestSections(sections: readonly TestSection[]): readonly { name: string; durationMs: number }[] {
  const rows = sections.map(({ file, durationMs }) => ({ name: file, durationMs }));
  return rows.toSorted(bySlowness).slice(0, SLOWEST_COUNT);
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ["", `${title}:`, ...lines.map((line) => `  ${line}`)];
}

function bySlowness(a: { durationMs: number }, b: { durationMs: number }): number {
  return b.durationMs - a.durationMs;
}

function durationLine(row: { name: string; durationMs: number }): string {
  return `${(row.durationMs / 1000).toFixed(1).padStart(7)} s  ${row.name}`;
}
