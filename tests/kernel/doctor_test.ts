/**
 * `podtrace doctor` on a real kernel: what it says of the machine is so, with
 * all rights and with few, and nothing is left behind.
 *
 * @module
 */

import { assert } from "../support/assert.ts";
import { BareRoot } from "../support/bare_root.ts";
import { schemaProblems } from "../support/json_schema.ts";
import { kernelTest } from "../support/kernel.ts";
import { type Answer, leavingNothingBehind, podtrace, podtraceWith, run } from "../support/podtrace_process.ts";
import { TRACING_REQUIREMENTS } from "../support/tracing.ts";

const REQUIRES = { requires: TRACING_REQUIREMENTS };

const SCHEMA = JSON.parse(Deno.readTextFileSync(new URL("../../docs/doctor.schema.json", import.meta.url)));

interface Provider {
  readonly program: string;
  readonly verdict: string;
  readonly reason: string;
}

interface Findings {
  readonly canDiagnose: boolean;
  readonly reason: string;
  readonly kernelRelease: string;
  readonly bpfPrograms: readonly string[];
  readonly libbpf: { readonly origin: string };
  readonly hooks: readonly { readonly hook: string; readonly providers: readonly Provider[] }[];
  readonly planes: readonly { readonly plane: string; readonly verdict: string }[];
  readonly missing: readonly { readonly what: string }[];
}

function findingsIn(answer: Answer): Findings {
  assert.equal(answer.stderr, "");
  const findings = JSON.parse(answer.stdout);
  assert.deepEqual(schemaProblems(SCHEMA, findings), []);
  return findings;
}

kernelTest("the doctor says what a look then does", REQUIRES, async () => {
  const answer = await leavingNothingBehind(() => podtrace("doctor", "-o", "json"));
  const findings = findingsIn(answer);
  assert.deepEqual([answer.code, findings.canDiagnose, findings.reason], [0, true, ""]);
  assert.equal(findings.kernelRelease, Deno.osRelease());

  const look = await podtrace("diagnose", "--pid", String(Deno.pid), "--duration", "200ms", "-o", "json");
  assert.equal(look.code, 0, look.stderr);
  const used = findings.hooks.flatMap(({ providers }) => providers.filter(({ verdict }) => verdict === "used"))
    .map(({ program }) => program);
  const attached: readonly string[] = JSON.parse(look.stdout).cost.programs.map(({ name }: { name: string }) => name);
  // A look attaches what it is asked for; the doctor tries everything.
  assert.deepEqual(attached.filter((name) => !used.includes(name)), []);
  assert.ok(attached.includes("sched_switch") || attached.includes("sched_switch_by_task_state"));
  assert.ok(used.every((name) => findings.bpfPrograms.includes(name)));
});

kernelTest("the doctor names the rights that are missing, and still looks at everything", REQUIRES, async () => {
  const table: readonly (readonly [capabilities: readonly string[], reason: RegExp])[] = [
    [[], /^needs CAP_BPF and CAP_PERFMON \(EPERM\)$/],
    [["bpf"], /^needs CAP_PERFMON \(EPERM\)$/],
  ];
  for (const [capabilities, reason] of table) {
    const answer = await leavingNothingBehind(() => podtraceWith(capabilities, ["doctor", "-o", "json"]));
    const findings = findingsIn(answer);
    assert.deepEqual([answer.code, findings.canDiagnose], [1, false]);
    assert.match(findings.reason, /^Cannot load BPF programs: /);
    for (const { hook, providers } of findings.hooks) {
      for (const provider of providers.filter(({ verdict }) => verdict !== "absent")) {
        assert.equal(provider.verdict, "refused", hook);
        assert.match(provider.reason, reason, hook);
      }
    }
    assert.ok(findings.planes.every(({ verdict }) => verdict === "blind"));
    assert.ok(findings.missing.some(({ what }) => what === "CAP_PERFMON"));
  }
});

kernelTest("the doctor can do with CAP_BPF and CAP_PERFMON alone", REQUIRES, async () => {
  const answer = await leavingNothingBehind(() => podtraceWith(["bpf", "perfmon"], ["doctor", "-o", "json"]));
  const findings = findingsIn(answer);
  assert.deepEqual([answer.code, findings.canDiagnose], [0, true]);
  const rights = findings.missing.map(({ what }) => what).filter((what) => what.startsWith("CAP_"));
  assert.deepEqual(rights, ["CAP_SYS_PTRACE", "CAP_CHECKPOINT_RESTORE", "CAP_SYS_ADMIN"]);
});

kernelTest("the doctor speaks text to people and JSON under the contract's name", REQUIRES, async () => {
  const [text, json] = await Promise.all([podtrace("doctor"), podtrace("diagnose-env")]);
  assert.match(text.stdout, /^podtrace doctor v\S+: this machine can be traced\n/);
  assert.deepEqual(text.stdout.split("\n").filter((line) => line.length > 80), []);
  assert.equal(findingsIn(json).canDiagnose, true);
});

kernelTest("the doctor of the compiled binary looks from the bare root with its own libraries", {
  requires: [...TRACING_REQUIREMENTS, "compiled_program", "root"],
}, async () => {
  using root = await BareRoot.make();
  const answer = await leavingNothingBehind(() => run(root.command(["doctor", "-o", "json"])));
  const findings = findingsIn(answer);
  assert.deepEqual([answer.code, findings.canDiagnose, findings.libbpf.origin], [0, true, "embedded"]);
});
