import { assert } from "../../tests/support/assert.ts";
import { makeTree, procFiles } from "../../tests/support/host_tree.ts";
import { kernelTest } from "../../tests/support/kernel.ts";
import { createHostReader, openHostView } from "./host_reader.ts";

Deno.test("createHostReader() reads a host below given roots", () => {
  using tree = makeTree({
    ...procFiles([{ id: 7, parentId: 3, command: "a) b (", cgroup: "0::/group\n" }]),
    "proc/stat": "cpu  1\ncpu0 1\ncpu1 1\ncpu2 1\n",
    "proc/self/mountinfo": "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
    "proc/pressure/cpu": "some avg10=0.00 avg60=0.00 avg300=0.00 total=3000\n",
    "proc/7/maps": "00400000-00401000 r-xp 00000000 fe:00 1   /bin/app\n",
    "sys/fs/cgroup/group/cpu.max": "50000 100000\n",
  });
  const host = openHostView({ procPath: `${tree.path}/proc`, rootPath: tree.path });
  const reader = createHostReader(host, { architecture: "aarch64" });
  assert.equal(reader.cpuCount, 3);
  assert.deepEqual(reader.process(7), {
    parentProcessId: 3,
    command: "a) b (",
    commandLine: ["a) b (", "--serve"],
  });
  const path = reader.cgroupPathOf(7);
  assert.equal(path, `${tree.path}/sys/fs/cgroup/group`);
  assert.equal(reader.cgroup(path ?? "")?.cpuLimit, 0.5);
  assert.equal(reader.pressure()?.cpuSomeMs, 3);
  assert.equal(reader.systemCallName(98), "futex");
  assert.deepEqual(reader.describeStack(7, [0x400010n, 0x1n]).map(({ text }) => text), ["app+0x10", "0x1"]);
});

Deno.test("createHostReader() yields undefined for what is gone", () => {
  using tree = makeTree({ "proc/self/mountinfo": "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n" });
  const host = openHostView({ procPath: `${tree.path}/proc`, rootPath: tree.path });
  const reader = createHostReader(host, { architecture: "x86_64" });
  assert.equal(reader.process(7), undefined);
  assert.equal(reader.cgroupPathOf(7), undefined);
  assert.equal(reader.cgroup(`${tree.path}/sys/fs/cgroup/absent`), undefined);
  assert.equal(reader.pressure(), undefined);
  assert.deepEqual(reader.describeStack(7, [0x10n]).map(({ text }) => text), ["0x10"]);
  assert.equal(reader.cpuCount, 1);
});

kernelTest("createHostReader() reads this machine", { requires: ["cgroup_v2"] }, () => {
  const reader = createHostReader(openHostView(), { architecture: "x86_64" });
  assert.equal(reader.process(Deno.pid)?.command, Deno.readTextFileSync("/proc/self/comm").trim());
  assert.ok(reader.process(Deno.pid)?.commandLine.includes("test"));
  assert.equal(reader.cpuCount, navigator.hardwareConcurrency);
  assert.ok(reader.ownUse().cpuMs > 0);
  assert.ok(reader.ownUse().memoryBytes > 1024 * 1024);
  const path = reader.cgroupPathOf(Deno.pid);
  const isInRoot = !/^(0:|\d+:([^:]*,)?(cpu|memory|blkio)(,[^:]*)?):\/./m.test(
    Deno.readTextFileSync("/proc/self/cgroup"),
  );
  assert.equal(path === undefined, isInRoot);
  if (path !== undefined) assert.ok(Deno.statSync(path).isDirectory);
});
