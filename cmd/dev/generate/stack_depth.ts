/**
 * How much stack the programs of a BPF object take, calls included, as Linux 5.10
 * and 6.1 reckon: 6.18 takes objects that they refuse.
 *
 * @module
 */

import {
  type ElfFile,
  type ElfSection,
  findSection,
  readElf,
  readSymbols,
  sectionBytes,
} from "../../../engine/btf/elf.ts";

/** `MAX_BPF_STACK`, include/linux/filter.h: of a chain of calls together. */
export const STACK_BYTES_MAX = 512;
/** `MAX_CALL_FRAMES`, include/linux/bpf_verifier.h. */
export const CALL_FRAMES_MAX = 8;

/** `check_max_stack_depth()`, kernel/bpf/verifier.c: every frame takes a multiple of this, and no frame nothing. */
const FRAME_STEP_BYTES = 32;

const INSTRUCTION_BYTES = 8;
const FRAME_POINTER = 10;
/** `Elf64_Rel`: place, then type and symbol. */
const RELOCATION_BYTES = 16;
const CALL_RELOCATION = 10; // R_BPF_64_32
const FUNCTION_SYMBOL = 2; // STT_FUNC

/** include/uapi/linux/bpf.h */
const CALL = 0x85;
const PSEUDO_CALL = 1;
const COPY = 0xbf; // 64 bits, from a register
const ADD_CONSTANT = 0x07; // 64 bits
const CLASS = { LDX: 1, ST: 2, STX: 3 } as const;

/** A program and the deepest chain of calls below it. */
export interface CallChain {
  /** The program first. */
  readonly functions: readonly string[];
  /** Of all frames, each rounded up. */
  readonly stackBytes: number;
}

/**
 * Yields one line for each program in `object` that takes more than every kernel gives.
 *
 * @throws {MalformedInputError} If it is no ELF file
 * @throws {Error} If a call leads to no function, or functions call each other in a circle
 */
export function stackProblems(object: Uint8Array): readonly string[] {
  return deepestChains(object)
    .filter(({ functions, stackBytes }) => stackBytes > STACK_BYTES_MAX || functions.length > CALL_FRAMES_MAX)
    .map(({ functions, stackBytes }) =>
      `${functions.join(" > ")}: found ${stackBytes} bytes of stack in ${functions.length} frames, ` +
      `wanted at most ${STACK_BYTES_MAX} in ${CALL_FRAMES_MAX}`
    );
}

interface BpfFunction {
  readonly name: string;
  readonly isProgram: boolean;
  readonly frameBytes: number;
  /** Where the functions that it calls begin. */
  readonly callees: readonly string[];
}

/**
 * Yields the deepest chain of every program in `object`, in no order.
 *
 * @throws {MalformedInputError} If it is no ELF file
 * @throws {Error} If a call leads to no function, or functions call each other in a circle
 */
export function deepestChains(object: Uint8Array): readonly CallChain[] {
  const functions = readFunctions(readElf(object));
  const known = new Map<string, CallChain>();
  const chainOf = (place: string, above: ReadonlySet<string>): CallChain => {
    const found = known.get(place);
    if (found !== undefined) return found;
    const own = functions.get(place);
    if (own === undefined) throw new Error(`Cannot follow a call: found no function at ${place}, wanted one`);
    if (above.has(place)) throw new Error(`Cannot add up the stack of ${own.name}: found that it calls itself`);
    const below = own.callees.map((callee) => chainOf(callee, new Set([...above, place])));
    const deepest = below.reduce<CallChain>(
      (most, one) => one.stackBytes > most.stackBytes ? one : most,
      { functions: [], stackBytes: 0 },
    );
    const chain = {
      functions: [own.name, ...deepest.functions],
      stackBytes: own.frameBytes + deepest.stackBytes,
    };
    known.set(place, chain);
    return chain;
  };
  return [...functions].filter(([, { isProgram }]) => isProgram).map(([place]) => chainOf(place, new Set()));
}

/** By the place where each begins. */
function readFunctions(elf: ElfFile): ReadonlyMap<string, BpfFunction> {
  const table = findSection(elf, ".symtab");
  const symbols = table === undefined ? [] : readSymbols(elf, table);
  const functions = new Map<string, BpfFunction>();
  for (const symbol of symbols) {
    const section = elf.sections[symbol.sectionIndex];
    if (symbol.type !== FUNCTION_SYMBOL || section === undefined) continue;
    const relocated = readCallRelocations(elf, section);
    const from = Number(symbol.value);
    const frame = readFrame(sectionBytes(elf, section), { from, to: from + Number(symbol.sizeBytes) });
    functions.set(placeOf(symbol.sectionIndex, from), {
      name: symbol.name,
      isProgram: section.name !== ".text",
      frameBytes: Math.ceil(Math.max(frame.bytes, 1) / FRAME_STEP_BYTES) * FRAME_STEP_BYTES,
      callees: frame.calls.map(({ at, immediate }) => {
        const target = symbols[relocated.get(at) ?? -1];
        // Without a relocation the call is relative, like a jump (libbpf, bpf_object__reloc_code).
        return target === undefined
          ? placeOf(symbol.sectionIndex, at + (immediate + 1) * INSTRUCTION_BYTES)
          : placeOf(target.sectionIndex, Number(target.value) + (immediate + 1) * INSTRUCTION_BYTES);
      }),
    });
  }
  return functions;
}

function placeOf(sectionIndex: number, offset: number): string {
  return `${sectionIndex}+${offset}`;
}

/** Which symbol each call in `section` goes by: its offset, and the symbol's index. */
function readCallRelocations(elf: ElfFile, section: ElfSection): ReadonlyMap<number, number> {
  const found = new Map<number, number>();
  const table = elf.sections.find(({ name }) => name === `.rel${section.name}`);
  if (table === undefined) return found;
  const view = viewOf(sectionBytes(elf, table));
  for (let at = 0; at + RELOCATION_BYTES <= view.byteLength; at += RELOCATION_BYTES) {
    if (view.getUint32(at + 8, true) === CALL_RELOCATION) {
      // The file counts the empty symbol at the start of its table.
      found.set(Number(view.getBigUint64(at, true)), view.getUint32(at + 12, true) - 1);
    }
  }
  return found;
}

interface Frame {
  /** Below the frame pointer. */
  readonly bytes: number;
  readonly calls: readonly { readonly at: number; readonly immediate: number }[];
}

/** Reads what the instructions of one function touch of their own frame: at a fixed offset, or through an address of it. */
function readFrame(code: Uint8Array, { from, to }: { from: number; to: number }): Frame {
  const view = viewOf(code);
  const calls: { at: number; immediate: number }[] = [];
  const copies = new Set<number>();
  let lowest = 0;
  for (let at = from; at < to; at += INSTRUCTION_BYTES) {
    const operation = view.getUint8(at);
    const destination = view.getUint8(at + 1) & 15;
    const source = view.getUint8(at + 1) >> 4;
    const offset = view.getInt16(at + 2, true);
    const immediate = view.getInt32(at + 4, true);
    const kind = operation & 7;
    const base = kind === CLASS.LDX ? source : kind === CLASS.ST || kind === CLASS.STX ? destination : undefined;
    if (base === FRAME_POINTER) lowest = Math.min(lowest, offset);
    if (operation === CALL && source === PSEUDO_CALL) calls.push({ at, immediate });
    if (operation === COPY && source === FRAME_POINTER) copies.add(destination);
    else if (operation === ADD_CONSTANT && copies.has(destination)) {
      lowest = Math.min(lowest, immediate);
      copies.delete(destination);
    } else if (operation === COPY) copies.delete(destination);
  }
  return { bytes: -lowest, calls };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
