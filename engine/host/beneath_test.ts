import { assert } from "../../tests/support/assert.ts";
import { makeTree } from "../../tests/support/host_tree.ts";
import { EngineError } from "../api/errors.ts";
import { joinBeneath, resolveDirectoryBeneath, splitBeneath } from "./beneath.ts";

const isRefusal = (error: unknown) => error instanceof EngineError && error.code === "target_refused";

Deno.test("splitBeneath() drops empty and dot components and keeps odd names", () => {
  assert.deepEqual(splitBeneath("a//b/./c/"), ["a", "b", "c"]);
  assert.deepEqual(splitBeneath(""), []);
  assert.deepEqual(splitBeneath("..a/...b/a b"), ["..a", "...b", "a b"]);
});

Deno.test("splitBeneath() refuses what leads out of the root", () => {
  for (const path of ["..", "a/../../etc", "a/..", "../", "/etc", "//etc", "a\0b"]) {
    assert.throws(() => splitBeneath(path), isRefusal, JSON.stringify(path));
  }
});

Deno.test("joinBeneath() joins to any root", () => {
  assert.equal(joinBeneath("/sys/fs/cgroup", "a/b/"), "/sys/fs/cgroup/a/b");
  assert.equal(joinBeneath("/sys/fs/cgroup", ""), "/sys/fs/cgroup");
  assert.equal(joinBeneath("/", "a"), "/a");
  assert.equal(joinBeneath("/", ""), "/");
});

Deno.test("resolveDirectoryBeneath() is not led out by a symbolic link, with or without a trailing slash (incident 17)", () => {
  using tree = makeTree({ "root/inside/leaf/": "", "outside/secret/": "" });
  const root = `${tree.path}/root`;
  Deno.symlinkSync(`${tree.path}/outside`, `${root}/absolute`);
  Deno.symlinkSync("../outside", `${root}/relative`);
  Deno.symlinkSync("inside", `${root}/harmless`);
  for (const path of ["absolute", "absolute/", "absolute/secret", "relative//", "relative/secret/", "harmless/leaf"]) {
    assert.throws(() => resolveDirectoryBeneath(root, path), isRefusal, path);
  }
  assert.equal(resolveDirectoryBeneath(root, "inside/leaf/"), `${root}/inside/leaf`);
});

Deno.test("resolveDirectoryBeneath() tells a missing path from a file", () => {
  using tree = makeTree({ "folder/file": "text" });
  assert.equal(resolveDirectoryBeneath(tree.path, "folder/absent/below"), undefined);
  assert.throws(() => resolveDirectoryBeneath(tree.path, "folder/file"), isRefusal);
  assert.throws(() => resolveDirectoryBeneath(tree.path, "folder/file/below"), isRefusal);
});

Deno.test("resolveDirectoryBeneath() never prints control characters of a path (incident 7)", () => {
  using tree = makeTree({ "root/": "" });
  Deno.symlinkSync("/", `${tree.path}/root/\x1b[31mred`);
  assert.throws(() => resolveDirectoryBeneath(`${tree.path}/root`, "\x1b[31mred"), (error) => {
    assert.ok(error instanceof EngineError);
    assert.ok(!error.message.includes("\x1b"), error.message);
    assert.match(error.message, /\\x1b\[31mred/);
    return true;
  });
});
