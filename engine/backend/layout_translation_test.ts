import { LAYOUT, PT_KIND } from "../../bpf/generated/layout.ts";
import { assert } from "../../tests/support/assert.ts";
import type { LayoutTable } from "../btf/layout.ts";
import { LayoutTranslation, translateStruct, translateStructs } from "./layout_translation.ts";
import { STRUCT_OF_KIND } from "./replay_access.ts";

const OLD: LayoutTable = {
  structs: {
    pt_inner: { sizeBytes: 8, fields: { a: "u32 @ 0", gone: "u32 @ 4" } },
    pt_outer: { sizeBytes: 28, fields: { first: "u32 @ 0", inner: "pt_inner[2] @ 4", counts: "u32[2] @ 20" } },
  },
  enums: {
    pt_kind: { PT_KIND_WAIT: 1, PT_KIND_OLD: 2, PT_KIND_COUNT: 3 },
    pt_hook: { PT_HOOK_A: 0, PT_HOOK_COUNT: 1 },
  },
};

const NEW: LayoutTable = {
  structs: {
    pt_inner: { sizeBytes: 8, fields: { born: "u32 @ 0", a: "u32 @ 4" } },
    pt_outer: { sizeBytes: 40, fields: { inner: "pt_inner[3] @ 0", counts: "u32[3] @ 24", first: "u32 @ 36" } },
  },
  enums: {
    pt_kind: { PT_KIND_WAIT: 1, PT_KIND_OLD: 2, PT_KIND_NEW: 3, PT_KIND_COUNT: 4 },
    pt_hook: { PT_HOOK_B: 0, PT_HOOK_A: 1 },
  },
};

function words(...values: number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

Deno.test("a struct is translated field by field; what is new is 0, what is gone is left out", () => {
  const outer = new LayoutTranslation(OLD, NEW).struct("pt_outer");
  assert.ok(outer?.moves !== undefined);
  const to = new Uint8Array(outer.toBytes);
  translateStruct(words(1, 10, 11, 20, 21, 30, 31), to, outer.moves);
  //                          born a   born a   born a  counts     first
  assert.deepEqual(to, words(0, 10, 0, 20, 0, 0, 30, 31, 0, 1));
});

Deno.test("several structs are translated one after the other, at their strides", () => {
  const inner = new LayoutTranslation(OLD, NEW).struct("pt_inner");
  const options = { strideBytes: 8, wantedStrideBytes: 8 };
  assert.deepEqual(translateStructs(words(1, 2, 3, 4), inner, options), words(0, 1, 0, 3));
});

Deno.test("a layout is translated to itself by nothing", () => {
  const same = new LayoutTranslation(LAYOUT, LAYOUT);
  for (const name of Object.keys(LAYOUT.structs)) assert.equal(same.struct(name)?.moves, undefined, name);
  assert.deepEqual(same.conflicts(), []);
  const bytes = words(1, 2);
  assert.equal(translateStructs(bytes, same.struct("pt_header"), { strideBytes: 8, wantedStrideBytes: 8 }), bytes);
});

Deno.test("enums may grow, and rows of the books may move; a number that means something else is a conflict", () => {
  assert.deepEqual(new LayoutTranslation(OLD, NEW).conflicts(), []);
  const moved = { ...NEW, enums: { pt_kind: { PT_KIND_OLD: 1, PT_KIND_WAIT: 2 } } };
  assert.deepEqual(new LayoutTranslation(OLD, moved).conflicts(), [
    "PT_KIND_WAIT was 1 and is 2",
    "PT_KIND_OLD was 2 and is 1",
  ]);
});

Deno.test("every kind of ring record has a struct to be translated by", () => {
  for (const [kind, struct] of STRUCT_OF_KIND) {
    if (kind !== PT_KIND.TASK) assert.ok(LAYOUT.structs[struct] !== undefined, struct);
  }
});
