import { assert } from "../../tests/support/assert.ts";
import { makeTree } from "../../tests/support/host_tree.ts";
import { EngineError } from "../api/errors.ts";
import {
  errorCode,
  listEntries,
  lstatEntry,
  orUndefinedWhenGone,
  readBytes,
  readLink,
  readText,
} from "./host_files.ts";

Deno.test("readText() reads up to its bound and no further", () => {
  using tree = makeTree({ file: "x".repeat(20_000) });
  assert.equal(readText(`${tree.path}/file`)?.length, 20_000);
  assert.equal(readText(`${tree.path}/file`, { bytesMax: 20_001 })?.length, 20_000);
  assert.equal(readText(`${tree.path}/file`, { bytesMax: 19_999 })?.length, 19_999);
  assert.equal(readBytes(`${tree.path}/file`, { bytesMax: 1 })?.length, 1);
});

Deno.test("every read yields undefined when its file is gone", () => {
  using tree = makeTree({ file: "" });
  for (const path of [`${tree.path}/absent`, `${tree.path}/file/below`]) {
    assert.equal(readText(path), undefined);
    assert.equal(readLink(path), undefined);
    assert.equal(listEntries(path), undefined);
    assert.equal(lstatEntry(path), undefined);
  }
});

Deno.test("a read yields undefined when the process ends between opening and reading", async () => {
  const child = new Deno.Command("cat", { stdin: "piped", stdout: "null" }).spawn();
  using stat = Deno.openSync(`/proc/${child.pid}/stat`);

  await child.stdin.close();
  await child.status;
  assert.equal(orUndefinedWhenGone("stat", () => stat.readSync(new Uint8Array(16))), undefined);
});

Deno.test("orUndefinedWhenGone() names the capability when reading is denied", () => {
  // Not even root may open this one for writing: its mode says so, and sysctl files honour it.
  const path = "/proc/sys/kernel/ostype";
  assert.throws(
    () => orUndefinedWhenGone(path, () => Deno.openSync(path, { write: true }).close()),
    (error) => error instanceof EngineError && error.code === "capability_missing" && error.message.includes(path),
  );
});

Deno.test("orUndefinedWhenGone() throws on what it does not know", () => {
  const failure = new Error("Cannot do it: broken");
  assert.throws(() =>
    orUndefinedWhenGone("x", () => {
      throw failure;
    }), failure);
});

Deno.test("errorCode() finds the number where Deno gives no code", () => {
  assert.equal(errorCode(new Error("No such process (os error 3)")), "ESRCH");
  assert.equal(errorCode(new Error("Some other trouble (os error 9999)")), undefined);
  assert.equal(errorCode(new Error("No such process")), undefined);
  assert.equal(errorCode("os error 3"), undefined);
});

Deno.test("lstatEntry() looks at the link itself", () => {
  using tree = makeTree({ "folder/": "" });
  Deno.symlinkSync("folder", `${tree.path}/link`);
  assert.equal(lstatEntry(`${tree.path}/link`)?.kind, "symlink");
  assert.equal(lstatEntry(tree.path)?.kind, "directory");
  assert.equal(lstatEntry(tree.path)?.inode, tree.inode);
});
