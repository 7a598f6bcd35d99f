import { assert } from "../../../tests/support/assert.ts";
import { cpioArchive, type CpioEntry } from "./cpio.ts";

const HEADER_BYTES = 110;

interface Read {
  readonly name: string;
  readonly mode: number;
  readonly device: readonly [major: number, minor: number];
  readonly text: string;
}

/** Reads "newc" field by field, as the kernel does (init/initramfs.c). */
function readArchive(entries: readonly CpioEntry[]): readonly Read[] {
  const bytes = new Uint8Array([...cpioArchive(entries)].flatMap((piece) => [...piece]));
  const text = (from: number, to: number): string => new TextDecoder().decode(bytes.subarray(from, to));
  const aligned = (offset: number): number => Math.ceil(offset / 4) * 4;
  const members: Read[] = [];
  for (let offset = 0; offset < bytes.length;) {
    assert.equal(text(offset, offset + 6), "070701");
    const base = offset + 6;
    const field = (index: number): number => Number.parseInt(text(base + index * 8, base + index * 8 + 8), 16);
    const nameEnd = offset + HEADER_BYTES + field(11);
    const dataBegin = aligned(nameEnd);
    const dataEnd = dataBegin + field(6);
    assert.equal(bytes[nameEnd - 1], 0, "a name ends with NUL");
    members.push({
      name: text(offset + HEADER_BYTES, nameEnd - 1),
      mode: field(1),
      device: [field(9), field(10)],
      text: text(dataBegin, dataEnd),
    });
    offset = aligned(dataEnd);
  }
  return members;
}

function aFile(path: string, content: string, isExecutable = false): CpioEntry {
  return { kind: "file", path, bytes: new TextEncoder().encode(content), isExecutable };
}

Deno.test("cpioArchive() keeps names, modes and contents of every length", () => {
  const contents = ["", "a", "ab", "abc", "abcd", "abcde"];
  const entries = contents.map((content, index) => aFile(`file${"x".repeat(index)}`, content, index % 2 === 1));
  const read = readArchive(entries);
  assert.deepEqual(read.slice(0, -1).map(({ text }) => text), contents);
  assert.deepEqual(read.slice(0, -1).map(({ mode }) => mode.toString(8)), [
    "100644",
    "100755",
    "100644",
    "100755",
    "100644",
    "100755",
  ]);
});

Deno.test("cpioArchive() puts each folder once, before what lies in it", () => {
  const read = readArchive([aFile("usr/lib/one", "1"), aFile("usr/lib/two", "2"), { kind: "directory", path: "usr" }]);
  assert.deepEqual(read.map(({ name }) => name), ["usr", "usr/lib", "usr/lib/one", "usr/lib/two", "TRAILER!!!"]);
  assert.equal(read[0]?.mode.toString(8), "40755");
});

Deno.test("cpioArchive() makes character devices", () => {
  const [folder, console] = readArchive([{ kind: "device", path: "dev/console", major: 5, minor: 1 }]);
  assert.equal(folder?.name, "dev");
  assert.deepEqual([console?.mode.toString(8), console?.device], ["20600", [5, 1]]);
});
