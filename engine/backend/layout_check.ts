/**
 * Compares the object about to be loaded with the decoders it will be read by.
 *
 * @module
 */

import { LAYOUT } from "../../bpf/generated/layout.ts";
import { EngineError } from "../api/errors.ts";
import { readObjectBtf } from "../btf/btf.ts";
import { MalformedInputError, UnrepresentableLayoutError } from "../btf/errors.ts";
import { diffLayoutTables, type LayoutTable, readLayout, toLayoutTable } from "../btf/layout.ts";

/**
 * Returns if `object`, the very bytes that will be loaded, has the layout the
 * generated decoders expect.
 *
 * @throws {EngineError} `layout_mismatch` naming every field that differs
 */
export function checkLayout(object: Uint8Array, options: { expected: LayoutTable } = { expected: LAYOUT }): void {
  const { expected } = options;
  const differences = diffLayoutTables(expected, tableOfObject(object, expected));
  if (differences.length === 0) return;
  throw new EngineError(
    "layout_mismatch",
    `Cannot use the BPF object: its layout is not the one this build decodes (${differences.join("; ")}), ` +
      "wanted objects and decoders from one build",
  );
}

function tableOfObject(object: Uint8Array, expected: LayoutTable): LayoutTable {
  const names = new Set([...Object.keys(expected.structs), ...Object.keys(expected.enums)]);
  try {
    return toLayoutTable(readLayout(readObjectBtf(object), { names }));
  } catch (cause) {
    if (!(cause instanceof MalformedInputError || cause instanceof UnrepresentableLayoutError)) throw cause;
    throw new EngineError("layout_mismatch", `Cannot use the BPF object: ${cause.message}`, { cause });
  }
}
