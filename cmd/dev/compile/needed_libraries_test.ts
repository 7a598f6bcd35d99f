import { assert } from "../../../tests/support/assert.ts";
import { candidatePaths } from "../setup/needs.ts";
import { libraryChain, neededLibraries, wantedGlibc } from "./needed_libraries.ts";

interface SampleLibrary {
  readonly needed: readonly string[];
  readonly versions?: readonly string[];
}

/** An ELF file with the two sections that are looked at. */
function libraryOf({ needed, versions = [] }: SampleLibrary): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const names = [...needed, ...versions];
  const strings = encoder.encode(`\0${names.join("\0")}\0`);
  const sectionNames = encoder.encode("\0.dynamic\0.dynstr\0.shstrtab\0");
  const dynamic = new DataView(new ArrayBuffer((needed.length + 1) * 16));
  let nameAt = 1;
  for (const [index, name] of needed.entries()) {
    dynamic.setBigUint64(index * 16, 1n, true);
    dynamic.setBigUint64(index * 16 + 8, BigInt(nameAt), true);
    nameAt += name.length + 1;
  }
  const parts = [new Uint8Array(dynamic.buffer), strings, sectionNames];
  const headers = [
    { name: 0, type: 0, part: undefined, link: 0 },
    { name: 1, type: 6, part: 0, link: 2 },
    { name: 10, type: 3, part: 1, link: 0 },
    { name: 18, type: 3, part: 2, link: 0 },
  ];
  const bytes = new Uint8Array(64 + parts.reduce((sum, part) => sum + part.length, 0) + headers.length * 64);
  const view = new DataView(bytes.buffer);
  const offsets: number[] = [];
  let at = 64;
  for (const part of parts) {
    offsets.push(at);
    bytes.set(part, at);
    at += part.length;
  }
  view.setUint32(0, 0x464c457f, true);
  bytes.set([2, 1, 1], 4);
  view.setUint16(18, 62, true);
  view.setBigUint64(40, BigInt(at), true);
  view.setUint16(58, 64, true);
  view.setUint16(60, headers.length, true);
  view.setUint16(62, 3, true);
  for (const [index, { name, type, part, link }] of headers.entries()) {
    const header = at + index * 64;
    view.setUint32(header, name, true);
    view.setUint32(header + 4, type, true);
    view.setBigUint64(header + 24, BigInt(part === undefined ? 0 : offsets[part] ?? 0), true);
    view.setBigUint64(header + 32, BigInt(part === undefined ? 0 : parts[part]?.length ?? 0), true);
    view.setUint32(header + 40, link, true);
  }
  return bytes;
}

function reader(libraries: Readonly<Record<string, SampleLibrary>>) {
  return (name: string) => {
    const library = libraries[name];
    return library === undefined ? undefined : libraryOf(library);
  };
}

Deno.test("neededLibraries() leaves glibc's parts out", () => {
  const needed = ["libelf.so.1", "libz.so.1", "libc.so.6", "ld-linux-x86-64.so.2", "libpthread.so.0", "libcap.so.2"];
  assert.deepEqual(neededLibraries(libraryOf({ needed })), ["libelf.so.1", "libz.so.1", "libcap.so.2"]);
  assert.deepEqual(neededLibraries(libraryOf({ needed: [] })), []);
});

Deno.test("wantedGlibc() yields the newest version by number", () => {
  const versions = ["GLIBC_2.4", "GLIBC_2.2.5", "GLIBC_2.33", "GLIBC_2.14", "GLIBC_PRIVATE"];
  assert.equal(wantedGlibc(libraryOf({ needed: ["libc.so.6"], versions })), "2.33");
  assert.equal(wantedGlibc(libraryOf({ needed: ["libc.so.6"] })), undefined);
});

Deno.test("libraryChain() puts each library after what it needs", () => {
  const chain = libraryChain(
    "libbpf.so.1",
    reader({
      "libbpf.so.1": { needed: ["libelf.so.1", "libz.so.1", "libc.so.6"] },
      "libelf.so.1": { needed: ["libzstd.so.1", "libz.so.1"] },
      "libzstd.so.1": { needed: ["libc.so.6"] },
      "libz.so.1": { needed: [] },
    }),
  );
  assert.deepEqual(chain.map(({ name }) => name), ["libzstd.so.1", "libz.so.1", "libelf.so.1", "libbpf.so.1"]);
});

Deno.test("libraryChain() names what is missing and who needs it, and a circle", () => {
  const missing = reader({ "libbpf.so.1": { needed: ["libelf.so.1"] } });
  assert.throws(() => libraryChain("libbpf.so.1", missing), /Cannot find the library libelf\.so\.1, which libbpf/);
  assert.throws(() => libraryChain("libbpf.so.1", () => undefined), /Cannot find the library libbpf\.so\.1$/);
  const circle = reader({ "a.so": { needed: ["b.so"] }, "b.so": { needed: ["a.so"] } });
  assert.throws(() => libraryChain("a.so", circle), /a\.so needs itself, which b\.so needs/);
});

Deno.test("libraryChain() reads the libraries of this machine", () => {
  const machine = { pathVariable: "", arch: Deno.build.arch };
  const chain = libraryChain("libbpf.so.1", (name) => {
    const need = { kind: "library", name, debianPackage: "" } as const;
    const path = candidatePaths(need, machine).find((candidate) => {
      try {
        return Deno.statSync(candidate).isFile;
      } catch {
        return false; // the next place
      }
    });
    return path === undefined ? undefined : Deno.readFileSync(path);
  });
  const names = chain.map(({ name }) => name);
  assert.equal(names.at(-1), "libbpf.so.1");
  assert.ok(names.indexOf("libelf.so.1") > names.indexOf("libz.so.1"), names.join(", "));
});
