import { assert } from "../../tests/support/assert.ts";
import { accessToBytes, BoundedAccess, readName, toSafe, viewOf } from "./random_access.ts";

const FILE = accessToBytes(Uint8Array.from({ length: 100 }, (_, index) => index));
const GENEROUS = { readBytesMax: 1000, totalBytesMax: 1000 };

Deno.test("read() yields the bytes asked for, fewer at the end, and none for what is no place", () => {
  const file = new BoundedAccess(FILE, GENEROUS);
  assert.deepEqual([...file.read(3, 2)], [3, 4]);
  assert.equal(file.read(98, 10).length, 2);
  for (const [offset, lengthBytes] of [[-1, 4], [4, -1], [4, 0], [Infinity, 4], [4, NaN], [2 ** 53, 1]] as const) {
    assert.equal(file.read(offset, lengthBytes).length, 0, `${offset}, ${lengthBytes}`);
  }
  assert.equal(file.isCut, false);
});

Deno.test("incident 10: read() keeps back what is larger than a section or than all of them together", () => {
  const file = new BoundedAccess(FILE, { readBytesMax: 60, totalBytesMax: 100 });
  assert.equal(file.read(0, 61).length, 0);
  assert.equal(file.isCut, true);
  assert.equal(file.read(0, 60).length, 60);
  assert.equal(file.read(0, 41).length, 0);
  assert.equal(file.read(0, 40).length, 40);
  assert.equal(file.readBytes, 100);
});

Deno.test("incident 11: read() keeps everything back once it is late", () => {
  let isLate = false;
  const file = new BoundedAccess(FILE, { ...GENEROUS, isLate: () => isLate });
  assert.equal(file.read(0, 4).length, 4);
  isLate = true;
  assert.equal(file.read(0, 4).length, 0);
  assert.equal(file.isCut, true);
});

Deno.test("viewOf() yields whole views only", () => {
  assert.equal(viewOf(FILE, 96, 4)?.getUint8(3), 99);
  assert.equal(viewOf(FILE, 97, 4), undefined);
  assert.equal(viewOf(FILE, 0, 0), undefined);
});

Deno.test("toSafe() yields what a number holds exactly, else Infinity", () => {
  const view = new DataView(new ArrayBuffer(8));
  for (const value of [0n, 1n, 0xffff_ffffn, 0x1_0000_0001n, 2n ** 53n - 1n]) {
    view.setBigUint64(0, value, true);
    assert.equal(toSafe(view, 0), Number(value));
  }
  for (const value of [2n ** 53n, 2n ** 64n - 1n]) {
    view.setBigUint64(0, value, true);
    assert.equal(toSafe(view, 0), Infinity);
  }
});

Deno.test("readName() ends at the NUL, at the end of the file, or where it becomes too long", () => {
  const file = accessToBytes(new TextEncoder().encode("read\0write"));
  assert.equal(readName(file, 0, 256), "read");
  assert.equal(readName(file, 5, 256), "write");
  assert.equal(readName(file, 5, 2), "wr");
  assert.equal(readName(file, Infinity, 256), "");
});
