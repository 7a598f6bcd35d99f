import { PT_KIND } from "../../bpf/generated/layout.ts";
import { assert } from "../../tests/support/assert.ts";
import { RECORDING_ENTRY_BYTES_MAX } from "../api/limits.ts";
import { sumBooks, withMissing } from "./loss_counters.ts";
import {
  decodeBatch,
  decodeLookup,
  decodeTurn,
  encodeBatch,
  encodeLookup,
  TurnRecords,
  visitRecords,
} from "./recorded_answers.ts";

function aRecord(lengthBytes: number, fill: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(lengthBytes).fill(fill);
}

const DRAINED = { recordCount: 2, byteCount: 200, more: true };

Deno.test("a turn's records come back per ring, in order, whatever their lengths", () => {
  const turn = new TurnRecords();
  for (let round = 0; round < 2; round++) {
    turn.begin({ hasRoom: true });
    const lengths = [1, 7, 8, 33, 4096, 70_000, 12];
    lengths.forEach((length, index) => turn.add(aRecord(length, index), { ring: index % 2 === 0 ? 0 : 1, kind: 1 }));
    turn.drained(1, DRAINED);
    const decoded = decodeTurn(turn.take().map((part) => part.slice()));
    assert.deepEqual(decoded.outcomes, [{ recordCount: 0, byteCount: 0, more: false }, DRAINED]);
    for (const ring of [0, 1] as const) {
      const seen: (readonly [number, number | undefined])[] = [];
      visitRecords(decoded, ring, (record) => seen.push([record.length, record[0]]));
      const expected = lengths.map((length, index) => [length, index] as const).filter(([, index]) =>
        index % 2 === ring
      );
      assert.deepEqual(seen, expected);
    }
  }
});

Deno.test("records without room are counted by kind, and balance the books of the replay", () => {
  const turn = new TurnRecords();
  turn.begin({ hasRoom: false });
  for (let index = 0; index < 5; index++) turn.add(aRecord(88, 1), { ring: 1, kind: PT_KIND.WAIT });
  turn.add(aRecord(40, 1), { ring: 0, kind: PT_KIND.EXIT });
  turn.drained(1, DRAINED);
  const { missing, pages, outcomes } = decodeTurn(turn.take());
  assert.deepEqual([...missing], [[PT_KIND.WAIT, 5], [PT_KIND.EXIT, 1]]);
  assert.deepEqual([pages, outcomes[1]], [[], DRAINED]);

  const { ledger } = sumBooks(undefined, { recursionMisses: new Map() });
  const kept = withMissing({ ...ledger, slowWaits: { ...ledger.slowWaits, seen: 12, delivered: 12 } }, missing);
  assert.deepEqual([kept.slowWaits.delivered, kept.slowWaits.dropped], [7, { not_recorded: 5 }]);
  assert.deepEqual(kept.lifecycle.dropped, { not_recorded: 1 });
  assert.equal(kept.waits, ledger.waits);
});

Deno.test("lengths that reach beyond a page are refused", () => {
  const turn = {
    outcomes: [DRAINED, DRAINED] as const,
    missing: new Map(),
    pages: [new Uint8Array([255, 0, 0, 0, 1])],
  };
  assert.throws(() => visitRecords(turn, 0, () => {}), RangeError);
  assert.throws(() => decodeTurn([new Uint8Array(3)]), RangeError);
});

Deno.test("rows of a table come back in parts that an entry can hold", () => {
  const table = { keyBytes: 8, entryValueBytes: 400 };
  const count = 4000;
  const keys = new DataView(new Uint8Array(count * 8).map((_, index) => index).buffer);
  const values = new DataView(new Uint8Array(count * 400).map((_, index) => index % 251).buffer);
  const parts = encodeBatch({ keys, values, count }, table);
  assert.ok(parts.length > 1 && parts.every((part) => part.length <= RECORDING_ENTRY_BYTES_MAX));
  const batches = parts.map((part) => decodeBatch(part));
  assert.equal(batches.reduce((total, batch) => total + (batch?.count ?? 0), 0), count);
  assert.deepEqual(batches.flatMap((batch) => [...batch?.keys ?? []]), [...new Uint8Array(keys.buffer)]);
  assert.equal(decodeBatch(new Uint8Array(0)), undefined);
  assert.throws(() => decodeBatch(new Uint8Array(13)), RangeError);
});

Deno.test("a row that is there and empty is not one that is absent", () => {
  assert.equal(decodeLookup(encodeLookup(undefined)), undefined);
  assert.deepEqual(decodeLookup(encodeLookup(new Uint8Array(0))), new Uint8Array(0));
  assert.deepEqual(decodeLookup(encodeLookup(Uint8Array.of(0, 1))), Uint8Array.of(0, 1));
});
