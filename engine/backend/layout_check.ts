/**
 * Compares the object about to be loaded with the decoders it will be read by.
 *
 * @module
 */

import { LAYOUT } from "../../bpf/generated/layout.ts";
import { EngineError } from "../api/errors.ts";
import { sanitizeText } from "../api/text.ts";
import { type Btf, readBtf } from "../btf/btf.ts";
import { ELF_MACHINE, findSection, readElf, sectionBytes } from "../btf/elf.ts";
import { MalformedInputError, UnrepresentableLayoutError } from "../btf/errors.ts";
import { diffLayoutTables, type LayoutTable, readLayout, toLayoutTable } from "../btf/layout.ts";

/** Differences named in one message; a foreign object has dozens. */
const DIFFERENCES_SHOWN_MAX = 4;

/** Bytes of UTF-8 of what one message says was found: a few differences with names of usual length. */
const FOUND_BYTES_MAX = 1024;

/** A field of `struct pt_regs` that only this architecture's kernel has (arch/ARCH/include/asm/ptrace.h). */
const REGISTER_MARKS = { x86_64: "orig_ax", aarch64: "orig_x0" } as const;

/** What an object is held against. */
export interface LayoutCheckOptions {
  readonly expected?: LayoutTable;
  /** Whose registers the programs may read. */
  readonly architecture?: keyof typeof REGISTER_MARKS;
}

/**
 * Returns if `object`, the very bytes that will be loaded, has the layout the
 * generated decoders expect and was built for this architecture.
 *
 * @throws {EngineError} `layout_mismatch` naming what differs, the first few
 */
export function checkLayout(object: Uint8Array, options: LayoutCheckOptions = {}): void {
  const { expected = LAYOUT, architecture = Deno.build.arch } = options;
  const btf = readTypes(object);
  const other = otherArchitecture(btf, architecture);
  if (other !== undefined) {
    throw mismatch(`it reads the registers of ${other}`, `one built for ${architecture}`);
  }
  const differences = diffLayoutTables(expected, tableOf(btf, expected));
  if (differences.length === 0) return;
  const shown = differences.slice(0, DIFFERENCES_SHOWN_MAX).join("; ");
  const restCount = differences.length - DIFFERENCES_SHOWN_MAX;
  throw mismatch(
    `its layout is not the one this build decodes (${shown}${restCount > 0 ? `; and ${restCount} more` : ""})`,
    "objects and decoders from one build",
  );
}

function readTypes(object: Uint8Array): Btf {
  try {
    const elf = readElf(object);
    if (elf.machine !== ELF_MACHINE.BPF) {
      throw mismatch(`it is an ELF file for machine ${elf.machine}`, `one for BPF (${ELF_MACHINE.BPF})`);
    }
    const section = findSection(elf, ".BTF");
    if (section === undefined) throw mismatch("it has no section .BTF", "one built with -g");
    return readBtf(sectionBytes(elf, section));
  } catch (cause) {
    throw toMismatch(cause);
  }
}

function tableOf(btf: Btf, expected: LayoutTable): LayoutTable {
  const names = new Set([...Object.keys(expected.structs), ...Object.keys(expected.enums)]);
  try {
    return toLayoutTable(readLayout(btf, { names }));
  } catch (cause) {
    throw toMismatch(cause);
  }
}

/** The architecture whose registers the object reads, if it is not `wanted`. */
function otherArchitecture(btf: Btf, wanted: keyof typeof REGISTER_MARKS): string | undefined {
  const names = new Set(
    btf.types.flatMap((type) => type.kind === "struct" && type.name === "pt_regs" ? type.members : [])
      .map(({ name }) => name),
  );
  const found = Object.entries(REGISTER_MARKS).filter(([, mark]) => names.has(mark)).map(([name]) => name);
  return found.length === 0 || found.includes(wanted) ? undefined : found[0];
}

function toMismatch(cause: unknown): unknown {
  if (!(cause instanceof MalformedInputError || cause instanceof UnrepresentableLayoutError)) return cause;
  // "Cannot read ELF: found ...": what could not be done is said already.
  return mismatch(cause.message.replace(/^Cannot [^:]*: /, ""), "one built by this version", cause);
}

/** `found` may quote names of a foreign object, which may hold anything but NUL. */
function mismatch(found: string, wanted: string, cause?: Error): EngineError {
  const shown = sanitizeText(found, { bytesMax: FOUND_BYTES_MAX });
  return new EngineError("layout_mismatch", `Cannot use the BPF object: ${shown}, wanted ${wanted}`, { cause });
}
