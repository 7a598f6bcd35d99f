import { assert } from "../../tests/support/assert.ts";
import { makeTree } from "../../tests/support/host_tree.ts";
import {
  capabilityNames,
  isReleaseAtLeast,
  type KernelFacts,
  type Lockdown,
  missingForTracing,
  parseKernelRelease,
  parseLockdown,
  readKernelFacts,
} from "./kernel_facts.ts";
import { ProcFs } from "./procfs.ts";

function factsOf(
  overrides: {
    release?: string;
    hasBtf?: boolean;
    capabilities?: readonly string[];
    lockdown?: Lockdown;
    isInFirstPidNamespace?: boolean;
  },
): KernelFacts {
  const releaseText = overrides.release ?? "6.1.0-18-cloud-amd64";
  return {
    releaseText,
    release: parseKernelRelease(releaseText),
    hasBtf: overrides.hasBtf ?? true,
    tracefsPath: undefined,
    capabilities: new Set(overrides.capabilities ?? ["CAP_BPF", "CAP_PERFMON"]),
    lockdown: overrides.lockdown,
    isInFirstPidNamespace: overrides.isInFirstPidNamespace ?? true,
  };
}

Deno.test("parseKernelRelease() reads what distributions print", () => {
  const rows: readonly (readonly [string, number, number])[] = [
    ["6.18.44-fc-v669", 6, 18],
    ["5.8", 5, 8],
    ["5.10.0-28-amd64", 5, 10],
    ["4.18.0-513.el8.x86_64", 4, 18],
    ["6.12-rc3", 6, 12],
    ["5.15.167.4-microsoft-standard-WSL2", 5, 15],
  ];
  for (const [text, major, minor] of rows) assert.deepEqual(parseKernelRelease(text), { text, major, minor });
  for (const text of ["", "linux", "v6.1", "6", "6.", "6.x", "123456.1"]) {
    assert.equal(parseKernelRelease(text), undefined, text);
  }
});

Deno.test("isReleaseAtLeast() compares numbers, not text", () => {
  const wanted = { major: 5, minor: 8 };
  for (const [major, minor, isEnough] of [[5, 7, 0], [5, 8, 1], [5, 10, 1], [4, 18, 0], [6, 0, 1]] as const) {
    assert.equal(isReleaseAtLeast({ major, minor }, wanted), isEnough === 1, `${major}.${minor}`);
  }
});

Deno.test("capabilityNames() names every bit", () => {
  const mask = 1n << 19n | 1n << 21n | 1n << 24n | 1n << 38n | 1n << 39n | 1n << 40n | 1n << 63n;
  assert.deepEqual([...capabilityNames(mask)], [
    "CAP_SYS_PTRACE",
    "CAP_SYS_ADMIN",
    "CAP_SYS_RESOURCE",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
    "CAP_63",
  ]);
  assert.equal(capabilityNames(0n).size, 0);
  assert.ok(capabilityNames(1n).has("CAP_CHOWN"));
});

Deno.test("missingForTracing() is silent when nothing is missing", () => {
  for (const capabilities of [["CAP_BPF", "CAP_PERFMON"], ["CAP_SYS_ADMIN"], ["CAP_BPF", "CAP_SYS_ADMIN"]]) {
    assert.equal(missingForTracing(factsOf({ capabilities })), undefined);
  }
  assert.equal(missingForTracing(factsOf({ release: "5.8.0" })), undefined);
  assert.equal(missingForTracing(factsOf({ lockdown: "integrity" })), undefined);
});

Deno.test("parseLockdown() yields the level in brackets", () => {
  assert.equal(parseLockdown("[none] integrity confidentiality\n"), "none");
  assert.equal(parseLockdown("none [integrity] confidentiality\n"), "integrity");
  assert.equal(parseLockdown("none integrity [confidentiality]\n"), "confidentiality");
  for (const text of ["", "none integrity confidentiality", "[other]"]) assert.equal(parseLockdown(text), undefined);
});

Deno.test("missingForTracing() names what is missing, the first to fix first", () => {
  const rows: readonly (readonly [Parameters<typeof factsOf>[0], string, RegExp])[] = [
    [
      { release: "5.7.19", hasBtf: false, capabilities: [] },
      "kernel_unsupported",
      /Linux 5\.7\.19, wanted 5\.8 or newer/,
    ],
    [{ release: "" }, "kernel_unsupported", /Linux of unknown version, wanted 5\.8/],
    [{ hasBtf: false, capabilities: [] }, "kernel_unsupported", /\/sys\/kernel\/btf\/vmlinux.*CONFIG_DEBUG_INFO_BTF/],
    [
      { lockdown: "confidentiality", capabilities: [] },
      "kernel_unsupported",
      /locked down \(confidentiality\).*wanted lockdown none or integrity/,
    ],
    [{ isInFirstPidNamespace: false, capabilities: [] }, "host_not_visible", /pid namespace.*--pid=host/],
    [{ capabilities: [] }, "capability_missing", /: CAP_BPF and CAP_PERFMON are not in effect/],
    [{ capabilities: ["CAP_BPF", "CAP_NET_ADMIN"] }, "capability_missing", /: CAP_PERFMON is not in effect/],
    [{ capabilities: ["CAP_PERFMON"] }, "capability_missing", /: CAP_BPF is not in effect/],
  ];
  for (const [overrides, code, pattern] of rows) {
    const error = missingForTracing(factsOf(overrides));
    assert.equal(error?.code, code);
    assert.match(error?.message ?? "", pattern);
    assert.match(error?.message ?? "", /^Cannot [^\n]*wanted [^\n]*$/);
  }
});

Deno.test("readKernelFacts() reads this machine", () => {
  const facts = readKernelFacts(new ProcFs());
  assert.equal(facts.releaseText, Deno.osRelease());
  const major = Number(Deno.osRelease().split(".")[0]);
  assert.equal(facts.release?.major, major);
  const mask = /^CapEff:\t([0-9a-f]+)$/m.exec(Deno.readTextFileSync("/proc/self/status"))?.[1];
  assert.deepEqual(facts.capabilities, capabilityNames(BigInt(`0x${mask}`)));
});

Deno.test("readKernelFacts() reads another host's files below given roots", () => {
  using tree = makeTree({
    "proc/sys/kernel/osrelease": "5.4.0-generic\n",
    "proc/self/status": "Name:\tx\nTgid:\t1\nPPid:\t0\nCapEff:\t000000c000000000\n",
    "proc/self/mountinfo": "9 1 0:7 / /sys/kernel/debug/tracing rw - tracefs tracefs rw\n",
    "sys/kernel/btf/vmlinux": "",
    "sys/kernel/security/lockdown": "none integrity [confidentiality]\n",
  });
  Deno.mkdirSync(`${tree.path}/proc/self/ns`);
  Deno.symlinkSync("pid:[4026532201]", `${tree.path}/proc/self/ns/pid`);

  const facts = readKernelFacts(new ProcFs(`${tree.path}/proc`), { sysPath: `${tree.path}/sys` });
  assert.deepEqual(facts, {
    releaseText: "5.4.0-generic",
    release: { text: "5.4.0-generic", major: 5, minor: 4 },
    hasBtf: true,
    tracefsPath: "/sys/kernel/debug/tracing",
    capabilities: new Set(["CAP_PERFMON", "CAP_BPF"]),
    lockdown: "confidentiality",
    isInFirstPidNamespace: false,
  });
  assert.equal(readKernelFacts(new ProcFs(`${tree.path}/proc`), { sysPath: `${tree.path}/none` }).hasBtf, false);
});
