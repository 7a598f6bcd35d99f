import { assert } from "../../tests/support/assert.ts";
import { makeTree, procFiles, type TemporaryTree } from "../../tests/support/host_tree.ts";
import { kernelTest } from "../../tests/support/kernel.ts";
import { makeLimitedCgroup } from "../../tests/support/limited_cgroup.ts";
import { EngineError } from "../api/errors.ts";
import { CgroupFs, openCgroupFs, readHostPressure } from "./cgroupfs.ts";
import { ProcFs } from "./procfs.ts";
import { parseCgroupLines } from "./procfs_parsers.ts";

const PRESSURE =
  "some avg10=0.00 avg60=0.00 avg300=0.00 total=2000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=1000\n";

/** A pure v2 host whose hierarchy is the tree's folder `cgroup`. */
function pureView(tree: TemporaryTree): CgroupFs {
  tree.write({ "cgroup/cgroup.procs": "" });
  const path = `${tree.path}/cgroup`;
  return new CgroupFs({ v2: { path, root: "/" }, controllers: new Map() }, {
    topId: BigInt(Deno.lstatSync(path).ino ?? 0),
  });
}

/** A hybrid host: v2 in `unified`, CPU limits in `cpu`, CPU time in `cpuacct`. */
function hybridView(tree: TemporaryTree): CgroupFs {
  tree.write({ "unified/cgroup.procs": "", "cpu/cgroup.procs": "", "cpuacct/cgroup.procs": "" });
  const mount = (name: string) => ({ path: `${tree.path}/${name}`, root: "/" });
  return new CgroupFs(
    { v2: mount("unified"), controllers: new Map([["cpu", mount("cpu")], ["cpuacct", mount("cpuacct")]]) },
    { topId: BigInt(Deno.lstatSync(`${tree.path}/unified`).ino ?? 0) },
  );
}

Deno.test("locate() yields inode and level of a group", () => {
  using tree = makeTree({ "cgroup/kubepods/pod1/leaf/cgroup.procs": "7\n" });
  const cgroupFs = pureView(tree);
  const path = `${tree.path}/cgroup/kubepods/pod1/leaf`;
  assert.deepEqual(cgroupFs.locate("kubepods/pod1/leaf/"), {
    id: BigInt(Deno.lstatSync(path).ino ?? 0),
    level: 3,
    path,
  });
  assert.equal(cgroupFs.locate("")?.level, 0);
  assert.equal(cgroupFs.locate("kubepods/absent"), undefined);
});

Deno.test("locate() refuses a folder that is no group, and a mount that shows a part of the hierarchy", () => {
  using tree = makeTree({ "cgroup/folder/": "", "cgroup/group/cgroup.procs": "" });
  const cgroupFs = pureView(tree);
  assert.throws(() => cgroupFs.locate("folder"), /no cgroup\.procs/);
  const narrow = new CgroupFs(cgroupFs.mounts); // the folder's inode is not 1, the hierarchy's root
  assert.throws(
    () => narrow.locate("group"),
    (error) => error instanceof EngineError && error.code === "target_refused" && /namespace/.test(error.message),
  );
});

Deno.test("locate() says what to mount when there is no v2 hierarchy", () => {
  const cgroupFs = new CgroupFs({ v2: undefined, controllers: new Map() });
  assert.throws(() => cgroupFs.locate("x"), /mount -t cgroup2/);
});

Deno.test("processIdsBelow() collects nested groups and leaves out ids of other pid namespaces", () => {
  using tree = makeTree({
    "cgroup/a/cgroup.procs": "30\n0\n4\n",
    "cgroup/a/b/cgroup.procs": "5\n",
    "cgroup/a/b/c/cgroup.procs": "5\nx\n",
    "cgroup/other/cgroup.procs": "6\n",
  });
  const cgroupFs = pureView(tree);
  assert.deepEqual(cgroupFs.processIdsBelow(cgroupFs.directoryOf("a")), [4, 5, 30]);
});

Deno.test("visitGroups() skips what it is told to, follows no link and gives up at its depth", () => {
  const deepPath = Array.from({ length: 17 }, (_, index) => `d${index}`).join("/");
  using tree = makeTree({ "cgroup/a/b/": "", "cgroup/skipped/below/": "", [`cgroup/${deepPath}/`]: "" });
  const cgroupFs = pureView(tree);
  Deno.symlinkSync("..", `${tree.path}/cgroup/a/loop`);
  const visited: string[] = [];
  const outcome = cgroupFs.visitGroups(({ groupPath, name }) => {
    visited.push(groupPath);
    return name === "skipped" ? "skip" : "descend";
  });
  assert.equal(outcome.isComplete, false);
  assert.equal(outcome.visitedCount, visited.length);
  assert.ok(visited.includes("a/b"));
  assert.ok(!visited.some((path) => path.includes("loop") || path.includes("below") || path.includes("d16")));
  assert.ok(visited.some((path) => path.endsWith("d15")));
});

Deno.test("read() takes the tightest v2 limit on the way up and the counters of the group that sets it", () => {
  const counters = (usage: number, throttled: number) =>
    `usage_usec ${usage}\nnr_periods 10\nnr_throttled ${throttled}\nthrottled_usec ${throttled * 1000}\n`;
  using tree = makeTree({
    "cgroup/pod/cpu.max": "50000 100000\n",
    "cgroup/pod/cpu.stat": counters(9_000_000, 3),
    "cgroup/pod/leaf/cpu.max": "200000 100000\n",
    "cgroup/pod/leaf/cpu.stat": counters(4_000_000, 0),
    "cgroup/pod/leaf/cpu.pressure": PRESSURE,
    "cgroup/pod/leaf/io.pressure": PRESSURE,
    "cgroup/free/cpu.max": "max 100000\n",
    "cgroup/free/cpu.stat": counters(1000, 0),
  });
  const cgroupFs = pureView(tree);
  const procFs = new ProcFs(`${tree.path}/proc`);
  assert.deepEqual(cgroupFs.read(cgroupFs.directoryOf("pod/leaf"), procFs), {
    cpuLimit: 0.5,
    cpuLimitPath: `${tree.path}/cgroup/pod`,
    periodCount: 10,
    throttledPeriodCount: 3,
    throttledMs: 3,
    cpuUsageMs: 4000,
    memory: undefined,
    io: undefined,
    tasks: undefined,
    pressure: { cpuSomeMs: 2, ioSomeMs: 2, ioFullMs: 1, memorySomeMs: undefined, memoryFullMs: undefined },
  });
  const free = cgroupFs.read(cgroupFs.directoryOf("free"), procFs);
  assert.equal(free?.cpuLimit, undefined);
  assert.equal(free?.periodCount, 10);
  assert.equal(free?.cpuUsageMs, 1);
  assert.equal(cgroupFs.read(cgroupFs.directoryOf("absent"), procFs), undefined);
});

Deno.test("read() finds the limit of a hybrid host's v2 group in the v1 group of one of its processes", () => {
  using tree = makeTree({
    "unified/v2name/cgroup.procs": "40\n41\n",
    "unified/v2name/cpu.pressure": PRESSURE,
    "cpu/v1name/cpu.cfs_quota_us": "25000\n",
    "cpu/v1name/cpu.cfs_period_us": "100000\n",
    "cpu/v1name/cpu.stat": "nr_periods 8\nnr_throttled 2\nthrottled_time 3000000\n",
    "unified/v2name/cpu.stat": "usage_usec 7000\n",
    ...procFiles([{ id: 41, cgroup: "5:cpu:/v1name\n0::/v2name\n" }]), // 40 has just ended
  });
  const cgroupFs = hybridView(tree);
  assert.deepEqual(cgroupFs.read(cgroupFs.directoryOf("v2name"), new ProcFs(`${tree.path}/proc`)), {
    cpuLimit: 0.25,
    cpuLimitPath: `${tree.path}/cpu/v1name`,
    periodCount: 8,
    throttledPeriodCount: 2,
    throttledMs: 3,
    cpuUsageMs: 7,
    memory: undefined,
    io: undefined,
    tasks: undefined,
    pressure: {
      cpuSomeMs: 2,
      ioSomeMs: undefined,
      ioFullMs: undefined,
      memorySomeMs: undefined,
      memoryFullMs: undefined,
    },
  });
});

Deno.test("read() takes the v1 group of the same name first, with the limits above it", () => {
  using tree = makeTree({
    "unified/same/below/cgroup.procs": "41\n",
    ...procFiles([{ id: 41, cgroup: "5:cpu:/same/below\n0::/same/below\n" }]),
    "cpu/same/below/cpu.cfs_quota_us": "10000\n", // the limit of a part of the group is not the group's
    "cpu/same/below/cpu.cfs_period_us": "100000\n",
    "unified/same/cpu.stat": "usage_usec 1500\n",
    "cpu/same/cpu.cfs_quota_us": "-1\n",
    "cpu/same/cpu.cfs_period_us": "100000\n",
    "cpu/cpu.cfs_quota_us": "300000\n",
    "cpu/cpu.cfs_period_us": "100000\n",
  });
  const cgroupFs = hybridView(tree);
  const reading = cgroupFs.read(cgroupFs.directoryOf("same"), new ProcFs(`${tree.path}/proc`));
  assert.equal(reading?.cpuLimit, 3);
  assert.equal(reading?.cpuUsageMs, 1.5);
});

Deno.test("read() takes a v1 group's CPU time from the accounting hierarchy", () => {
  using tree = makeTree({
    "cpu/x/cpu.cfs_quota_us": "200000\n",
    "cpu/x/cpu.cfs_period_us": "100000\n",
    "cpuacct/x/cpuacct.usage": "7000000\n",
    "cpu/alone/cpu.cfs_quota_us": "-1\n",
  });
  const cgroupFs = hybridView(tree);
  const procFs = new ProcFs(`${tree.path}/proc`);
  const reading = cgroupFs.read(`${tree.path}/cpu/x`, procFs);
  assert.equal(reading?.cpuLimit, 2);
  assert.equal(reading?.cpuUsageMs, 7);
  assert.equal(reading?.pressure, undefined);
  assert.equal(cgroupFs.read(`${tree.path}/cpu/alone`, procFs)?.cpuUsageMs, undefined);
});

Deno.test("accountDirectoryOf() prefers the v1 group of a process that v2 shows at its root only", () => {
  using tree = makeTree();
  const cgroupFs = hybridView(tree);
  const directory = (text: string) => cgroupFs.accountDirectoryOf(parseCgroupLines(text))?.slice(tree.path.length);
  assert.equal(directory("5:cpu:/docker/x\n0::/\n"), "/cpu/docker/x");
  assert.equal(directory("5:cpu:/docker/x\n0::/docker/x\n"), "/unified/docker/x");
  assert.equal(directory("5:cpu:/docker/x\n0::/../elsewhere\n"), "/cpu/docker/x");
  assert.equal(directory(""), undefined);
});

Deno.test("accountDirectoryOf() yields nothing for the top of a hierarchy, whose figures are the whole machine's", () => {
  using tree = makeTree({ "cgroup/shop/cgroup.procs": "" });
  const hybrid = hybridView(tree);
  for (const text of ["5:cpu:/\n0::/\n", "0::/\n", "5:cpu:/\n0::/../elsewhere\n"]) {
    assert.equal(hybrid.accountDirectoryOf(parseCgroupLines(text)), undefined, text);
  }
  const pure = pureView(tree);
  assert.equal(pure.accountDirectoryOf(parseCgroupLines("0::/\n")), undefined);
  assert.equal(pure.accountDirectoryOf(parseCgroupLines("0::/shop\n")), `${tree.path}/cgroup/shop`);
  const narrow = new CgroupFs(pure.mounts); // a cgroup namespace: the mount's top is a group like others
  assert.equal(narrow.accountDirectoryOf(parseCgroupLines("0::/\n")), `${tree.path}/cgroup`);
});

Deno.test("openCgroupFs() finds mounts in the view's own mount table, below a mounted host's root", () => {
  using tree = makeTree({
    "proc/self/mountinfo": "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n" +
      "33 31 0:30 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n",
  });
  const { mounts } = openCgroupFs(new ProcFs(`${tree.path}/proc`), { rootPath: "/host" });
  assert.equal(mounts.v2?.path, "/host/sys/fs/cgroup");
  assert.equal(mounts.controllers.get("cpu")?.path, "/host/sys/fs/cgroup/cpu");
});

Deno.test("readHostPressure() yields totals, and undefined where the kernel keeps none", () => {
  using tree = makeTree({ "proc/pressure/memory": PRESSURE });
  assert.deepEqual(readHostPressure(new ProcFs(`${tree.path}/proc`)), {
    cpuSomeMs: undefined,
    ioSomeMs: undefined,
    ioFullMs: undefined,
    memorySomeMs: 2,
    memoryFullMs: 1,
  });
  assert.equal(readHostPressure(new ProcFs(`${tree.path}/absent`)), undefined);
});

kernelTest("locate() yields the id the kernel uses for a real group", { requires: ["cgroup_v2"] }, async () => {
  const procFs = new ProcFs();
  const cgroupFs = openCgroupFs(procFs);
  const top = cgroupFs.directoryOf("");
  const path = Deno.makeTempDirSync({ dir: top, prefix: "podtrace-test-" });
  const child = new Deno.Command("sleep", { args: ["600"] }).spawn();
  try {
    Deno.writeTextFileSync(`${path}/cgroup.procs`, String(child.pid));
    const groupPath = cgroupFs.groupPathOf(procFs.cgroupLines(child.pid) ?? []);
    assert.equal(groupPath, path.slice(top.length + 1));
    const located = cgroupFs.locate(groupPath ?? "");
    assert.equal(located?.level, 1);
    assert.equal(located?.id, BigInt(Deno.statSync(path).ino ?? 0));
    assert.deepEqual(cgroupFs.processIdsBelow(path), [child.pid]);
    assert.ok((cgroupFs.read(path, procFs)?.cpuUsageMs ?? -1) >= 0);
  } finally {
    child.kill("SIGKILL");
    await child.status;
    Deno.removeSync(path);
  }
});

kernelTest("read() sees a real limit and real throttling", { requires: ["cgroup_v2"] }, async () => {
  const procFs = new ProcFs();
  const cgroupFs = openCgroupFs(procFs);
  await using group = await makeLimitedCgroup({ cpus: 0.05 });

  const child = new Deno.Command("sh", { args: ["-c", "read go; while :; do :; done"], stdin: "piped" }).spawn();
  try {
    await group.add(child.pid);
    const directory = cgroupFs.accountDirectoryOf(procFs.cgroupLines(child.pid) ?? []);
    assert.equal(directory, group.path);
    assert.equal(cgroupFs.read(group.path, procFs)?.cpuLimit, 0.05);
    await child.stdin.close();
    const deadlineMs = performance.now() + 10_000;
    let reading = cgroupFs.read(group.path, procFs);
    while ((reading?.throttledMs ?? 0) === 0 && performance.now() < deadlineMs) {
      // Gives the throttled program its periods; each pass ends when another program has run and ended.
      await new Deno.Command("true").output();
      reading = cgroupFs.read(group.path, procFs);
    }
    assert.ok((reading?.throttledMs ?? 0) > 0, "a busy loop in 5 % of a CPU is throttled within 10 s");
    assert.ok((reading?.throttledPeriodCount ?? 0) > 0);
    assert.ok((reading?.periodCount ?? 0) >= (reading?.throttledPeriodCount ?? 0));
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
});
