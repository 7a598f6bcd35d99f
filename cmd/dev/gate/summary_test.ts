import { assert } from "../../../tests/support/assert.ts";
import { skippedName, type SkipRecord } from "../../../tests/support/kernel_requirements.ts";
import { countLine, judge, type StepResult, summaryLines, type TestRunResult } from "./summary.ts";
import type { TestSection } from "./test_output.ts";
import type { TestCase } from "./test_report.ts";

const stepOf = (name: string, outcome: StepResult["outcome"], detail = "why"): StepResult => ({
  name,
  outcome,
  durationMs: 1500,
  ...(outcome === "passed" ? {} : { detail }),
});

const caseOf = (name: string, outcome: TestCase["outcome"]): TestCase => ({
  file: "a_test.ts",
  name,
  outcome,
  durationMs: 20,
});

const sectionOf = (file: string, testCount: number, lines: string[] = []): TestSection => ({
  file,
  testCount,
  lines,
  durationMs: 20,
});

function testsWith(overrides: Partial<TestRunResult>): TestRunResult {
  return {
    exitCode: 0,
    cases: [caseOf("one", "passed")],
    sections: [sectionOf("a_test.ts", 1)],
    skips: [],
    files: ["a_test.ts"],
    ...overrides,
  };
}

const SKIP: SkipRecord = {
  testName: "reads BTF",
  reason: { kind: "kernel_feature_absent", requirement: "btf", found: "no file" },
};

Deno.test("judge() counts steps and tests alike", () => {
  const verdict = judge({
    steps: [stepOf("lint", "passed"), stepOf("types", "failed"), stepOf("generate", "skipped")],
    tests: testsWith({ exitCode: 1, cases: [caseOf("one", "passed"), caseOf("two", "failed")] }),
  });
  assert.deepEqual([verdict.passedCount, verdict.failedCount, verdict.skippedCount], [2, 2, 1]);
  assert.deepEqual(verdict.failures, ["types: why", "a_test.ts: two"]);
});

Deno.test("judge() accepts a skip with a record and fails one without", () => {
  const recorded = caseOf(skippedName(SKIP), "skipped");
  const good = judge({ steps: [], tests: testsWith({ cases: [caseOf("one", "passed"), recorded], skips: [SKIP] }) });
  assert.deepEqual([good.failedCount, good.skippedCount], [0, 1]);
  assert.match(good.skips[0] ?? "", /reads BTF: kernel_feature_absent, requires btf, found no file/);

  const bad = judge({ steps: [], tests: testsWith({ cases: [caseOf("one", "passed"), recorded] }) });
  assert.deepEqual([bad.failedCount, bad.skippedCount], [1, 0]);
  assert.match(bad.failures[0] ?? "", /without a typed reason/);
});

const UNREPORTED: readonly [string, Partial<TestRunResult>, readonly RegExp[]][] = [
  ["nothing ran at all", { exitCode: 1, cases: [], sections: [] }, [/ended with 1, no file was reached/]],
  ["the whole run passed without a test", { exitCode: 0, cases: [] }, [/no report and ended with 0/]],
  [
    "a test hung until it was killed",
    { exitCode: 143, cases: [], sections: [sectionOf("b_test.ts", 1, ["waits ..."])] },
    [/ended with 143, last in b_test\.ts: waits \.\.\./],
  ],
  ["a file threw while it was loaded", { exitCode: 1, files: ["a_test.ts", "b_test.ts"] }, [
    /b_test\.ts: registered no/,
  ]],
  ["a file registers nothing", { sections: [sectionOf("a_test.ts", 0)] }, [/a_test\.ts: registered no/]],
  ["deno failed and nothing says why", { exitCode: 1 }, [/exit code 1 and no failed test/]],
  ["a failed test explains the exit code", { exitCode: 1, cases: [caseOf("two", "failed")] }, [/two/]],
  ["all is well", {}, []],
];

for (const [when, overrides, expected] of UNREPORTED) {
  Deno.test(`judge() yields ${expected.length} failures when ${when}`, () => {
    const { failures } = judge({ steps: [], tests: testsWith(overrides) });
    assert.equal(failures.length, expected.length, failures.join("\n"));
    for (const [index, pattern] of expected.entries()) assert.match(failures[index] ?? "", pattern);
  });
}

Deno.test("judge() names the test file when a function of another file registered the test", () => {
  const failed = { ...caseOf("needs the kernel", "failed"), file: "tests/support/kernel.ts" };
  const sections = [sectionOf("a_test.ts", 1, ["needs the kernel ... FAILED (1ms)"])];
  const { failures } = judge({ steps: [], tests: testsWith({ exitCode: 1, cases: [failed], sections }) });
  assert.deepEqual(failures, ["a_test.ts: needs the kernel"]);
});

Deno.test("countLine() mentions skips only when there are some", () => {
  assert.equal(countLine({ passedCount: 12, failedCount: 0, skippedCount: 0 }), "12 passed, 0 failed");
  assert.equal(countLine({ passedCount: 12, failedCount: 1, skippedCount: 3 }), "12 passed, 1 failed, 3 skipped");
});

Deno.test("summaryLines() ends with the count and names the slowest first", () => {
  const quick = { ...stepOf("quick", "passed"), durationMs: 10 };
  const lines = summaryLines({ steps: [quick, stepOf("slow", "passed")], tests: testsWith({}) });
  assert.equal(lines.at(-1), "3 passed, 0 failed");
  assert.ok(lines.indexOf("      1.5 s  slow") < lines.indexOf("      0.0 s  quick"), lines.join("\n"));
  assert.ok(lines.includes("      0.0 s  a_test.ts"));
  assert.ok(!lines.some((line) => line.startsWith("Skipped") || line.startsWith("Failed")));
});
