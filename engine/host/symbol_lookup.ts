/**
 * Function names for code addresses of live processes.
 *
 * @module
 */

import { STACK_NAMING_MS_MAX, SYMBOL_FILE_BYTES_MAX, SYMBOL_SECTION_BYTES_MAX } from "../api/limits.ts";
import type { FrameProblem, StackFrame } from "../api/measurements.ts";
import { type FileSymbols, functionAt, readFileSymbols } from "../symbols/elf_functions.ts";
import type { PerfMap } from "../symbols/perf_map.ts";
import { accessToBytes, BoundedAccess, type RandomAccess } from "../symbols/random_access.ts";
import { type CodePlace, describeAddresses } from "../symbols/stack_frames.ts";
import { readLink } from "./host_files.ts";
import { PerfMapFiles } from "./perf_map_files.ts";
import { orUndefinedWhenDenied, type ProcFs } from "./procfs.ts";
import type { MemoryMapping } from "./procfs_parsers.ts";
import { SymbolCache } from "./symbol_cache.ts";
import { HeldFile, type PathHolder } from "./symbol_files.ts";

/** Two pages on every kernel we know. */
const VDSO_BYTES_MAX = 64 * 1024;

/** A file, and what is known of its functions. */
interface OpenModule {
  readonly access: RandomAccess;
  readonly symbols: FileSymbols | undefined;
}

/** Of a file of which not even the headers could be read within the limits. */
const NOTHING_READ: FileSymbols = {
  image: { segments: [], buildId: undefined },
  functions: undefined,
  isStripped: false,
};

/** What had to be left out so far. */
export interface SymbolShortfalls {
  /** Tables and maps that had to make room for others, to be read again when asked for. */
  readonly evictedCount: number;
  /** Files of which a part was too large, or that took too long. */
  readonly cutCount: number;
}

/** Reads mapped program files, the vdso, and the maps that runtimes write; keeps the tables. */
export class SymbolLookup {
  readonly #procFs: ProcFs;
  readonly #holder: PathHolder;
  readonly #cache: SymbolCache;
  readonly #perfMaps: PerfMapFiles;
  #cutCount = 0;

  /**
   * @param procFs whose processes are asked about
   * @param holder opens what they mapped
   */
  constructor(procFs: ProcFs, holder: PathHolder, options: { cache?: SymbolCache } = {}) {
    this.#procFs = procFs;
    this.#holder = holder;
    this.#cache = options.cache ?? new SymbolCache();
    this.#perfMaps = new PerfMapFiles(procFs, holder);
  }

  /** What had to be left out so far. */
  get shortfalls(): SymbolShortfalls {
    return { evictedCount: this.#cache.evictedCount + this.#perfMaps.evictedCount, cutCount: this.#cutCount };
  }

  /** Yields one frame per address; nothing in it is sanitised. */
  describe(processId: number, addresses: readonly bigint[]): readonly StackFrame[] {
    using look = new Look(this, processId);

    const mappings = orUndefinedWhenDenied(() => this.#procFs.mappings(processId)) ?? [];
    return describeAddresses(addresses, mappings, (address, mapping) => look.placeOf(address, mapping));
  }

  /** Opens the file behind a mapping. */
  openModule(
    processId: number,
    options: { mapping: MemoryMapping; isLate: () => boolean },
  ): (OpenModule & { readonly file: HeldFile }) | undefined {
    const { mapping, isLate } = options;
    const file = this.#openMapped(processId, mapping);
    if (file === undefined) return undefined;
    const access = new BoundedAccess(file, {
      readBytesMax: SYMBOL_SECTION_BYTES_MAX,
      totalBytesMax: SYMBOL_FILE_BYTES_MAX,
      isLate,
    });
    const known = this.#cache.get(file.identity);
    if (known !== undefined) return { file, access, symbols: known.symbols };
    const found = readFileSymbols(access);
    const symbols = access.isCut ? { ...found ?? NOTHING_READ, isCut: true as const } : found;
    if (access.isCut) this.#cutCount++;
    // What was cut short for lack of time may be read in full next time.
    if (!isLate()) this.#cache.set(file.identity, symbols);
    return { file, access, symbols };
  }

  /**
   * Through the mapping itself where that is permitted (it needs
   * CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN, and serves deleted files too),
   * then as the program the process runs, then by its path in the root of the
   * process; only the file with the mapped inode counts.
   */
  #openMapped(processId: number, mapping: MemoryMapping): HeldFile | undefined {
    const folder = `${this.#procFs.root}/${processId}`;
    const range = `${mapping.begin.toString(16)}-${mapping.end.toString(16)}`;
    const direct = HeldFile.open(this.#holder, `${folder}/map_files/${range}`);
    if (direct !== undefined) return direct;
    const isProgram = orUndefinedWhenDenied(() => readLink(`${folder}/exe`)) === mapping.path;
    const file = isProgram
      ? HeldFile.open(this.#holder, `${folder}/exe`)
      : HeldFile.open(this.#holder, mapping.path, { root: `${folder}/root` });
    if (file === undefined || file.identity.inode === mapping.inode) return file;
    file[Symbol.dispose]();
    return undefined;
  }

  /** What the process says of code it made itself. */
  perfMapOf(processId: number): PerfMap | undefined {
    return this.#perfMaps.of(processId);
  }

  /** The kernel's own code in the process, from its memory. */
  readVdso(processId: number, mapping: MemoryMapping): OpenModule | undefined {
    const lengthBytes = Math.min(Number(mapping.end - mapping.begin), VDSO_BYTES_MAX);
    const options = { address: mapping.begin, lengthBytes };
    const bytes = orUndefinedWhenDenied(() => this.#procFs.readProcessMemory(processId, options));
    if (bytes === undefined) return undefined;
    const limits = { readBytesMax: VDSO_BYTES_MAX, totalBytesMax: SYMBOL_SECTION_BYTES_MAX };
    const access = new BoundedAccess(accessToBytes(bytes), limits);
    return { access, symbols: readFileSymbols(access) };
  }

  /** A time from now on after which nothing more is read for one stack. */
  lateFrom(): () => boolean {
    const endMs = this.#holder.monotonicMs() + STACK_NAMING_MS_MAX;
    return () => this.#holder.monotonicMs() > endMs;
  }
}

/** Why nothing is known of code in `mapping`; `module`: what could be opened of it. */
function problemOf(mapping: MemoryMapping, module: OpenModule | undefined): FrameProblem {
  if (module === undefined) return /^(\/|\[vdso\]$)/.test(mapping.path) ? "unreadable" : "generated";
  if (module.symbols === undefined) return "notProgram";
  if (module.symbols.isCut) return "tooLarge";
  return module.symbols.isStripped ? "stripped" : "noFunction";
}

/** One stack being named: each file is opened once. */
class Look implements Disposable {
  readonly #lookup: SymbolLookup;
  readonly #processId: number;
  readonly #isLate: () => boolean;
  readonly #opened = new DisposableStack();
  /** By path and inode. */
  readonly #modules = new Map<string, OpenModule | undefined>();
  #perfMap: { readonly map: PerfMap | undefined } | undefined;

  constructor(lookup: SymbolLookup, processId: number) {
    this.#lookup = lookup;
    this.#processId = processId;
    this.#isLate = lookup.lateFrom();
  }

  placeOf(address: bigint, mapping: MemoryMapping | undefined): CodePlace | undefined {
    const module = mapping === undefined ? undefined : this.#moduleOf(mapping);
    const symbols = module?.symbols;
    const fileOffset = mapping === undefined ? 0 : Number(address - mapping.begin + mapping.fileOffset);
    const buildId = symbols?.image.buildId;
    const named = module === undefined || symbols === undefined
      ? undefined
      : functionAt(fileOffset, symbols, module.access);
    if (named !== undefined) return { function: named, buildId };
    this.#perfMap ??= { map: this.#lookup.perfMapOf(this.#processId) };
    const generated = this.#perfMap.map?.at(address);
    if (generated !== undefined || mapping === undefined) return { function: generated, buildId };
    return { function: undefined, buildId, problem: problemOf(mapping, module) };
  }

  #moduleOf(mapping: MemoryMapping): OpenModule | undefined {
    const isFile = mapping.path.startsWith("/");
    if (!isFile && mapping.path !== "[vdso]") return undefined;
    const key = `${mapping.inode} ${mapping.path}`;
    if (this.#modules.has(key)) return this.#modules.get(key);
    const module = isFile ? this.#open(mapping) : this.#lookup.readVdso(this.#processId, mapping);
    this.#modules.set(key, module);
    return module;
  }

  #open(mapping: MemoryMapping): OpenModule | undefined {
    const module = this.#lookup.openModule(this.#processId, { mapping, isLate: this.#isLate });
    if (module !== undefined) this.#opened.use(module.file);
    return module;
  }

  [Symbol.dispose](): void {
    this.#opened.dispose();
  }
}
