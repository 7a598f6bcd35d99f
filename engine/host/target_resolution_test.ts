import { assert } from "../../tests/support/assert.ts";
import { makeTree, procFiles, type TemporaryTree } from "../../tests/support/host_tree.ts";
import { kernelTest } from "../../tests/support/kernel.ts";
import { EngineError, type EngineErrorCode } from "../api/errors.ts";
import { CgroupFs } from "./cgroupfs.ts";
import type { HostView } from "./container_resolution.ts";
import { openHostView } from "./host_reader.ts";
import { ProcFs } from "./procfs.ts";
import { toProcessId, toTargetId } from "../api/units.ts";
import {
  resolveCgroup,
  resolveContainerTarget,
  resolveProcess,
  resolveProcesses,
  systemWideTarget,
  withoutNestedTargets,
} from "./target_resolution.ts";

/** Of a line of /proc/PID/stat, what follows the state. */
const STAT_TAIL = "1 0 0 0 -1 0 0 0 0 0 12 34 0 0 20 0 1 0 5000 0 0\n";

const ID = "3f2a".repeat(16);

/** A hybrid host in a tree: v2 in `unified`, the v1 CPU hierarchy in `cpu`. */
function hostOf(tree: TemporaryTree): HostView {
  tree.write({ "unified/cgroup.procs": "", "cpu/cgroup.procs": "", "proc/": "" });
  const mount = (name: string) => ({ path: `${tree.path}/${name}`, root: "/" });
  const cgroupFs = new CgroupFs({ v2: mount("unified"), controllers: new Map([["cpu", mount("cpu")]]) }, {
    topId: BigInt(Deno.lstatSync(`${tree.path}/unified`).ino ?? 0),
  });
  return { procFs: new ProcFs(`${tree.path}/proc`), cgroupFs };
}

/** Asserts one line with `code` whose text matches. */
function assertRefused(resolve: () => unknown, code: EngineErrorCode, pattern: RegExp): void {
  assert.throws(resolve, (error) => {
    assert.ok(error instanceof EngineError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, pattern);
    assert.match(error.message, /^Cannot [^\n]*wanted [^\n]*$/);
    return true;
  });
}

Deno.test("resolveProcess() yields the process with its present descendants", () => {
  using tree = makeTree(procFiles([
    { id: 1, parentId: 0 },
    { id: 4711, command: "redis-server" },
    { id: 4712, parentId: 4711 },
    { id: 4713, parentId: 4712 },
    { id: 5000 },
  ]));
  assert.deepEqual(resolveProcess(4711, hostOf(tree)).target, {
    id: "pid:4711",
    label: "pid 4711 (redis-server)",
    cgroups: [],
    processIds: [4711, 4712, 4713],
    isSystemWide: false,
  });
});

Deno.test("withoutNestedTargets() gives every process to the innermost target, in whatever order they come", () => {
  const target = (...ids: readonly number[]) => ({
    id: toTargetId(`pid:${ids[0]}`),
    label: "",
    cgroups: [],
    processIds: ids.map((id) => toProcessId(id)),
    isSystemWide: false,
  });
  const [outer, middle, inner, apart] = [target(1, 2, 3, 4, 5), target(2, 3, 4), target(4), target(9, 10)];
  const expected = new Map([["pid:1", [1, 5]], ["pid:2", [2, 3]], ["pid:4", [4]], ["pid:9", [9, 10]]]);
  for (const targets of [[outer, middle, inner, apart], [inner, apart, middle, outer], [middle, outer, apart, inner]]) {
    for (const { id, processIds } of withoutNestedTargets(targets)) assert.deepEqual(processIds, expected.get(id), id);
  }
});

Deno.test("resolveProcesses() leaves those that have ended out of several, with a note, and refuses none at all", () => {
  using tree = makeTree(procFiles([
    { id: 10, command: "outer" },
    { id: 11, parentId: 10 },
    { id: 12, parentId: 11 },
    { id: 30, state: "Z" },
    { id: 40, parentId: 2, flags: 0x0020_8040 },
  ]));
  const host = hostOf(tree);
  const { targets, notes } = resolveProcesses([99, 11, 30, 10], host);
  assert.deepEqual(targets.map(({ processIds }) => processIds), [[11, 12], [10]]);
  assert.deepEqual(notes, ["2 pids are left out, there are no such processes any more: 99, 30"]);
  assert.deepEqual(resolveProcesses([10, 99], host).notes, [
    "pid 99 is left out: there is no such process any more",
  ]);
  assert.deepEqual(resolveProcesses([91, 92, 93, 94, 95, 96, 97, 10], host).notes, [
    "7 pids are left out, there are no such processes any more: 91, 92, 93, 94, 95 and 2 more",
  ]);
  assertRefused(() => resolveProcesses([99, 30], host), "target_gone", /pid 30: it has ended/);
  assertRefused(() => resolveProcesses([10, 40], host), "target_refused", /pid 40: .* kernel thread/);
});

Deno.test("resolveProcess() takes a process whose main thread has ended while others go on", () => {
  using tree = makeTree({
    ...procFiles([{ id: 30, state: "Z" }, { id: 31, state: "Z" }]),
    "proc/30/task/30/stat": `30 (program) Z ${STAT_TAIL}`,
    "proc/30/task/35/stat": `35 (worker) S ${STAT_TAIL}`,
    "proc/31/task/31/stat": `31 (program) Z ${STAT_TAIL}`,
    "proc/31/task/36/stat": `36 (worker) X ${STAT_TAIL}`,
  });
  const host = hostOf(tree);
  assert.deepEqual(resolveProcess(30, host).target.processIds, [30]);
  assertRefused(() => resolveProcess(31, host), "target_gone", /pid 31: it has ended/);
});

Deno.test("resolveProcess() leaves podtrace itself out", () => {
  using tree = makeTree(procFiles([{ id: 10, command: "bash" }, { id: 11, parentId: 10 }, { id: 12, parentId: 10 }]));
  const host = hostOf(tree);
  Deno.symlinkSync("12", `${tree.path}/proc/self`);
  assert.deepEqual(resolveProcess(10, host).target.processIds, [10, 11]);
  assertRefused(() => resolveProcess(12, host), "target_refused", /pid 12: it is podtrace itself/);
});

Deno.test("resolveProcess() refuses what is no running process", () => {
  using tree = makeTree(procFiles([
    { id: 2, parentId: 0, command: "kthreadd", flags: 0x0020_8040 },
    { id: 30, command: "gone", state: "Z" },
    { id: 40, command: "owner" },
  ]));
  const host = hostOf(tree);
  // Below /proc the id of a thread answers too, with the status of its thread.
  tree.write({ ...procFiles([{ id: 41, command: "worker" }]) });
  tree.write({ "proc/41/status": "Name:\tworker\nTgid:\t40\nPPid:\t1\nNSpid:\t41\nCapEff:\t0\n" });
  assertRefused(() => resolveProcess(99, host), "target_gone", /pid 99: there is no such process/);
  assertRefused(() => resolveProcess(30, host), "target_gone", /pid 30: it has ended/);
  assertRefused(() => resolveProcess(2, host), "target_refused", /kthreadd is a kernel thread/);
  assertRefused(() => resolveProcess(41, host), "target_refused", /thread of process 40 \(owner\), .*--pid 40$/);
  for (const processId of [0, -1, 1.5, NaN, 4_194_305]) {
    assertRefused(() => resolveProcess(processId, host), "target_refused", /it cannot be a process id/);
  }
});

Deno.test("resolveProcess() never puts a command's control characters into a label (incident 7)", () => {
  using tree = makeTree(procFiles([{ id: 50, command: "\x1b[31mred\u202e" }]));
  assert.equal(resolveProcess(50, hostOf(tree)).target.label, "pid 50 (\\x1b[31mred\\u202e)");
});

Deno.test("resolveProcess() tells a real thread from its process, and refuses this very process", () => {
  const procFs = new ProcFs();
  const threadId = procFs.threadIds(Deno.pid)?.find((id) => id !== Deno.pid) ?? 0;
  assertRefused(() => resolveProcess(threadId, { procFs }), "target_refused", /it is a thread of process/);
  assertRefused(() => resolveProcess(Deno.pid, { procFs }), "target_refused", /it is podtrace itself/);
});

Deno.test("resolveProcess() says so when the process has just died", async () => {
  const child = new Deno.Command("true").spawn();
  await child.status;
  assertRefused(() => resolveProcess(child.pid, { procFs: new ProcFs() }), "target_gone", /no such process/);
});

Deno.test("resolveCgroup() takes every spelling of a group", () => {
  using tree = makeTree({ "unified/kubepods/pod1/cgroup.procs": "10\n" });
  const host = { ...hostOf(tree), isSystemWideAllowed: false };
  const path = `${tree.path}/unified/kubepods/pod1`;
  for (
    const spelling of [
      "/kubepods/pod1",
      "kubepods/pod1",
      "kubepods//pod1/",
      "//kubepods/./pod1",
      path,
      `${path}/`,
    ]
  ) {
    const { target, notes } = resolveCgroup(spelling, host);
    assert.deepEqual(target, {
      id: "cgroup:/kubepods/pod1",
      label: "cgroup /kubepods/pod1",
      cgroups: [{ id: BigInt(Deno.lstatSync(path).ino ?? 0), level: 2, path }],
      processIds: [],
      isSystemWide: false,
    }, spelling);
    assert.deepEqual(notes, []);
  }
});

Deno.test("resolveCgroup() takes a group that is called as a directory above the hierarchies", () => {
  using tree = makeTree();
  const host = hostOf(tree);
  const [, first = ""] = tree.path.split("/");
  tree.write({ [`unified/${first}/cgroup.procs`]: "10\n" });
  const { target } = resolveCgroup(`/${first}`, { ...host, isSystemWideAllowed: false });
  assert.equal(target.id, `cgroup:/${first}`);
});

Deno.test("resolveCgroup() notes that a group is empty", () => {
  using tree = makeTree({ "unified/idle/cgroup.procs": "" });
  const { notes } = resolveCgroup("idle", { ...hostOf(tree), isSystemWideAllowed: false });
  assert.deepEqual(notes, ["no process is in it now"]);
});

Deno.test("resolveCgroup() refuses the root however it is spelt, unless the whole system was asked for", () => {
  using tree = makeTree();
  const host = hostOf(tree);
  for (
    const spelling of [
      "",
      "/",
      "//",
      "/./",
      `${tree.path}/unified`,
      `${tree.path}/unified/`,
      `${tree.path}/cpu`,
      tree.path,
    ]
  ) {
    assertRefused(
      () => resolveCgroup(spelling, { ...host, isSystemWideAllowed: false }),
      "target_refused",
      /root cgroup: .*--system-wide$/,
    );
    assert.deepEqual(resolveCgroup(spelling, { ...host, isSystemWideAllowed: true }).target, systemWideTarget());
  }
});

Deno.test("resolveCgroup() is not led out of the hierarchy (incident 17)", () => {
  using tree = makeTree({ "outside/cgroup.procs": "1\n", "unified/a/cgroup.procs": "" });
  const host = { ...hostOf(tree), isSystemWideAllowed: false };
  Deno.symlinkSync("../outside", `${tree.path}/unified/link`);
  for (const path of ["link", "link/", "/link/"]) {
    assertRefused(() => resolveCgroup(path, host), "target_refused", /Cannot use the path/);
  }
  for (const path of ["/..", "a/../../outside", `${tree.path}/unified/a/..`]) {
    assertRefused(() => resolveCgroup(path, host), "target_refused", new RegExp(`--cgroup "${path}": it contains`));
  }
});

Deno.test("resolveCgroup() says what is wrong with a path that is no group", () => {
  using tree = makeTree({ "unified/folder/": "", "unified/file": "" });
  const host = { ...hostOf(tree), isSystemWideAllowed: false };
  assertRefused(() => resolveCgroup("/absent", host), "target_gone", /Cannot find cgroup "\/absent": .*does not exist/);
  assertRefused(() => resolveCgroup("/folder", host), "target_refused", /it has no cgroup\.procs/);
  assertRefused(() => resolveCgroup("/file", host), "target_refused", /"file" is not a directory/);
  assertRefused(() => resolveCgroup("/\x1b[2J", host), "target_gone", /\\x1b\[2J/);
});

Deno.test("resolveCgroup() takes the processes of a v1 group, and says what that means", () => {
  using tree = makeTree({
    "cpu/docker/x/cgroup.procs": "20\n",
    "cpu/docker/x/sub/cgroup.procs": "21\n",
    "cpu/empty/cgroup.procs": "",
  });
  const host = { ...hostOf(tree), isSystemWideAllowed: false };
  const { target, notes } = resolveCgroup(`${tree.path}/cpu/docker/x`, host);
  assert.deepEqual(target.processIds, [20, 21]);
  assert.deepEqual(target.cgroups, []);
  assert.equal(target.id, "cgroup:cpu:/docker/x");
  assert.match(notes[0] ?? "", /descendants are traced/);
  assertRefused(() => resolveCgroup(`${tree.path}/cpu/empty`, host), "target_gone", /no process is in it/);
  assertRefused(() => resolveCgroup(`${tree.path}/cpu/absent`, host), "target_gone", /does not exist/);
});

Deno.test("resolveContainerTarget() yields the container's group", () => {
  const path = `system.slice/docker-${ID}.scope`;
  using tree = makeTree({
    [`unified/${path}/cgroup.procs`]: "30\n",
    ...procFiles([{ id: 30, command: "redis-server" }]),
  });
  const { target, notes } = resolveContainerTarget(`docker://${ID.slice(0, 20)}`, hostOf(tree));
  assert.equal(target.id, ID);
  assert.equal(target.label, "container 3f2a3f2a3f2a (redis-server)");
  assert.deepEqual(target.cgroups.map((cgroup) => [cgroup.level, cgroup.path]), [[2, `${tree.path}/unified/${path}`]]);
  assert.deepEqual(target.processIds, []);
  assert.deepEqual(notes, []);
});

Deno.test("resolveContainerTarget() yields processes where only v1 knows the container", () => {
  using tree = makeTree(procFiles([{ id: 30, cgroup: `5:cpu:/docker/${ID}\n0::/\n` }]));
  const { target, notes } = resolveContainerTarget(ID, hostOf(tree));
  assert.deepEqual(target.processIds, [30]);
  assert.deepEqual(target.cgroups, []);
  assert.equal(notes.length, 1);
});

Deno.test("resolveContainerTarget() refuses a malformed and an unknown id", () => {
  using tree = makeTree();
  assertRefused(() => resolveContainerTarget("../../etc", hostOf(tree)), "target_refused", /as a container id/);
  assertRefused(() => resolveContainerTarget(ID, hostOf(tree)), "target_gone", /Cannot find container/);
});

kernelTest("a real container-like group is found by its id", { requires: ["cgroup_v2"] }, async () => {
  const host = openHostView();
  const id = crypto.randomUUID().replaceAll("-", "").repeat(2);
  const folder = Deno.makeTempDirSync({ dir: host.cgroupFs.directoryOf(""), prefix: "podtrace-test-" });
  const path = `${folder}/cri-containerd-${id}.scope`;
  const child = new Deno.Command("sleep", { args: ["600"] }).spawn();
  try {
    Deno.mkdirSync(path);
    Deno.writeTextFileSync(`${path}/cgroup.procs`, String(child.pid));
    const { target } = resolveContainerTarget(`containerd://${id}`, host);
    assert.equal(target.label, `container ${id.slice(0, 12)} (sleep)`);
    assert.deepEqual(target.cgroups, [{ id: BigInt(Deno.statSync(path).ino ?? 0), level: 2, path }]);
    assert.deepEqual(resolveCgroup(path, { ...host, isSystemWideAllowed: false }).target.cgroups, target.cgroups);
  } finally {
    child.kill("SIGKILL");
    await child.status;
    Deno.removeSync(path);
    Deno.removeSync(folder);
  }
});
