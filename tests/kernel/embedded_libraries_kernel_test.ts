/**
 * Libraries opened from memory, by the very code of the compiled binary.
 *
 * @module
 */

import { libraryChain, type LibraryFile } from "../../cmd/dev/compile/needed_libraries.ts";
import { candidatePaths } from "../../cmd/dev/setup/needs.ts";
import { openLibbpf } from "../../engine/ffi/libbpf.ts";
import { openLibc } from "../../engine/ffi/libc.ts";
import { OwnerBooks } from "../../engine/ffi/owners.ts";
import { assert } from "../support/assert.ts";
import { kernelTest } from "../support/kernel.ts";

/** Mapped from memory files, as the kernel names them. */
function mappedMemoryFiles(): readonly string[] {
  const names = Deno.readTextFileSync("/proc/self/maps").matchAll(/\/memfd:(lib\S+)/g);
  return [...new Set([...names].map(([, name = ""]) => name))].sort();
}

function libbpfOfThisMachine(): readonly LibraryFile[] {
  return libraryChain("libbpf.so.1", (name) => {
    const need = { kind: "library", name, debianPackage: "" } as const;
    const paths = candidatePaths(need, { pathVariable: "", arch: Deno.build.arch });
    for (const path of paths) {
      try {
        return Deno.readFileSync(path);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) throw error;
      }
    }
    return undefined;
  });
}

kernelTest("openLibbpf() opens embedded libraries from memory, again and again, and leaves nothing open", {}, () => {
  const embedded = libbpfOfThisMachine();
  const books = new OwnerBooks();
  for (let round = 0; round < 3; round++) {
    using libc = openLibc({ registry: books.registry });
    using library = openLibbpf(libc, { embedded, paths: [] });

    assert.deepEqual(library.origin, { kind: "embedded" });
    assert.match(library.version, /^v1\.\d+/);
    assert.ok(library.possibleCpuCount() >= 1);
    assert.deepEqual(mappedMemoryFiles(), embedded.map(({ name }) => name).toSorted());
  }
  books.assertEmpty();
  assert.deepEqual(mappedMemoryFiles(), []);
});

kernelTest("openLibbpf() falls back to the system's when what is embedded does not open", {}, () => {
  const broken = libbpfOfThisMachine().map(({ name }) => ({ name, bytes: new Uint8Array(1000) }));
  const books = new OwnerBooks();
  {
    using libc = openLibc({ registry: books.registry });
    using library = openLibbpf(libc, { embedded: broken, paths: ["libbpf.so.1"] });

    assert.deepEqual(library.origin, { kind: "system", path: "libbpf.so.1" });
    assert.deepEqual(mappedMemoryFiles(), []);
    assert.throws(() => openLibbpf(libc, { embedded: broken, paths: ["/nowhere/libbpf.so.1"] }), {
      code: "library_missing",
      message: /found none of 1 places and its own does not open \(.*\), wanted libbpf\.so\.1/,
    });
  }
  books.assertEmpty();
});
