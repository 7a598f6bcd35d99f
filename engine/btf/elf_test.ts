import { assert } from "../../tests/support/assert.ts";
import { buildElf } from "../../tests/support/btf_builder.ts";
import { checkProperty, property } from "../../tests/support/property.ts";
import {
  ELF_MACHINE,
  findSection,
  readElf,
  readSymbols,
  SECTION_BYTES_MAX,
  SECTION_TYPE,
  sectionBytes,
  SECTIONS_MAX,
} from "./elf.ts";
import { MalformedInputError } from "./errors.ts";

/** `Elf64_Sym`: name, info, other, shndx, value, size. */
function symbol(
  nameOffset: number,
  fields: { type: number; section: number; value: bigint; size: bigint },
): Uint8Array {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, nameOffset, true);
  view.setUint8(4, 0x10 | fields.type);
  view.setUint16(6, fields.section, true);
  view.setBigUint64(8, fields.value, true);
  view.setBigUint64(16, fields.size, true);
  return bytes;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

const SAMPLE = buildElf([
  { name: ".text", bytes: new Uint8Array([1, 2, 3]) },
  {
    name: ".symtab",
    type: SECTION_TYPE.SYMTAB,
    link: 3,
    bytes: joined(new Uint8Array(24), symbol(1, { type: 2, section: 1, value: 0x1000n, size: 3n })),
  },
  { name: ".strtab", type: 3, bytes: new TextEncoder().encode("\0main\0") },
  { name: ".bss", type: SECTION_TYPE.NOBITS, bytes: new Uint8Array(8) },
]);

/** `SAMPLE` with one field of its file or section header replaced. */
function changed(edit: (view: DataView, sectionHeader: (index: number) => number) => void): Uint8Array {
  const bytes = SAMPLE.slice();
  const view = new DataView(bytes.buffer);
  const table = Number(view.getBigUint64(40, true));
  edit(view, (index) => table + index * 64);
  return bytes;
}

Deno.test("readElf() yields machine and sections in file order", () => {
  const elf = readElf(SAMPLE);
  assert.equal(elf.machine, ELF_MACHINE.BPF);
  assert.deepEqual(elf.sections.map(({ name }) => name), ["", ".text", ".symtab", ".strtab", ".bss", ".shstrtab"]);
  const text = findSection(elf, ".text");
  assert.ok(text);
  assert.deepEqual([...sectionBytes(elf, text)], [1, 2, 3]);
  assert.equal(findSection(elf, ".bss")?.sizeBytes, 0);
  assert.equal(findSection(elf, ".none"), undefined);
});

Deno.test("readElf() takes a file without sections", () => {
  const bytes = changed((view) => view.setBigUint64(40, 0n, true));
  assert.deepEqual(readElf(bytes).sections, []);
});

Deno.test("readSymbols() yields name, type, section, value and size", () => {
  const elf = readElf(SAMPLE);
  const table = findSection(elf, ".symtab");
  assert.ok(table);
  assert.deepEqual(readSymbols(elf, table), [{
    name: "main",
    type: 2,
    sectionIndex: 1,
    value: 0x1000n,
    sizeBytes: 3n,
  }]);
});

Deno.test("readElf() refuses what is no little-endian ELF64 file, saying what it found", () => {
  const rows: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ["empty", new Uint8Array(0), /no ELF header/],
    ["one byte short of a header", SAMPLE.subarray(0, 63), /no ELF header/],
    ["magic", changed((view) => view.setUint8(1, 0)), /no ELF header/],
    ["32 bits", changed((view) => view.setUint8(4, 1)), /class 1/],
    ["big endian", changed((view) => view.setUint8(5, 2)), /byte order 2/],
    ["section table past the end", changed((view) => view.setBigUint64(40, 1n << 60n, true)), /wanted at most/],
    ["odd section headers", changed((view) => view.setUint16(58, 40, true)), /section headers of 40 bytes/],
    ["too many sections", changed((view) => view.setUint16(60, SECTIONS_MAX + 1, true)), /4097 sections/],
    ["names nowhere", changed((view) => view.setUint16(62, 99, true)), /section names in section 99/],
    ["name past the strings", changed((view, header) => view.setUint32(header(1), 9999, true)), /wanted 1 bytes/],
    [
      "section past the end",
      changed((view, header) => {
        view.setBigUint64(header(1) + 32, BigInt(SAMPLE.byteLength), true);
      }),
      /past the input/,
    ],
    [
      "offset of 64 bits",
      changed((view, header) => view.setBigUint64(header(1) + 24, 1n << 63n, true)),
      /wanted at most/,
    ],
  ];
  for (const [name, bytes, message] of rows) {
    assert.throws(
      () => readElf(bytes),
      (error) => error instanceof MalformedInputError && message.test(error.message),
      name,
    );
  }
});

Deno.test("sectionBytes() hands out 16 MiB and not one byte more", () => {
  const last = buildElf([{ name: ".debug", bytes: new Uint8Array(SECTION_BYTES_MAX) }]);
  const over = buildElf([{ name: ".debug", bytes: new Uint8Array(SECTION_BYTES_MAX + 1) }]);
  const read = (bytes: Uint8Array) => {
    const elf = readElf(bytes);
    const section = findSection(elf, ".debug");
    assert.ok(section);
    return sectionBytes(elf, section).byteLength;
  };
  assert.equal(read(last), SECTION_BYTES_MAX);
  assert.throws(() => read(over), MalformedInputError);
});

Deno.test("incident 10: readSymbols() bounds the names of a hostile table", () => {
  const names = new Uint8Array(4097).fill(0x61);
  names[4096] = 0;
  const table = new Uint8Array(24 * 20_000);
  const elf = readElf(buildElf([
    { name: ".symtab", type: SECTION_TYPE.SYMTAB, link: 2, bytes: table },
    { name: ".strtab", type: 3, bytes: names },
  ]));
  const section = findSection(elf, ".symtab");
  assert.ok(section);
  assert.throws(() => readSymbols(elf, section), /symbol names over/);
});

Deno.test("readSymbols() refuses names that no section holds", () => {
  const elf = readElf(changed((view, header) => view.setUint32(header(2) + 40, 77, true)));
  const table = findSection(elf, ".symtab");
  assert.ok(table);
  assert.throws(() => readSymbols(elf, table), /no section 77/);
});

Deno.test("readElf() and readSymbols() end in a value or their own error for any mutation", () => {
  const edits = property.array(property.tuple(property.nat(SAMPLE.byteLength - 1), property.nat(255)), {
    minLength: 1,
    maxLength: 8,
  });
  checkProperty(property.tuple(edits, property.nat(SAMPLE.byteLength)), ([changes, length]) => {
    const bytes = SAMPLE.slice(0, length);
    for (const [at, value] of changes) bytes[at % Math.max(length, 1)] = value;
    try {
      const elf = readElf(bytes);
      for (const section of elf.sections) readSymbols(elf, section);
    } catch (error) {
      assert.ok(error instanceof MalformedInputError, String(error));
    }
  }, { runCount: 2000 });
});
