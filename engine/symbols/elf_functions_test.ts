import { assert } from "../../tests/support/assert.ts";
import { checkProperty, property } from "../../tests/support/property.ts";
import { functionAt, readFileSymbols } from "./elf_functions.ts";
import { accessToBytes, BoundedAccess } from "./random_access.ts";

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

function nameIn(bytes: Uint8Array, fileOffset: number): string | undefined {
  const file = accessToBytes(bytes);
  const symbols = readFileSymbols(file);
  const place = symbols === undefined ? undefined : functionAt(fileOffset, symbols, file);
  return place === undefined ? undefined : `${place.name}+0x${place.offset.toString(16)}`;
}

const FUNCTIONS: readonly FakeFunction[] = [
  { name: "second", address: 0x401100, sizeBytes: 0x10 },
  { name: "first", address: 0x401000, sizeBytes: 0x80 },
  { name: "data", address: 0x401090, sizeBytes: 0x10, type: 1 },
  { name: "resolver", address: 0x401200, sizeBytes: 0x10, type: 10 },
];

Deno.test("functionAt() names the function that covers a place, and no other", () => {
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

Deno.test("readFileSymbols() knows no function of what is no 64-bit little-endian ELF file, or names none", () => {
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
  ) assert.equal(readFileSymbols(accessToBytes(bytes))?.functions, undefined);
  assert.equal(readFileSymbols(accessToBytes(whole))?.functions?.count, 3);
});

Deno.test("a long name is cut", () => {
  const bytes = elfOf([{ name: "n".repeat(1000), address: 0x401000, sizeBytes: 1 }]);
  assert.equal(nameIn(bytes, 0x1000), `${"n".repeat(256)}+0x0`);
});

Deno.test("of several names of one function the plainest is taken", () => {
  const names = ["__GI___read", "__read", "read", "_ZN4readEv"];
  const bytes = elfOf(names.map((name) => ({ name, address: 0x401000, sizeBytes: 8 })));
  assert.equal(nameIn(bytes, 0x1004), "read+0x4");
});

Deno.test("a function without a size reaches to the next one", () => {
  const bytes = elfOf([
    { name: "_start", address: 0x401000, sizeBytes: 0 },
    { name: "main", address: 0x401040, sizeBytes: 0x10 },
  ]);
  assert.equal(nameIn(bytes, 0x103f), "_start+0x3f");
  assert.equal(nameIn(bytes, 0x1040), "main+0x0");
  assert.equal(nameIn(bytes, 0x1050), undefined);
});

Deno.test("the build id is found among other notes, and is none when it is cut", () => {
  const bytes = elfOf(FUNCTIONS);
  const view = new DataView(bytes.buffer);
  view.setUint16(56, 2, true);
  const segmentAt = 64 + 56;
  const notesAt = 0x800;
  view.setUint32(segmentAt, 4, true); // PT_NOTE
  view.setBigUint64(segmentAt + 8, BigInt(notesAt), true);
  const note = (at: number, type: number, value: readonly number[]) => {
    view.setUint32(at, 4, true);
    view.setUint32(at + 4, value.length, true);
    view.setUint32(at + 8, type, true);
    bytes.set([...new TextEncoder().encode("GNU\0"), ...value], at + 12);
    return at + 16 + Math.ceil(value.length / 4) * 4;
  };
  const end = note(note(notesAt, 1, [1, 2, 3]), 3, [0xab, 0x01, 0xff]);
  const idOf = (sizeBytes: number) => {
    view.setBigUint64(segmentAt + 32, BigInt(sizeBytes), true);
    return readFileSymbols(accessToBytes(bytes))?.image.buildId;
  };
  assert.equal(idOf(end - notesAt), "ab01ff");
  assert.equal(idOf(end - notesAt - 4), undefined);
  assert.equal(idOf(2 ** 40), undefined);
});

/** Reads everything a stack would ask of a file, with limits; yields how much was read. */
function readAll(bytes: Uint8Array): number {
  const access = new BoundedAccess(accessToBytes(bytes), { readBytesMax: 1 << 20, totalBytesMax: 1 << 21 });
  const symbols = readFileSymbols(access);
  if (symbols !== undefined) {
    for (const offset of [0, 0x1000, 0x1080, 0x2fff, 2 ** 40]) functionAt(offset, symbols, access);
  }
  return access.readBytes;
}

Deno.test("incident 10: any damage to an ELF file is survived, within bounds", () => {
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
    return readAll(bytes) <= 1 << 21;
  }, { runCount: 1000 });
});

Deno.test("incident 10: a file of headers that claim anything is survived, within bounds", () => {
  const claim = property.oneof(
    property.constantFrom(0n, 1n, 24n, 64n, 0x1000n, 0x7fff_ffffn, 0xffff_ffffn, 2n ** 53n, 2n ** 64n - 1n),
    property.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  );
  const whole = elfOf(FUNCTIONS);
  // Every 64-bit field of the headers, and the sizes and links between them.
  const places = [32, 40, 72, 80, 96, ...[64, 128].flatMap((at) => [0, 16, 24, 32, 40, 56].map((to) => at + to))];
  const fields = property.array(property.tuple(property.nat(places.length - 1), claim), { minLength: 1, maxLength: 8 });
  checkProperty(fields, (claims) => {
    const bytes = whole.slice();
    const view = new DataView(bytes.buffer);
    for (const [index, value] of claims) {
      const place = places[index] ?? 0;
      view.setBigUint64(place < 64 ? place : place < 128 && index < 5 ? place : SECTIONS_AT + place, value, true);
    }
    return readAll(bytes) <= 1 << 21;
  }, { runCount: 1000 });
});

Deno.test("incident 11: a table of half a million symbols in the worst order is read in linear steps", () => {
  // Every address once, descending, then all of them the same: what a sort and a search like least.
  const rows = 1 << 19;
  const steps: number[] = [];
  for (const addressOf of [(row: number) => 0x401000 + rows - 1 - row, () => 0x401000]) {
    const namesAt = 4096;
    const symbolsAt = 8192;
    const sectionsAt = symbolsAt + rows * 24;
    const bytes = new Uint8Array(sectionsAt + 3 * 64);
    bytes.set(elfOf([]).subarray(0, symbolsAt));
    const view = new DataView(bytes.buffer);
    view.setBigUint64(40, BigInt(sectionsAt), true);
    view.setBigUint64(96, BigInt(rows + 0x1000), true);
    bytes.set(elfOf([]).subarray(SECTIONS_AT), sectionsAt);
    view.setBigUint64(sectionsAt + 64 + 24, BigInt(symbolsAt), true);
    view.setBigUint64(sectionsAt + 64 + 32, BigInt(rows * 24), true);
    view.setBigUint64(sectionsAt + 128 + 32, 4096n, true);
    bytes.set(new TextEncoder().encode("same"), namesAt + 1);
    for (let row = 0; row < rows; row++) {
      const at = symbolsAt + 24 * row;
      view.setUint32(at, 1, true);
      view.setUint8(at + 4, 2);
      view.setUint16(at + 6, 1, true);
      view.setFloat64(at + 8, 0);
      view.setUint32(at + 8, addressOf(row), true);
      view.setUint32(at + 16, 1, true);
    }
    let readCount = 0;
    const file = {
      read: (offset: number, lengthBytes: number) => {
        readCount++;
        return bytes.subarray(offset, offset + lengthBytes);
      },
    };
    const symbols = readFileSymbols(file);
    assert.equal(symbols?.functions?.count, rows);
    assert.equal(symbols === undefined ? "" : functionAt(0x1000, symbols, file)?.name ?? "", "same");
    steps.push(readCount);
    assert.ok((symbols?.functions?.byteCount ?? 0) <= 16 * rows);
  }
  for (const readCount of steps) assert.ok(readCount <= 16, `${readCount} reads`);
});
