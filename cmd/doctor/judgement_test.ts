import { EngineError } from "../../engine/api/errors.ts";
import { assert } from "../../tests/support/assert.ts";
import { judge, type PlaneRow } from "./judgement.ts";
import { examinationOf, hookOf, probeOf, providerOf } from "./test_examination.ts";

const REFUSED = { verdict: "refused", reason: "refused before it was verified (EPERM)" } as const;
const ABSENT = { verdict: "absent", reason: "this kernel has no such place (ESRCH)" } as const;

function without(...names: readonly string[]): ReadonlySet<string> {
  const all = ["CAP_BPF", "CAP_PERFMON", "CAP_SYS_PTRACE", "CAP_SYS_ADMIN", "CAP_CHECKPOINT_RESTORE"];
  return new Set(all.filter((name) => !names.includes(name)));
}

Deno.test("judge() finds nothing missing where everything is there", () => {
  const { canDiagnose, reason, missing, planes } = judge(examinationOf());
  assert.deepEqual([canDiagnose, reason, missing], [true, "", []]);
  assert.deepEqual(planes, [{ plane: "time", verdict: "complete", blindFor: [] }]);
});

Deno.test("judge() refuses for the obstacle first, then for the library, then for an essential hook", () => {
  const obstacle = new EngineError("kernel_unsupported", "Cannot trace on this kernel: it is locked down, wanted none");
  const noLibrary = new EngineError("library_missing", "Cannot open libbpf: found none, wanted libbpf.so.1");
  const noSwitch = probeOf([hookOf("sched_switch", { isEssential: true, providers: [providerOf("a", ABSENT)] })]);
  const rows = [
    [examinationOf({ obstacle, probe: noLibrary }), /^Cannot trace on this kernel: it is locked down/],
    [examinationOf({ probe: noLibrary }), /^Cannot open libbpf/],
    [examinationOf({ probe: noSwitch }), /^Cannot trace: found no way to observe sched_switch \(a: this kernel has/],
  ] as const;
  for (const [examination, reason] of rows) {
    const judgement = judge(examination);
    assert.equal(judgement.canDiagnose, false);
    assert.match(judgement.reason, reason);
    assert.equal(judgement.missing[0]?.effect, "nothing is traced");
  }
  const [first] = judge(examinationOf({ obstacle })).missing;
  assert.deepEqual([first?.what, first?.remedy], ["Cannot trace on this kernel: it is locked down", "none"]);
});

Deno.test("judge() names the right that a refused program wants, once", () => {
  const providers = [providerOf("a", REFUSED)];
  const probe = probeOf([hookOf("sched_switch", { isEssential: true, providers }), hookOf("other", { providers })]);
  const obstacle = new EngineError("capability_missing", "Cannot load BPF programs: CAP_PERFMON is not in effect");
  const kernel = { capabilities: without("CAP_PERFMON", "CAP_SYS_ADMIN") };
  const judgement = judge(examinationOf({ kernel, probe, obstacle }));
  assert.deepEqual(judgement.hooks.map((hook) => hook.providers[0]?.reason), [
    "needs CAP_PERFMON (EPERM)",
    "needs CAP_PERFMON (EPERM)",
  ]);
  assert.deepEqual(judgement.missing.map(({ what }) => what), ["CAP_PERFMON", "CAP_SYS_ADMIN"]);
  // With the rights held, EPERM is the kernel's own no.
  const { hooks } = judge(examinationOf({ probe }));
  assert.equal(hooks[0]?.providers[0]?.reason, REFUSED.reason);
});

Deno.test("judge() lets CAP_SYS_ADMIN stand for what the kernel lets it stand for", () => {
  const kernel = { capabilities: new Set(["CAP_SYS_ADMIN"]) };
  const { capabilities } = judge(examinationOf({ kernel }));
  assert.deepEqual(capabilities.filter(({ isEffective }) => !isEffective).map(({ name }) => name), ["CAP_SYS_PTRACE"]);
});

Deno.test("judge() says of each plane what it would not see", () => {
  const served = hookOf("a");
  const unserved = hookOf("b", { providers: [providerOf("b", ABSENT)] });
  const essential = hookOf("c", { isEssential: true, providers: [providerOf("c", ABSENT)] });
  const untried = hookOf("d", { providers: [providerOf("d", { verdict: "untried", reason: "ended" })] });
  const rows: readonly (readonly [Parameters<typeof probeOf>[0], Omit<PlaneRow, "plane">])[] = [
    [[served], { verdict: "complete", blindFor: [] }],
    [[served, unserved], { verdict: "partial", blindFor: ["what b shows"] }],
    [[unserved], { verdict: "blind", blindFor: ["everything"] }],
    [[served, essential], { verdict: "blind", blindFor: ["everything"] }],
    [[served, untried], { verdict: "untried", blindFor: ["what d shows"] }],
  ];
  for (const [hooks, expected] of rows) {
    assert.deepEqual(judge(examinationOf({ probe: probeOf(hooks) })).planes, [{ plane: "time", ...expected }]);
  }
});

Deno.test("judge() orders what is missing: rights, then hooks, then the rest", () => {
  const probe = probeOf([hookOf("a"), hookOf("b", { providers: [providerOf("b", ABSENT)] })]);
  const kernel = { capabilities: without("CAP_SYS_ADMIN", "CAP_CHECKPOINT_RESTORE") };
  const environment = { tracefsPaths: [], cgroupV2Path: undefined };
  const { canDiagnose, missing } = judge(examinationOf({ probe, kernel, environment }));
  assert.ok(canDiagnose);
  assert.deepEqual(missing.map(({ what }) => what), [
    "CAP_CHECKPOINT_RESTORE",
    "CAP_SYS_ADMIN",
    "a program for b",
    "a mounted cgroup v2 hierarchy",
    "a mounted tracefs",
  ]);
  assert.match(missing[2]?.effect ?? "", /^blind for what b shows$/);
});

Deno.test("judge() speaks of locked memory only where the kernel counts it and the right is missing", () => {
  const old = { release: { text: "5.10.0", major: 5, minor: 10 }, capabilities: without("CAP_SYS_RESOURCE") };
  const environment = { lockedMemoryBytesMax: 65_536 };
  const whats = (changes: Parameters<typeof examinationOf>[0]) =>
    judge(examinationOf(changes)).missing.map((m) => m.what);
  assert.deepEqual(whats({ kernel: old, environment }), ["locked memory"]);
  assert.deepEqual(whats({ kernel: old }), []);
  assert.deepEqual(whats({ environment }), []);
  const capabilities = new Set([...old.capabilities, "CAP_SYS_RESOURCE"]);
  assert.deepEqual(whats({ kernel: { ...old, capabilities }, environment }), []);
});

Deno.test("judge() warns of what may refuse later", () => {
  const security = { modules: [], seLinux: "enforcing", appArmorProfile: "docker-default (enforce)" } as const;
  const settings = new Map([["net.core.bpf_jit_enable", "0"]]);
  const { canDiagnose, missing } = judge(examinationOf({ environment: { security, settings } }));
  assert.ok(canDiagnose);
  assert.deepEqual(missing.map(({ what }) => what), [
    "the BPF compiler",
    "SELinux is enforcing",
    "AppArmor profile docker-default (enforce) is in force",
  ]);
});
