import { assert } from "./assert.ts";
import {
  type KernelFacts,
  skippedName,
  type SkipReason,
  skipReason,
  verdictOf,
  withoutSkip,
} from "./kernel_requirements.ts";

const ALL_CAPABILITIES = "Name:\tdeno\nUid:\t0\t0\t0\t0\nCapPrm:\t000001ffffffffff\nCapEff:\t000001ffffffffff\n";

function factsWith(overrides: Partial<KernelFacts>): KernelFacts {
  return {
    status: ALL_CAPABILITIES,
    filesystems: "nodev\tsysfs\nnodev\tcgroup2\nnodev\ttracefs\n\text4\n",
    mountInfo: "30 20 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n" +
      "31 20 0:12 / /sys/kernel/tracing rw - tracefs tracefs rw\n",
    release: "6.1.0-18-amd64",
    hasVmlinuxBtf: true,
    hasChromium: true,
    hasClang: true,
    hasCompiledProgram: true,
    hasGo: true,
    hasIoController: true,
    hasNetworkTools: true,
    hasNginx: true,
    hasNode: true,
    hasPython: true,
    hasPostgres: true,
    hasRedis: true,
    ...overrides,
  };
}

const EVERY = [
  "bpf_capability",
  "btf",
  "cgroup_v2",
  "chromium",
  "clang",
  "compiled_program",
  "io_controller",
  "network_namespace",
  "nginx",
  "node",
  "python3",
  "postgres",
  "redis",
  "ring_buffer",
  "root",
  "tracefs",
] as const;

Deno.test("skipReason() yields nothing when every requirement is met", () => {
  assert.equal(skipReason(EVERY, factsWith({})), undefined);
});

const MISSING: readonly [string, Partial<KernelFacts>, string, string][] = [
  ["BTF is absent", { hasVmlinuxBtf: false }, "btf", "kernel_feature_absent"],
  ["the kernel is 5.7", { release: "5.7.19" }, "ring_buffer", "kernel_feature_absent"],
  ["the kernel is 4.19", { release: "4.19.0-27-amd64" }, "ring_buffer", "kernel_feature_absent"],
  ["no capability is held", { status: "CapEff:\t0000000000000000\n" }, "bpf_capability", "rights_missing"],
  ["only CAP_BPF is held", { status: "CapEff:\t0000008000000000\n" }, "bpf_capability", "rights_missing"],
  ["the user is another", { status: ALL_CAPABILITIES.replace("\t0\t0", "\t0\t1000") }, "root", "rights_missing"],
  ["chromium is not installed", { hasChromium: false }, "chromium", "program_absent"],
  ["clang is not installed", { hasClang: false }, "clang", "setup_missing"],
  ["nothing was compiled", { hasCompiledProgram: false }, "compiled_program", "program_absent"],
  ["I/O cannot be limited", { hasIoController: false }, "io_controller", "kernel_feature_absent"],
  ["tc is not installed", { hasNetworkTools: false }, "network_namespace", "program_absent"],
  ["Node is not installed", { hasNode: false }, "node", "program_absent"],
  ["Python is not installed", { hasPython: false }, "python3", "program_absent"],
  ["nginx is not installed", { hasNginx: false }, "nginx", "program_absent"],
  ["postgres is not installed", { hasPostgres: false }, "postgres", "program_absent"],
  ["redis is not installed", { hasRedis: false }, "redis", "program_absent"],
  ["tracefs is not mounted", { mountInfo: "30 20 0:26 / /c rw - cgroup2 x rw\n" }, "tracefs", "setup_missing"],
  ["tracefs is unknown", { mountInfo: "", filesystems: "nodev\tcgroup2\n" }, "cgroup_v2", "setup_missing"],
  ["cgroup2 is unknown", { mountInfo: "", filesystems: "nodev\ttracefs\n" }, "cgroup_v2", "kernel_feature_absent"],
];

for (const [when, overrides, requirement, kind] of MISSING) {
  Deno.test(`skipReason() names ${requirement} as ${kind} when ${when}`, () => {
    const reason = skipReason(EVERY, factsWith(overrides));
    assert.deepEqual([reason?.requirement, reason?.kind], [requirement, kind]);
  });
}

Deno.test("skipReason() accepts the first good release and the narrowest capabilities", () => {
  assert.equal(skipReason(["ring_buffer"], factsWith({ release: "5.8.0" })), undefined);
  assert.equal(skipReason(["ring_buffer"], factsWith({ release: "6.0.0" })), undefined);
  assert.equal(skipReason(["bpf_capability"], factsWith({ status: "CapEff:\t000000c000000000\n" })), undefined);
  assert.equal(skipReason(["bpf_capability"], factsWith({ status: "CapEff:\t0000000000200000\n" })), undefined);
});

Deno.test("skipReason() ignores what is not required", () => {
  assert.equal(skipReason([], factsWith({ hasVmlinuxBtf: false, hasClang: false, mountInfo: "" })), undefined);
});

Deno.test("verdictOf() lets CI skip only what nobody was asked to provide", () => {
  const reasonOf = (kind: SkipReason["kind"]) => ({
    kind,
    requirement: "btf" as const,
    found: "nothing",
  });
  assert.equal(verdictOf(undefined, { isCi: true }), "run");
  assert.equal(verdictOf(reasonOf("kernel_feature_absent"), { isCi: true }), "skip");
  assert.equal(verdictOf(reasonOf("program_absent"), { isCi: true }), "skip");
  assert.equal(verdictOf(reasonOf("rights_missing"), { isCi: true }), "fail");
  assert.equal(verdictOf(reasonOf("setup_missing"), { isCi: true }), "fail");
  assert.equal(verdictOf(reasonOf("rights_missing"), { isCi: false }), "skip");
});

Deno.test("withoutSkip() yields the name that skippedName() was given", () => {
  const reason = { kind: "program_absent", requirement: "nginx", found: "no nginx in PATH" } as const;
  for (const testName of ["a plain name", "a name (with brackets)"]) {
    assert.equal(withoutSkip(skippedName({ testName, reason })), testName);
    assert.equal(withoutSkip(testName), testName);
  }
});
