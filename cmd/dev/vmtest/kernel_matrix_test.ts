import { assert } from "../../../tests/support/assert.ts";
import { HOOKS } from "../../../engine/backend/hooks.ts";
import type { OutcomeLine } from "./guest_lines.ts";
import { knownColumn, measuredColumn, renderKnownMatrix, renderMatrix } from "./kernel_matrix.ts";
import { TRIED_KERNELS } from "./kernels.ts";

const PAGE = new URL("../../../docs/kernels.md", import.meta.url);

Deno.test("docs/kernels.md has the tables of what the kernels are known for", async () => {
  const wanted = renderKnownMatrix();
  assert.ok((await Deno.readTextFile(PAGE)).includes(`\n${wanted}\n`), `wanted in docs/kernels.md:\n${wanted}`);
});

Deno.test("TRIED_KERNELS names hooks and programs that there are", () => {
  const programs = new Map(HOOKS.map(({ hook, providers }) => [hook, providers]));
  for (const { name, providers } of TRIED_KERNELS) {
    for (const [hook, program] of Object.entries(providers)) {
      assert.ok(program === "none" || programs.get(hook)?.includes(program), `${name}: ${hook} by ${program}`);
    }
  }
});

/** A report in which all is seen but what `overrides` says. */
function reportLine(name: string, completeness: Readonly<Record<string, unknown>>): OutcomeLine {
  const line: unknown = { kind: "scenario", name, ready: {}, code: 0, said: "", report: { completeness } };
  return line as OutcomeLine; // nothing else of it is looked at
}

Deno.test("measuredColumn() takes the worst verdict of those that asked, and what the doctor found", () => {
  const doctor: unknown = {
    kind: "doctor",
    report: {
      hooks: [
        { hook: "sched_switch", providers: [{ program: "a", verdict: "refused" }, { program: "b", verdict: "used" }] },
        { hook: "oom_kill", providers: [{ program: "mark_victim", verdict: "absent" }] },
      ],
    },
  };
  const column = measuredColumn("6.1", [
    doctor as OutcomeLine, // the rest is not looked at
    reportLine("one", { waits: { verdict: "complete" }, files: { verdict: "blind", reason: "not asked for" } }),
    reportLine("two", { waits: { verdict: "partial" }, files: { verdict: "complete" } }),
    reportLine("three", { waits: { verdict: "complete" }, files: { verdict: "blind", reason: "not asked for" } }),
  ]);
  assert.deepEqual([...column.providers], [["sched_switch", "b"], ["oom_kill", "none"]]);
  assert.deepEqual([...column.verdicts], [["waits", "partial"], ["files", "complete"]]);
});

Deno.test("renderMatrix() has a row for every hook and category, and a dash for what nobody asked", () => {
  const [oldest] = TRIED_KERNELS;
  assert.ok(oldest !== undefined);
  const text = renderMatrix([knownColumn(oldest), measuredColumn("6.1", [])]);
  for (const { hook } of HOOKS) assert.match(text, new RegExp(`^\\| ${hook} +\\| \\w+ +\\| \\w+ +\\| - +\\|$`, "m"));
  assert.match(text, /^\| waits +\| complete \| - +\|$/m);
  assert.match(text, /^\| sched_switch +\| time +\| sched_switch_by_task_state +\|/m);
});
