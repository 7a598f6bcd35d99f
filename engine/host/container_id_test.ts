import { assert } from "../../tests/support/assert.ts";
import { EngineError } from "../api/errors.ts";
import { containerIdOfDirectory, containerIdsInPath, expandSystemdPath, toContainerId } from "./container_id.ts";

const ID = "3f2a".repeat(16);

Deno.test("toContainerId() takes 12 to 64 hex digits and strips a runtime's scheme", () => {
  for (const scheme of ["", "containerd://", "docker://", "cri-o://", "podman://"]) {
    assert.equal(toContainerId(scheme + ID), ID);
    assert.equal(toContainerId(scheme + ID.slice(0, 12)), ID.slice(0, 12));
  }
});

Deno.test("toContainerId() refuses everything else in one clear line (incident 13)", () => {
  const refused = [
    "",
    ID.slice(0, 11),
    ID + "0",
    ID.toUpperCase(),
    ` ${ID}`,
    `${ID}\n`,
    `${ID}/../..`,
    `../${ID}`,
    "containerd://",
    `ssh://${ID}`,
    `containerd:///${ID}`,
    `containerd://docker://${ID}`,
    "g".repeat(64),
    "\x1b[31m".repeat(1000),
  ];
  for (const raw of refused) {
    assert.throws(() => toContainerId(raw), (error) => {
      assert.ok(error instanceof EngineError && error.code === "target_refused");
      assert.match(error.message, /^Cannot use ".*" as a container id: wanted 12 to 64 lowercase hex digits, [ -~]*$/);
      assert.ok(error.message.length < 320, error.message);
      return true;
    }, JSON.stringify(raw.slice(0, 80)));
  }
});

Deno.test("containerIdOfDirectory() knows the names runtimes give", () => {
  for (
    const name of [
      ID,
      `cri-containerd-${ID}.scope`,
      `crio-${ID}.scope`,
      `crio-${ID}`,
      `docker-${ID}.scope`,
      `libpod-${ID}.scope`,
      `libpod-${ID}`,
      `libpod-payload-${ID}`,
      `nerdctl-${ID}.scope`,
    ]
  ) assert.equal(containerIdOfDirectory(name), ID, name);
});

Deno.test("containerIdOfDirectory() passes over monitors, pods and look-alikes", () => {
  for (
    const name of [
      "",
      "container",
      "init.scope",
      `crio-conmon-${ID}.scope`,
      `libpod-conmon-${ID}.scope`,
      `conmon-${ID}`,
      `x-${ID}.scope`,
      `${ID}.service`,
      `${ID}.scope.d`,
      `pod${ID}`,
      `${ID}0`,
      `docker-${ID.slice(0, 11)}.scope`,
      "pod0f6a1c1e-8d3e-4c1b-9f0e-0123456789ab",
    ]
  ) assert.equal(containerIdOfDirectory(name), undefined, name);
});

Deno.test("containerIdsInPath() yields nested containers, outermost first", () => {
  const inner = "beef".repeat(16);
  assert.deepEqual(containerIdsInPath(`/docker/${ID}/kubepods/pod1/cri-containerd-${inner}.scope`), [ID, inner]);
  assert.deepEqual(containerIdsInPath("/user.slice"), []);
});

Deno.test("expandSystemdPath() nests slices as systemd does", () => {
  const rows: readonly (readonly [string, string])[] = [
    [
      `kubepods-burstable-pod1_2.slice:cri-containerd:${ID}`,
      `kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice/cri-containerd-${ID}.scope`,
    ],
    [`system.slice:docker:${ID}`, `system.slice/docker-${ID}.scope`],
    [`:docker:${ID}`, `system.slice/docker-${ID}.scope`],
    [`-.slice:docker:${ID}`, `docker-${ID}.scope`],
    [`machine.slice::${ID}`, `machine.slice/${ID}.scope`],
    ["a-b.slice:x:leaf.slice", "a.slice/a-b.slice/leaf.slice"],
  ];
  for (const [text, path] of rows) assert.equal(expandSystemdPath(text), path, text);
});

Deno.test("expandSystemdPath() yields undefined for other forms", () => {
  for (
    const text of [
      "",
      `/kubepods/pod1/${ID}`,
      "a.slice:b",
      "a.slice:b:c:d",
      "a.service:b:c",
      "a.slice:b:",
      "a--b.slice:c:d",
      "-a.slice:c:d",
      "..-a.slice:c:d",
      "../a.slice:b:c",
    ]
  ) assert.equal(expandSystemdPath(text), undefined, text);
});
