import { assert } from "../../tests/support/assert.ts";
import { checkProperty, property } from "../../tests/support/property.ts";
import { type RandomAccess, readSymbolTable, symbolAt } from "./elf_symbols.ts";

interface FakeFunction {
  readonly name: string;
  readonly address: number;
  readonly sizeBytes: number;
  readonly type?: number; // STT_*, 2 is a function
}

const NAMES_AT = 4096;
const SYMBOLS_AT = 8192;
const SECTIONS_AT = 16384;

/** An ELF file with one executable segment (file 0x1000 is address 0x401000) and the given functions. */
function elfOf(functions: readonly FakeFunction[], options: { sectionType?: number } = {}): Uint8Array {
  const bytes = new Uint8Array(SECTIONS_AT + 3 * 64);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x7f454c46);
  view.setUint16(4, 0x0201);
  view.setBigUint64(32, 64n, true); // program headers
  view.setBigUint64(40, BigInt(SECTIONS_AT), true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint16(58, 64, true);
  view.setUint16(60, 3, true);
  view.setUint32(64, 1, true); // PT_LOAD
  view.setUint32(68, 5, true); // readable, executable
  view.setBigUint64(72, 0x1000n, true);
  view.setBigUint64(80, 0x401000n, true);
  view.setBigUint64(96, 0x2000n, true);
  let nameAt = 1;
  functions.forEach(({ name, address, sizeBytes, type = 2 }, index) => {
    bytes.set(new TextEncoder().encode(name), NAMES_AT + nameAt);
    const at = SYMBOLS_AT + 24 * index;
    view.setUint32(at, nameAt, true);
    view.setUint8(at + 4, type);
    view.setUint16(at + 6, 1, true);
    view.setBigUint64(at + 8, BigInt(address), true);
    view.setBigUint64(at + 16, BigInt(sizeBytes), true);
    nameAt += name.length + 1;
  });
  const section = (index: number, type: number, place: { at: number; bytes: number; link: number; entry: number }) => {
    const at = SECTIONS_AT + 64 * index;
    view.setUint32(at + 4, type, true);
    view.setBigUint64(at + 24, BigInt(place.at), true);
    view.setBigUint64(at + 32, BigInt(place.bytes), true);
    view.setUint32(at + 40, place.link, true);
    view.setBigUint64(at + 56, BigInt(place.entry), true);
  };
  section(1, options.sectionType ?? 2, { at: SYMBOLS_AT, bytes: 24 * functions.length, link: 2, entry: 24 });
  section(2, 3, { at: NAMES_AT, bytes: nameAt, link: 0, entry: 0 });
  return bytes;
}

function accessTo(bytes: Uint8Array): RandomAccess {
  return { read: (offset, lengthBytes) => bytes.subarray(offset, offset + lengthBytes) };
}

function nameIn(bytes: Uint8Array, fileOffset: number): string | undefined {
  const file = accessTo(bytes);
  const table = readSymbolTable(file);
  return table === undefined ? undefined : symbolAt(fileOffset, table, file);
}

const FUNCTIONS: readonly FakeFunction[] = [
  { name: "second", address: 0x401100, sizeBytes: 0x10 },
  { name: "first", address: 0x401000, sizeBytes: 0x80 },
  { name: "data", address: 0x401090, sizeBytes: 0x10, type: 1 },
  { name: "resolver", address: 0x401200, sizeBytes: 0x10, type: 10 },
];

Deno.test("symbolAt() names the function that covers a place, and no other", () => {
  for (const sectionType of [2, 11]) {
    const bytes = elfOf(FUNCTIONS, { sectionType });
    const rows: readonly (readonly [number, string | undefined])[] = [
      [0x0fff, undefined], // before the segment
      [0x1000, "first+0x0"],
      [0x107f, "first+0x7f"],
      [0x1080, undefined],
      [0x1090, undefined], // an object, not a function
      [0x1100, "second+0x0"],
      [0x110f, "second+0xf"],
      [0x1110, undefined],
      [0x1204, "resolver+0x4"],
      [0x3000, undefined], // behind the segment
    ];
    for (const [fileOffset, name] of rows) assert.equal(nameIn(bytes, fileOffset), name, fileOffset.toString(16));
  }
});

Deno.test("readSymbolTable() yields undefined for what is no 64-bit little-endian ELF file, or has no functions", () => {
  const whole = elfOf(FUNCTIONS);
  const changed = (at: number, byte: number) => {
    const bytes = whole.slice();
    bytes[at] = byte;
    return bytes;
  };
  for (
    const bytes of [
      new Uint8Array(),
      whole.subarray(0, 63),
      whole.subarray(0, SECTIONS_AT), // the section headers are cut off
      changed(0, 0x7e),
      changed(4, 1), // 32 bits
      changed(5, 2), // big-endian
      changed(58, 63), // section headers of another size
      changed(61, 0x20), // more section headers than anybody has
      changed(SECTIONS_AT + 64 + 35, 1), // a symbol table of 16 MiB and more than the file
      changed(SECTIONS_AT + 64 + 39, 1), // of 2^56 bytes
      changed(SECTIONS_AT + 64 + 40, 9), // names in a section that is not there
      changed(SECTIONS_AT + 64 + 56, 25), // symbols of another size
      elfOf([]),
    ]
  ) assert.equal(readSymbolTable(accessTo(bytes)), undefined);
});

Deno.test("a long name is cut", () => {
  const bytes = elfOf([{ name: "n".repeat(1000), address: 0x401000, sizeBytes: 1 }]);
  assert.equal(nameIn(bytes, 0x1000), `${"n".repeat(256)}+0x0`);
});

Deno.test("readSymbolTable() and symbolAt() survive any damage, within bounds (incident 10)", () => {
  const whole = elfOf(FUNCTIONS);
  const damage = property.array(
    property.tuple(
      property.oneof(property.nat(127), property.integer({ min: SECTIONS_AT, max: whole.length - 1 })),
      property.nat(255),
    ),
    { maxLength: 12 },
  );
  checkProperty(damage, (places) => {
    const bytes = whole.slice();
    for (const [at, byte] of places) bytes[at] = byte;
    let readBytes = 0;
    const file: RandomAccess = {
      read(offset, lengthBytes) {
        const part = accessTo(bytes).read(offset, lengthBytes);
        readBytes += part.length;
        return part;
      },
    };
    const table = readSymbolTable(file);
    if (table !== undefined) symbolAt(0x1000, table, file);
    return readBytes <= 4 * whole.length;
  });
});
