import { assert } from "../../tests/support/assert.ts";
import { makeTree, procFiles, type TemporaryTree } from "../../tests/support/host_tree.ts";
import { EngineError } from "../api/errors.ts";
import { CgroupFs } from "./cgroupfs.ts";
import { toContainerId } from "./container_id.ts";
import { type HostView, resolveContainer } from "./container_resolution.ts";
import { ProcFs } from "./procfs.ts";

const ID = "3f2a".repeat(16);
const OTHER_ID = "beef".repeat(16);
const POD = "kubepods-burstable-pod0f6a1c1e_8d3e_4c1b_9f0e_0123456789ab.slice";
const POD_PATH = `kubepods.slice/kubepods-burstable.slice/${POD}`;

function hostOf(tree: TemporaryTree): HostView {
  tree.write({ "cgroup/cgroup.procs": "", "proc/self/": "" });
  const path = `${tree.path}/cgroup`;
  const cgroupFs = new CgroupFs({ v2: { path, root: "/" }, controllers: new Map() }, {
    topId: BigInt(Deno.lstatSync(path).ino ?? 0),
  });
  return { procFs: new ProcFs(`${tree.path}/proc`), cgroupFs };
}

/** The path catalogue: where each runtime and driver puts a container. */
const CATALOGUE: readonly { readonly runtime: string; readonly path: string }[] = [
  { runtime: "containerd, systemd, burstable", path: `${POD_PATH}/cri-containerd-${ID}.scope` },
  {
    runtime: "containerd, systemd, guaranteed",
    path: `kubepods.slice/kubepods-pod1_2.slice/cri-containerd-${ID}.scope`,
  },
  { runtime: "containerd, cgroupfs, burstable", path: `kubepods/burstable/pod0f6a1c1e-8d3e/${ID}` },
  { runtime: "containerd, cgroupfs, guaranteed", path: `kubepods/pod0f6a1c1e-8d3e/${ID}` },
  { runtime: "CRI-O, systemd", path: `${POD_PATH}/crio-${ID}.scope` },
  { runtime: "CRI-O, systemd, payload group", path: `${POD_PATH}/crio-${ID}.scope/container` },
  { runtime: "CRI-O, cgroupfs", path: `kubepods/besteffort/pod1/crio-${ID}` },
  { runtime: "docker, systemd", path: `system.slice/docker-${ID}.scope` },
  { runtime: "docker, cgroupfs", path: `docker/${ID}` },
  { runtime: "cri-dockerd, systemd", path: `${POD_PATH}/docker-${ID}.scope` },
  { runtime: "k3s", path: `kubepods/burstable/pod1/${ID}` },
  { runtime: "microk8s", path: `system.slice/snap.microk8s.daemon-kubelite.service/kubepods/pod1/${ID}` },
  { runtime: "Talos", path: `podruntime/kubelet/kubepods/burstable/pod1/${ID}` },
  {
    runtime: "kind",
    path: `docker/${OTHER_ID}/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/` +
      `kubelet-kubepods-burstable-pod1.slice/cri-containerd-${ID}.scope`,
  },
  { runtime: "podman", path: `machine.slice/libpod-${ID}.scope` },
  { runtime: "podman, payload group", path: `machine.slice/libpod-${ID}.scope/container` },
  {
    runtime: "podman, rootless",
    path: `user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${ID}.scope/container`,
  },
];

for (const { runtime, path } of CATALOGUE) {
  Deno.test(`resolveContainer() finds a container of ${runtime}`, () => {
    const parent = path.slice(0, path.lastIndexOf("/"));
    using tree = makeTree({
      [`cgroup/${path}/cgroup.procs`]: "10\n",
      [`cgroup/${path}/init.scope/cgroup.procs`]: "11\n", // a container may make groups of its own
      [`cgroup/${parent}/cri-containerd-${"0".repeat(64)}.scope/cgroup.procs`]: "",
      [`cgroup/${parent}/crio-conmon-${ID}.scope/cgroup.procs`]: "12\n",
      [`cgroup/machine.slice/libpod-conmon-${ID}.scope/cgroup.procs`]: "13\n",
    });
    for (const wanted of [ID, `containerd://${ID}`, ID.slice(0, 12)]) {
      assert.deepEqual(resolveContainer(toContainerId(wanted), hostOf(tree)), {
        kind: "cgroups",
        id: ID,
        groupPaths: [path],
      });
    }
  });
}

Deno.test("resolveContainer() prefers the whole id to one that begins with it", () => {
  const short = ID.slice(0, 12);
  using tree = makeTree({ [`cgroup/docker/${ID}/`]: "", [`cgroup/docker/${short}/`]: "" });
  const location = resolveContainer(toContainerId(short), hostOf(tree));
  assert.deepEqual(location, { kind: "cgroups", id: short, groupPaths: [`docker/${short}`] });
});

Deno.test("resolveContainer() yields each of several groups of one container, but none below another", () => {
  using tree = makeTree({
    [`cgroup/docker/${ID}/`]: "",
    [`cgroup/other/${ID}/nested/${ID}/`]: "",
  });
  const location = resolveContainer(toContainerId(ID), hostOf(tree));
  assert.ok(location.kind === "cgroups");
  assert.deepEqual([...location.groupPaths].sort(), [`docker/${ID}`, `other/${ID}`]);
});

Deno.test("resolveContainer() names at most five candidates of an ambiguous id", () => {
  const prefix = "0123456789ab";
  const ids = Array.from({ length: 7 }, (_, index) => `${prefix}${index}`.padEnd(64, "c"));
  using tree = makeTree(Object.fromEntries(ids.map((id) => [`cgroup/docker/${id}/`, ""])));
  assert.throws(() => resolveContainer(toContainerId(prefix), hostOf(tree)), (error) => {
    assert.ok(error instanceof EngineError && error.code === "target_refused");
    assert.match(error.message, /7 begin with it .* and 2 more\), wanted more digits$/);
    assert.deepEqual(ids.map((id) => error.message.includes(id)), [true, true, true, true, true, false, false]);
    return true;
  });
});

Deno.test("resolveContainer() falls back to the processes of a v1 group on a hybrid host", () => {
  using tree = makeTree(procFiles([
    { id: 20, cgroup: `5:cpu:/docker/${ID}\n0::/\n` },
    { id: 21, cgroup: `5:cpu:/docker/${ID}/sub\n4:memory:/docker/${ID}\n0::/system.slice\n` },
    { id: 22, cgroup: `5:cpu:/docker/${OTHER_ID}\n0::/\n` },
    { id: 23, command: ID, cgroup: `5:cpu:/libpod-conmon-${ID}.scope\n0::/\n` },
  ]));
  assert.deepEqual(resolveContainer(toContainerId(ID), hostOf(tree)), {
    kind: "processes",
    id: ID,
    processIds: [20, 21],
  });
});

Deno.test("resolveContainer() says where it looked for an unknown container", () => {
  using tree = makeTree({ [`cgroup/docker/${OTHER_ID}/`]: "", "cgroup/a/": "" });
  assert.throws(() => resolveContainer(toContainerId(ID), hostOf(tree)), (error) => {
    assert.ok(error instanceof EngineError && error.code === "target_gone");
    assert.equal(
      error.message,
      `Cannot find container ${ID}: looked in 3 groups below ${tree.path}/cgroup and in the cgroups of all ` +
        "processes, wanted one that runs",
    );
    return true;
  });
});

Deno.test("resolveContainer() does without a v2 hierarchy", () => {
  using tree = makeTree(procFiles([{ id: 20, cgroup: `5:cpu:/docker/${ID}\n` }]));
  const host = {
    procFs: new ProcFs(`${tree.path}/proc`),
    cgroupFs: new CgroupFs({ v2: undefined, controllers: new Map() }),
  };
  assert.equal(resolveContainer(toContainerId(ID), host).kind, "processes");
  assert.throws(() => resolveContainer(toContainerId(OTHER_ID), host), /no cgroup2 file system is mounted/);
});

Deno.test("resolveContainer() follows no symbolic link (incident 17)", () => {
  using tree = makeTree({ [`elsewhere/${ID}/cgroup.procs`]: "", "cgroup/docker/": "" });
  Deno.symlinkSync(`${tree.path}/elsewhere`, `${tree.path}/cgroup/link`);
  Deno.symlinkSync(`${tree.path}/elsewhere/${ID}`, `${tree.path}/cgroup/docker/${ID}`);
  assert.throws(() => resolveContainer(toContainerId(ID), hostOf(tree)), /Cannot find container/);
});
