import { assert } from "../../tests/support/assert.ts";
import { makeTree, type TreeFiles } from "../../tests/support/host_tree.ts";
import { type EnvironmentFacts, parseLockedMemory, readEnvironmentFacts } from "./environment_facts.ts";
import { openHostView } from "./host_reader.ts";

const V2_LINE = "30 20 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
const HYBRID_LINES = "31 20 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n" +
  "32 20 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n";
const V1_LINE = "32 20 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
const LIMITS = "Limit                     Soft Limit           Hard Limit           Units     \n" +
  "Max locked memory         65536                131072               bytes     \n";

function factsOf(files: TreeFiles, mountInfo = ""): EnvironmentFacts {
  using tree = makeTree({ "proc/self/mountinfo": mountInfo, ...files });
  const host = openHostView({ procPath: `${tree.path}/proc` });
  return readEnvironmentFacts(host, { sysPath: `${tree.path}/sys`, rootPath: `${tree.path}/root` });
}

Deno.test("readEnvironmentFacts() tells the cgroup layouts apart", () => {
  const rows: readonly (readonly [mountInfo: string, layout: string, v2: string | undefined, v1: readonly string[]])[] =
    [
      [V2_LINE, "v2", "/sys/fs/cgroup", []],
      [HYBRID_LINES, "hybrid", "/sys/fs/cgroup/unified", ["cpu", "cpuacct"]],
      [V1_LINE, "v1", undefined, ["memory"]],
      ["", "none", undefined, []],
    ];
  for (const [mountInfo, layout, v2, v1] of rows) {
    const facts = factsOf({}, mountInfo);
    assert.deepEqual([facts.cgroupLayout, facts.cgroupV2Path, [...facts.cgroupV1Paths.keys()]], [layout, v2, v1]);
  }
});

Deno.test("readEnvironmentFacts() reads security modules, limits and settings, and bears their absence", () => {
  const facts = factsOf({
    "sys/kernel/security/lsm": "lockdown,capability,apparmor,selinux",
    "sys/fs/selinux/enforce": "1",
    "sys/module/apparmor/parameters/enabled": "Y\n",
    "proc/self/attr/apparmor/current": "docker-default (enforce)\n",
    "proc/self/limits": LIMITS,
    "proc/sys/kernel/perf_event_paranoid": "4\n",
    "proc/sys/net/core/bpf_jit_enable": "0\n",
  });
  assert.deepEqual(facts.security, {
    modules: ["lockdown", "capability", "apparmor", "selinux"],
    seLinux: "enforcing",
    appArmorProfile: "docker-default (enforce)",
  });
  assert.equal(facts.lockedMemoryBytesMax, 65536);
  assert.deepEqual([...facts.settings], [["kernel.perf_event_paranoid", "4"], ["net.core.bpf_jit_enable", "0"]]);

  const bare = factsOf({ "proc/self/limits": LIMITS.replace(/65536 /, "unlimited") });
  assert.deepEqual(bare.security, { modules: undefined, seLinux: "absent", appArmorProfile: undefined });
  assert.deepEqual([bare.lockedMemoryBytesMax, bare.settings.size, bare.btfPath], [undefined, 0, undefined]);
  assert.equal(factsOf({ "sys/fs/selinux/enforce": "0" }).security.seLinux, "permissive");
});

Deno.test("readEnvironmentFacts() calls no profile one that confines nothing", () => {
  const files = { "sys/module/apparmor/parameters/enabled": "Y\n", "proc/self/attr/current": "unconfined\n" };
  assert.equal(factsOf(files).security.appArmorProfile, undefined);
});

Deno.test("readEnvironmentFacts() takes a runtime for present where a socket is, not a file", () => {
  using tree = makeTree({
    "proc/self/mountinfo": "",
    "root/run/crio/crio.sock": "a file",
    "root/run/containerd/": "",
    "sys/kernel/btf/vmlinux": "",
  });
  using _listener = Deno.listen({ transport: "unix", path: `${tree.path}/root/run/containerd/containerd.sock` });
  const host = openHostView({ procPath: `${tree.path}/proc` });
  const facts = readEnvironmentFacts(host, { sysPath: `${tree.path}/sys`, rootPath: `${tree.path}/root` });
  assert.deepEqual(facts.runtimes.filter(({ isPresent }) => isPresent).map(({ runtime }) => runtime), ["containerd"]);
  assert.ok(facts.runtimes.some(({ path }) => path === "/run/docker.sock"));
  assert.equal(facts.btfPath, `${tree.path}/sys/kernel/btf/vmlinux`);
});

Deno.test("parseLockedMemory() yields the soft limit in bytes, nothing for unlimited or no line", () => {
  assert.equal(parseLockedMemory(LIMITS), 65536);
  assert.equal(parseLockedMemory("Max locked memory         0                    0                    bytes\n"), 0);
  assert.equal(
    parseLockedMemory("Max locked memory         unlimited            unlimited            bytes\n"),
    undefined,
  );
  assert.equal(parseLockedMemory(""), undefined);
});

Deno.test("readEnvironmentFacts() reads this machine", () => {
  const facts = readEnvironmentFacts(openHostView());
  assert.equal(facts.procPath, "/proc");
  assert.equal(facts.cgroupV2Path !== undefined, Deno.readTextFileSync("/proc/self/mountinfo").includes(" - cgroup2 "));
});
