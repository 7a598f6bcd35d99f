import { assert } from "./assert.ts";
import { startFixture } from "./fixture_programs.ts";
import { kernelTest } from "./kernel.ts";
import { findController, makeLimitedCgroup } from "./limited_cgroup.ts";

const V1 = "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n";
const V1_OTHER = "33 31 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n";
const V2 = "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

const ROWS = [
  { name: "the v1 mount of cpu", mounts: V1_OTHER + V1 + V2, controllers: "", expected: "/sys/fs/cgroup/cpu" },
  { name: "a v2 mount that has cpu", mounts: V2, controllers: "cpuset cpu io\n", expected: "/sys/fs/cgroup/unified" },
  { name: "nothing when v2 has only cpuset", mounts: V1_OTHER + V2, controllers: "cpuset io\n", expected: undefined },
  { name: "nothing without mounts", mounts: "", controllers: "cpu", expected: undefined },
];

for (const { name, mounts, controllers, expected } of ROWS) {
  Deno.test(`findController() yields ${name}`, () => {
    assert.equal(findController(mounts, { name: "cpu", readControllers: () => controllers })?.mountPoint, expected);
  });
}

// Whoever may trace here may also make cgroups: both are root's, and no requirement stands for cgroups alone.
kernelTest("makeLimitedCgroup() holds a busy process to its quota and is gone afterwards", {
  requires: ["bpf_capability", "clang"],
}, async () => {
  let path: string;
  {
    await using cgroup = await makeLimitedCgroup({ cpus: 0.2 });
    await using fixture = await startFixture("busy", { duration_ms: 600 });
    path = cgroup.path;
    await cgroup.add(fixture.processId);

    const truth = await fixture.ended();
    const share = Number(truth["cpu_ms"]) / Number(truth["window_ms"]);
    assert.ok(share < 0.45, `got ${share} CPUs`);
  }
  await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
});
