import { assert } from "../../tests/support/assert.ts";
import { makeTree } from "../../tests/support/host_tree.ts";
import { BPF_OBJECT_BYTES_MAX } from "../api/limits.ts";
import { readBpfObjectFile, readChosenBpfObject, readEmbeddedLibraries } from "./build_files.ts";

Deno.test("readChosenBpfObject() yields a file's bytes, up to the limit", async () => {
  using tree = makeTree({ "object.o": "abc" });
  assert.deepEqual(await readChosenBpfObject(`${tree.path}/object.o`), new TextEncoder().encode("abc"));
  Deno.truncateSync(`${tree.path}/object.o`, BPF_OBJECT_BYTES_MAX);
  assert.equal((await readChosenBpfObject(`${tree.path}/object.o`)).byteLength, BPF_OBJECT_BYTES_MAX);
  Deno.truncateSync(`${tree.path}/object.o`, BPF_OBJECT_BYTES_MAX + 1);
  await assert.rejects(readChosenBpfObject(`${tree.path}/object.o`), {
    code: "object_missing",
    message: /found 16777217 bytes, wanted a file of at most 16 MiB/,
  });
});

Deno.test("readChosenBpfObject() says in one line why something is no object file", async () => {
  using tree = makeTree({ "file": "" });
  const table: readonly (readonly [path: string, found: RegExp])[] = [
    [`${tree.path}/none`, /: got ENOENT, wanted/],
    [`${tree.path}/file/below`, /: got ENOTDIR, wanted/],
    [tree.path, /: found no regular file, wanted/],
    ["/dev/zero", /: found no regular file, wanted/],
  ];
  for (const [path, found] of table) {
    await assert.rejects(readChosenBpfObject(path), { code: "object_missing", message: found });
    await assert.rejects(readChosenBpfObject(path), { message: /^Cannot read the BPF object [^\n]+$/ });
  }
});

Deno.test("from source, the object is the built one and no library is carried", async () => {
  assert.deepEqual(await readEmbeddedLibraries(), []);
  const bytes = await readBpfObjectFile();
  assert.deepEqual([...bytes.slice(0, 4)], [0x7f, 0x45, 0x4c, 0x46]);
});
