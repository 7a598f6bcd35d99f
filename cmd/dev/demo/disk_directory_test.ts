import { assert } from "../../../tests/support/assert.ts";
import { fileSystemTypeOf, makeDiskDirectory } from "./disk_directory.ts";

const MOUNTS = `22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:25 / /tmp rw,nosuid - tmpfs tmpfs rw
31 30 0:26 / /tmp/on\\040disk rw shared:4 - xfs /dev/vdb rw
32 22 0:27 / /var rw - tmpfs tmpfs rw
33 22 254:1 / /var rw - btrfs /dev/vdc rw
`;

const ROWS = [
  { path: "/home/somebody", type: "ext4", why: "only the root holds it" },
  { path: "/tmp", type: "tmpfs", why: "it is the mount point itself" },
  { path: "/tmp/a/b", type: "tmpfs", why: "the longest mount point holds it" },
  { path: "/tmpfile", type: "ext4", why: "a common beginning is not a common directory" },
  { path: "/tmp/on disk/x", type: "xfs", why: "the mount point is written with an escape" },
  { path: "/var/tmp", type: "btrfs", why: "a later mount covers an earlier one" },
];

for (const { path, type, why } of ROWS) {
  Deno.test(`fileSystemTypeOf() says ${type} for ${path} because ${why}`, () => {
    assert.equal(fileSystemTypeOf(MOUNTS, path), type);
  });
}

Deno.test("fileSystemTypeOf() yields nothing when no mount holds the path", () => {
  assert.equal(fileSystemTypeOf("", "/tmp"), "");
});

Deno.test("makeDiskDirectory() makes every component and leaves nothing behind", async () => {
  let path: string;
  {
    await using directory = await makeDiskDirectory(["a", "b"]);
    path = directory.path;
    assert.match(path, /\/podtrace-[^/]+\/a\/b$/);
    await Deno.writeTextFile(`${path}/file`, "x");
  }
  await assert.rejects(Deno.stat(path.replace(/\/a\/b$/, "")), Deno.errors.NotFound);
});

Deno.test("makeDiskDirectory() refuses when every candidate lies in memory", async () => {
  await assert.rejects(
    makeDiskDirectory([], { candidates: ["/dev/shm"] }),
    /Cannot make a directory on a disk: \/dev\/shm/,
  );
});
