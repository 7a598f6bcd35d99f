/**
 * BPF objects: open, tune, load, attach, ask.
 *
 * Maps and programs borrow from their object; links are owned by whoever
 * attached, and released before the object.
 *
 * @module
 */

import { BpfMap } from "./bpf_map.ts";
import { ERRNO } from "./errno.ts";
import { checkedReturn, ForeignCallError } from "./errors.ts";
import {
  type BpfLinkHandle,
  type BpfMapHandle,
  type BpfObjectHandle,
  type BpfProgramHandle,
  type Libbpf,
  readCString,
} from "./libbpf.ts";
import { cString, type Libc, OwnedFd } from "./libc.ts";

/** How often programs of SEC("perf_event") run. */
export const CLOCK_TICKS_PER_SECOND = 99;

/** Per program; untouched pages cost nothing. What a kernel from 6.4 on cannot fit it cuts, an older one fails. */
const LOG_BYTES_DEFAULT = 1024 * 1024;

/** Programs or maps of one object; a list that is longer is a loop. */
const MEMBERS_MAX = 1024;

/** One iterator's output. 32 768 tasks of 432 bytes are 14 MiB. */
const ITERATOR_BYTES_MAX = 256 * 1024 * 1024;
const ITERATOR_CHUNK_BYTES = 64 * 1024;
/** EAGAIN in a row: kernel/bpf/bpf_iter.c bpf_seq_read() after a million objects without output. */
const ITERATOR_RETRIES_MAX = 64;

/** What the kernel tells about a loaded program (`struct bpf_prog_info`). */
export interface ProgramInfo {
  readonly type: number;
  readonly id: number;
  readonly jitedBytes: number;
  /** When it was loaded, boot clock. */
  readonly loadedMs: number;
  /** Since run-time statistics were switched on; kernel 5.1. */
  readonly runTimeNs: bigint;
  /** Counted only while run-time statistics are on; kernel 5.1. */
  readonly runCount: bigint;
  /** Runs refused because the program was running on that CPU; kernel 5.12, `undefined` before. */
  readonly recursionMissCount: bigint | undefined;
  /** What the verifier walked; kernel 5.16, `undefined` before. */
  readonly verifiedInstructionCount: number | undefined;
}

/** What a test run of a program yielded. */
export interface TestRunOutcome {
  readonly returnValue: number;
  /** Per repetition, as the kernel measured; 0 for program types it does not time. */
  readonly durationNs: number;
}

/** A hook in force until disposed. */
export class BpfLink implements Disposable {
  readonly programName: string;
  readonly fd: number;
  readonly #library: Libbpf;
  readonly #release: () => void;
  #handle: BpfLinkHandle | undefined;

  constructor(library: Libbpf, handle: BpfLinkHandle, programName: string) {
    this.#library = library;
    this.#handle = handle;
    this.programName = programName;
    this.fd = library.symbols.bpf_link__fd(handle);
    this.#release = library.registry(`link of ${programName}`);
  }

  /** Detaches; programs already running finish on their own. */
  [Symbol.dispose](): void {
    if (this.#handle === undefined) return;
    const handle = this.#handle;
    this.#handle = undefined;
    this.#release();
    checkedReturn(this.#library.symbols.bpf_link__destroy(handle), "bpf_link__destroy", this.programName);
  }
}

/** One program at several places. */
export class BpfLinks implements Disposable {
  readonly programName: string;
  readonly #owners: DisposableStack;

  constructor(owners: DisposableStack, programName: string) {
    this.#owners = owners;
    this.programName = programName;
  }

  /** None of one place: iterators alone are read through theirs. */
  get fd(): number {
    return -1;
  }

  /** Detaches, the last place first. */
  [Symbol.dispose](): void {
    this.#owners.dispose();
  }
}

/** Yields a clock on `cpu`; `undefined` when it is offline. @throws {ForeignCallError} */
function openClock(libc: Libc, cpu: number): OwnedFd | undefined {
  try {
    return libc.openCpuClock(cpu, { perSecond: CLOCK_TICKS_PER_SECOND });
  } catch (error) {
    if (error instanceof ForeignCallError && error.errno === ERRNO.ENODEV) return undefined;
    throw error;
  }
}

/** One program of an object. Use it no longer than the object. */
export class BpfProgram {
  readonly name: string;
  /** "tp_btf/sched_switch" */
  readonly section: string;
  readonly #library: Libbpf;
  readonly #handle: BpfProgramHandle;
  readonly #log: Uint8Array<ArrayBuffer>;

  /** @throws {ForeignCallError} */
  constructor(library: Libbpf, handle: BpfProgramHandle, options: { logBytes: number }) {
    this.#library = library;
    this.#handle = handle;
    this.name = readCString(library.symbols.bpf_program__name(handle));
    this.section = readCString(library.symbols.bpf_program__section_name(handle));
    // SAFETY: libbpf keeps the address and the kernel writes to it while the object loads;
    // this field keeps the buffer alive, and the object keeps this program.
    this.#log = new Uint8Array(options.logBytes);
    const result = library.symbols.bpf_program__set_log_buf(handle, this.#log, BigInt(this.#log.byteLength));
    checkedReturn(result, "bpf_program__set_log_buf", this.name);
  }

  /** -1 unless loaded. */
  get fd(): number {
    const fd = this.#library.symbols.bpf_program__fd(this.#handle);
    return fd < 0 ? -1 : fd;
  }

  get isAutoloaded(): boolean {
    return this.#library.symbols.bpf_program__autoload(this.#handle);
  }

  /** Before `load`. @throws {ForeignCallError} */
  setAutoload(isOn: boolean): void {
    const result = this.#library.symbols.bpf_program__set_autoload(this.#handle, isOn);
    checkedReturn(result, "bpf_program__set_autoload", this.name);
  }

  /** Before `load`. 0: a log only of what is rejected; 4: the outcome of everything. @throws {ForeignCallError} */
  setLogLevel(level: 0 | 4): void {
    const result = this.#library.symbols.bpf_program__set_log_level(this.#handle, level);
    checkedReturn(result, "bpf_program__set_log_level", this.name);
  }

  /** What the verifier wrote. */
  log(): string {
    const end = this.#log.indexOf(0);
    return new TextDecoder().decode(this.#log.subarray(0, end < 0 ? this.#log.byteLength : end));
  }

  /**
   * Attaches as its section says; iterators too. One of SEC("perf_event") runs
   * `CLOCK_TICKS_PER_SECOND` times a second on every CPU that is online now.
   *
   * @throws {ForeignCallError}
   */
  attach(): BpfLink | BpfLinks {
    if (this.section === "perf_event") return this.#attachToClocks();
    const { symbols } = this.#library;
    const pointer = symbols.bpf_program__attach(this.#handle);
    const handle = this.#library.handle<BpfLinkHandle>(
      pointer,
      "bpf_program__attach",
      `${this.name} at ${this.section}`,
    );
    return new BpfLink(this.#library, handle, this.name);
  }

  #attachToClocks(): BpfLinks {
    const { libc, symbols } = this.#library;
    using owners = new DisposableStack();

    for (let cpu = 0; cpu < libc.configuredCpuCount(); cpu++) {
      using clock = openClock(libc, cpu);

      if (clock === undefined) continue;
      const pointer = symbols.bpf_program__attach_perf_event(this.#handle, clock.fd);
      const handle = this.#library.handle<BpfLinkHandle>(pointer, "bpf_program__attach_perf_event", this.name);
      clock.giveAway(); // libbpf closes it with the link
      owners.use(new BpfLink(this.#library, handle, this.name));
    }
    return new BpfLinks(owners.move(), this.name);
  }

  /** Attaches an iterator; `readIterator` runs it. @throws {ForeignCallError} */
  attachIterator(): BpfLink {
    const pointer = this.#library.symbols.bpf_program__attach_iter(this.#handle, null);
    const handle = this.#library.handle<BpfLinkHandle>(pointer, "bpf_program__attach_iter", this.name);
    return new BpfLink(this.#library, handle, this.name);
  }

  /** @throws {ForeignCallError} If it is not loaded */
  info(): ProgramInfo {
    return readProgramInfo(this.#library, this.fd);
  }

  /**
   * Runs it once, here and now. `context` is handed in, and back, for programs of SEC("syscall").
   *
   * @throws {ForeignCallError}
   */
  testRun(options: { context?: Uint8Array<ArrayBuffer> } = {}): TestRunOutcome {
    return runProgram(this.#library, { fd: this.fd, ...options });
  }
}

/** An opened object; loaded once. Disposing it unloads every program and map that no link or pin still holds. */
export class BpfObject implements Disposable {
  readonly name: string;
  /** In the order the kernel gets them. */
  readonly programs: readonly BpfProgram[];
  readonly #library: Libbpf;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #maps: ReadonlyMap<string, BpfMapHandle>;
  readonly #release: () => void;
  #handle: BpfObjectHandle | undefined;

  private constructor(library: Libbpf, handle: BpfObjectHandle, options: OpenState) {
    this.#library = library;
    this.#handle = handle;
    this.name = options.name;
    this.#bytes = options.bytes;
    this.#release = library.registry(`BPF object ${options.name}`);
    try {
      this.programs = listPrograms(library, handle, options.logBytes);
      this.#maps = listMaps(library, handle);
    } catch (cause) {
      this[Symbol.dispose]();
      throw cause;
    }
  }

  /** Parses `bytes`; nothing reaches the kernel yet. @throws {ForeignCallError} */
  static open(
    library: Libbpf,
    bytes: Uint8Array<ArrayBuffer>,
    options: { name: string; logBytes?: number },
  ): BpfObject {
    const name = cString(options.name);
    // struct bpf_object_open_opts of libbpf.h: size_t sz; const char *object_name; the rest is absent by `sz`.
    const opts = new BigUint64Array(2);
    opts[0] = BigInt(opts.byteLength);
    // SAFETY: libbpf copies the name during this call, which `name` outlives.
    opts[1] = Deno.UnsafePointer.value(Deno.UnsafePointer.of(name));
    const pointer = library.symbols.bpf_object__open_mem(bytes, BigInt(bytes.byteLength), opts);
    const handle = library.handle<BpfObjectHandle>(pointer, "bpf_object__open_mem", options.name);
    const logBytes = options.logBytes ?? LOG_BYTES_DEFAULT;
    return new BpfObject(library, handle, { name: options.name, bytes, logBytes });
  }

  /** @throws {ForeignCallError} ENOENT */
  program(name: string): BpfProgram {
    const program = this.programs.find((candidate) => candidate.name === name);
    if (program === undefined) {
      throw new ForeignCallError("bpf_object__find_program_by_name", ERRNO.ENOENT, { detail: name });
    }
    return program;
  }

  /** Names of all maps, created or not. */
  mapNames(): readonly string[] {
    return [...this.#maps.keys()];
  }

  /** Before `load`. @throws {ForeignCallError} */
  setMapMaxEntries(name: string, maxEntries: number): void {
    const result = this.#library.symbols.bpf_map__set_max_entries(this.#mapHandle(name), maxEntries);
    checkedReturn(result, "bpf_map__set_max_entries", name);
  }

  /** Before `load`. @throws {ForeignCallError} */
  setMapAutocreate(name: string, isOn: boolean): void {
    const result = this.#library.symbols.bpf_map__set_autocreate(this.#mapHandle(name), isOn);
    checkedReturn(result, "bpf_map__set_autocreate", name);
  }

  /** Before `load`. @throws {ForeignCallError} */
  setAutoload(program: string, isOn: boolean): void {
    this.program(program).setAutoload(isOn);
  }

  /** Before `load`: what a map of global data (".rodata") starts with, all of it. @throws {ForeignCallError} */
  setInitialValue(mapName: string, value: Uint8Array<ArrayBuffer>): void {
    const { symbols } = this.#library;
    const result = symbols.bpf_map__set_initial_value(this.#mapHandle(mapName), value, BigInt(value.byteLength));
    checkedReturn(result, "bpf_map__set_initial_value", mapName);
  }

  /** Hands maps and programs to the kernel; after a failure nothing is loaded. @throws {ForeignCallError} */
  load(): void {
    checkedReturn(this.#library.symbols.bpf_object__load(this.#open()), "bpf_object__load", this.name);
  }

  /** The loaded map; `undefined` when it was not created. @throws {ForeignCallError} ENOENT for a name nobody declared */
  findMap(name: string): BpfMap | undefined {
    const handle = this.#mapHandle(name);
    const { symbols } = this.#library;
    const fd = symbols.bpf_map__fd(handle);
    if (fd < 0) return undefined;
    return new BpfMap(this.#library, {
      name,
      fd,
      type: symbols.bpf_map__type(handle),
      keyBytes: symbols.bpf_map__key_size(handle),
      valueBytes: symbols.bpf_map__value_size(handle),
      maxEntries: symbols.bpf_map__max_entries(handle),
    });
  }

  /** The loaded map. Keep it: each call makes a new one with buffers of its own. @throws {ForeignCallError} ENOENT */
  map(name: string): BpfMap {
    const map = this.findMap(name);
    if (map === undefined) {
      throw new ForeignCallError("bpf_map__fd", ERRNO.ENOENT, { detail: `${name} was not created` });
    }
    return map;
  }

  #mapHandle(name: string): BpfMapHandle {
    this.#open();
    const handle = this.#maps.get(name);
    if (handle === undefined) {
      throw new ForeignCallError("bpf_object__find_map_by_name", ERRNO.ENOENT, { detail: name });
    }
    return handle;
  }

  #open(): BpfObjectHandle {
    if (this.#handle === undefined || this.#bytes.byteLength === 0) {
      throw new TypeError(`Cannot use BPF object ${this.name}: it is closed, wanted an open one`);
    }
    return this.#handle;
  }

  [Symbol.dispose](): void {
    if (this.#handle === undefined) return;
    const handle = this.#handle;
    this.#handle = undefined;
    this.#release();
    this.#library.symbols.bpf_object__close(handle);
  }
}

interface OpenState {
  readonly name: string;
  /** Kept until the object is closed: libbpf may look at them again. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly logBytes: number;
}

function listPrograms(library: Libbpf, object: BpfObjectHandle, logBytes: number): readonly BpfProgram[] {
  const programs: BpfProgram[] = [];
  let pointer = library.symbols.bpf_object__next_program(object, null);
  while (pointer !== null && programs.length < MEMBERS_MAX) {
    programs.push(new BpfProgram(library, pointer as BpfProgramHandle, { logBytes }));
    pointer = library.symbols.bpf_object__next_program(object, pointer);
  }
  return programs;
}

function listMaps(library: Libbpf, object: BpfObjectHandle): ReadonlyMap<string, BpfMapHandle> {
  const maps = new Map<string, BpfMapHandle>();
  let pointer = library.symbols.bpf_object__next_map(object, null);
  while (pointer !== null && maps.size < MEMBERS_MAX) {
    maps.set(readCString(library.symbols.bpf_map__name(pointer)), pointer as BpfMapHandle);
    pointer = library.symbols.bpf_object__next_map(object, pointer);
  }
  return maps;
}

/**
 * Runs the iterator behind `link` once and yields everything it wrote, in order.
 *
 * @throws {ForeignCallError} EFBIG past 256 MiB
 */
export function readIterator(
  library: Libbpf,
  link: { readonly fd: number; readonly programName: string },
): Uint8Array<ArrayBuffer> {
  const created = checkedReturn(library.symbols.bpf_iter_create(link.fd), "bpf_iter_create", link.programName);
  using iterator = new OwnedFd(library.libc, created, `iterator of ${link.programName}`);

  let output = new Uint8Array(ITERATOR_CHUNK_BYTES);
  let lengthBytes = 0;
  let retryCount = 0;
  while (true) {
    const readBytes = readSome(library, iterator.fd, output.subarray(lengthBytes));
    if (readBytes === undefined) {
      if (++retryCount > ITERATOR_RETRIES_MAX) {
        throw new ForeignCallError("read", ERRNO.EAGAIN, { detail: link.programName });
      }
      continue;
    }
    if (readBytes === 0) return output.subarray(0, lengthBytes);
    retryCount = 0;
    lengthBytes += readBytes;
    if (lengthBytes < output.byteLength) continue;
    if (lengthBytes >= ITERATOR_BYTES_MAX) {
      throw new ForeignCallError("read", ERRNO.EFBIG, {
        detail: `${link.programName} wrote over ${ITERATOR_BYTES_MAX} bytes`,
      });
    }
    const larger = new Uint8Array(output.byteLength * 2);
    larger.set(output);
    output = larger;
  }
}

/** `undefined`: try again. */
function readSome(library: Libbpf, fd: number, into: Uint8Array<ArrayBuffer>): number | undefined {
  try {
    return library.libc.read(fd, into);
  } catch (error) {
    if (error instanceof ForeignCallError && (error.errno === ERRNO.EAGAIN || error.errno === ERRNO.EINTR)) {
      return undefined;
    }
    throw error;
  }
}

/**
 * Runs the program behind `fd` once, on this thread; see `BpfProgram.testRun`.
 *
 * @throws {ForeignCallError}
 */
export function runProgram(
  library: Libbpf,
  program: { readonly fd: number; readonly context?: Uint8Array<ArrayBuffer> },
): TestRunOutcome {
  const { fd, context } = program;
  // struct bpf_test_run_opts of libbpf's bpf.h: sz at 0, ctx_in at 32, ctx_size_in at 48, retval 56, duration 64.
  const opts = new DataView(new ArrayBuffer(80));
  opts.setBigUint64(0, BigInt(opts.byteLength), true);
  if (context !== undefined) {
    // SAFETY: the context outlives the call, which is synchronous.
    opts.setBigUint64(32, Deno.UnsafePointer.value(Deno.UnsafePointer.of(context)), true);
    opts.setUint32(48, context.byteLength, true);
  }
  checkedReturn(library.symbols.bpf_prog_test_run_opts(fd, opts), "bpf_prog_test_run_opts", `fd ${fd}`);
  return { returnValue: opts.getUint32(56, true), durationNs: opts.getUint32(64, true) };
}

/** `sizeof(struct bpf_prog_info)` of 5.16 and later; an older kernel fills less and says so. */
const PROGRAM_INFO_BYTES = 232;

/**
 * What the kernel tells about the program behind `fd`.
 *
 * @throws {ForeignCallError}
 */
export function readProgramInfo(library: Libbpf, fd: number): ProgramInfo {
  const info = new DataView(new ArrayBuffer(PROGRAM_INFO_BYTES));
  const filledBytes = new Uint32Array([PROGRAM_INFO_BYTES]);
  const result = library.symbols.bpf_obj_get_info_by_fd(fd, info, filledBytes);
  checkedReturn(result, "bpf_obj_get_info_by_fd", `fd ${fd}`);
  return decodeProgramInfo(info, filledBytes[0] ?? 0);
}

/** Offsets of include/uapi/linux/bpf.h `struct bpf_prog_info`, which only ever grows at its end. */
export function decodeProgramInfo(info: DataView<ArrayBuffer>, filledBytes: number): ProgramInfo {
  return {
    type: info.getUint32(0, true),
    id: info.getUint32(4, true),
    jitedBytes: info.getUint32(16, true),
    loadedMs: Number(info.getBigUint64(40, true)) / 1e6,
    runTimeNs: info.getBigUint64(192, true),
    runCount: info.getBigUint64(200, true),
    recursionMissCount: filledBytes >= 216 ? info.getBigUint64(208, true) : undefined,
    verifiedInstructionCount: filledBytes >= 220 ? info.getUint32(216, true) : undefined,
  };
}
