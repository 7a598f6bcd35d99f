import { assert } from "../../../tests/support/assert.ts";
import { runCommand } from "../run_command.ts";
import { readJunit, readSkips } from "./test_report.ts";

const REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="5" failures="1" errors="0" time="0.070">
    <testsuite name="./a_test.ts" tests="5" disabled="1" errors="0" failures="1">
        <testcase name="plain" classname="./a_test.ts" time="0.250" line="1" col="6">
        </testcase>
        <testcase name="fails &lt;&amp;&quot;q&#x41;" classname="./a_test.ts" time="1.001" line="2" col="6">
            <failure message="Uncaught Error: boom &lt;x&gt;">Error: boom
&lt;testcase name=&quot;no&quot;&gt;</failure>
        </testcase>
        <testcase name="steps" classname="./a_test.ts" time="0.001" line="3" col="6">
        </testcase>
        <testcase name="off" classname="./b/c_test.ts" time="0.000" line="4" col="6">
            <skipped/>
        </testcase>
        <testcase name="steps &gt; one" classname="./a_test.ts" time="0.000" line="3" col="43">
        </testcase>
        <testcase name="a &gt; b" classname="./a_test.ts" time="0.000" line="9" col="6"/>
    </testsuite>
</testsuites>
`;

Deno.test("readJunit() yields tests with their outcome and leaves their steps out", () => {
  assert.deepEqual(readJunit(REPORT), [
    { file: "a_test.ts", name: "plain", durationMs: 250, outcome: "passed" },
    { file: "a_test.ts", name: 'fails <&"qA', durationMs: 1001, outcome: "failed" },
    { file: "a_test.ts", name: "steps", durationMs: 1, outcome: "passed" },
    { file: "b/c_test.ts", name: "off", durationMs: 0, outcome: "skipped" },
    { file: "a_test.ts", name: "a > b", durationMs: 0, outcome: "passed" },
  ]);
});

Deno.test("readJunit() yields nothing when no report was written", () => {
  assert.deepEqual(readJunit(""), []);
});

Deno.test("readJunit() reads what this deno writes", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "podtrace_junit_" });
  try {
    const source = [
      `Deno.test("good", async (t) => { await t.step("inner", () => {}); });`,
      `Deno.test("bad 'q' > \\"r\\"", () => { throw new Error("x"); });`,
      `Deno.test({ name: "off", ignore: true, fn() {} });`,
    ];
    Deno.writeTextFileSync(`${folder}/a_test.ts`, source.join("\n"));
    const args = ["test", "--no-check", "--no-config", "--junit-path=junit.xml", "a_test.ts"];
    const { code } = await runCommand(Deno.execPath(), { args, cwd: folder, output: "capture" });
    const cases = readJunit(Deno.readTextFileSync(`${folder}/junit.xml`));
    assert.equal(code, 1);
    assert.deepEqual(cases.map(({ name, outcome }) => [name, outcome]), [
      ["good", "passed"],
      [`bad 'q' > "r"`, "failed"],
      ["off", "skipped"],
    ]);
    assert.match(cases[0]?.file ?? "", /a_test\.ts$/);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("readSkips() yields one record per line", () => {
  const record = {
    testName: "a",
    reason: { kind: "kernel_feature_absent", requirement: "btf", found: "nothing" },
  } as const;
  assert.deepEqual(readSkips(`${JSON.stringify(record)}\n${JSON.stringify(record)}\n`), [record, record]);
  assert.deepEqual(readSkips(""), []);
});
