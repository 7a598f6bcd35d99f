/**
 * The C library: memory maps, descriptors, waiting, clocks.
 *
 * @module
 */

import { EngineError } from "../api/errors.ts";
import { ERRNO } from "./errno.ts";
import { ForeignCallError } from "./errors.ts";
import { NO_REGISTRY, type OwnerRegistry } from "./owners.ts";

/**
 * Every symbol with its C prototype; all of them are older than any kernel we
 * run on (memfd_create is the youngest: glibc 2.27).
 */
const SYMBOLS = {
  /** `int *__errno_location(void);` */
  __errno_location: { parameters: [], result: "pointer" },
  /** `void *mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset);` */
  mmap: { parameters: ["pointer", "usize", "i32", "i32", "i32", "i64"], result: "pointer" },
  /** `int munmap(void *addr, size_t length);` */
  munmap: { parameters: ["pointer", "usize"], result: "i32" },
  /** `int close(int fd);` */
  close: { parameters: ["i32"], result: "i32" },
  /** `ssize_t read(int fd, void *buf, size_t count);` */
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  /** `ssize_t write(int fd, const void *buf, size_t count);` */
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  /** `int memfd_create(const char *name, unsigned int flags);` */
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
  /** `int eventfd(unsigned int initval, int flags);` */
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  /** `int epoll_create1(int flags);` */
  epoll_create1: { parameters: ["i32"], result: "i32" },
  /** `int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event);` */
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  /** `int epoll_wait(int epfd, struct epoll_event *events, int maxevents, int timeout);` */
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
  /** The same function on a helper thread: the one call that does not block JavaScript. */
  epoll_wait_elsewhere: {
    name: "epoll_wait",
    parameters: ["i32", "buffer", "i32", "i32"],
    result: "i32",
    nonblocking: true,
  },
  /** `long sysconf(int name);` */
  sysconf: { parameters: ["i32"], result: "i64" },
  /** `pid_t getpid(void);` */
  getpid: { parameters: [], result: "i32" },
  /** `int clock_gettime(clockid_t clockid, struct timespec *tp);` */
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  /** `long syscall(long number, ...);` with the arguments of `openat2` (Linux 5.6), which glibc has no name for */
  openat2: { name: "syscall", parameters: ["i64", "i32", "buffer", "buffer", "usize"], result: "i64" },
  /** `long syscall(long number, ...);` with the arguments of `perf_event_open`, which glibc has no name for */
  perf_event_open: { name: "syscall", parameters: ["i64", "buffer", "i32", "i32", "i32", "u64"], result: "i64" },
  /** `int capget(cap_user_header_t hdrp, cap_user_data_t datap);` a bare system call */
  capget: { parameters: ["buffer", "buffer"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

type LibcSymbols = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** Clocks of clock_gettime(2), include/uapi/linux/time.h. */
export const CLOCK = { REALTIME: 0, MONOTONIC: 1, BOOTTIME: 7 } as const;
/** A clock's number. */
export type ClockId = (typeof CLOCK)[keyof typeof CLOCK];

/** Capability numbers of include/uapi/linux/capability.h that tracing asks for. */
export const CAPABILITY = { SYS_PTRACE: 19, SYS_ADMIN: 21, PERFMON: 38, BPF: 39 } as const;

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;
const MFD_CLOEXEC = 1;
const EFD_CLOEXEC_NONBLOCK = 0o2000000 | 0o4000;
const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLLIN = 1;
const EPOLL_EVENT_BYTES_MAX = 16; // 12 packed on x86-64, 16 elsewhere
const SC_CLK_TCK = 2;
const SC_PAGESIZE = 30;
const LINUX_CAPABILITY_VERSION_3 = 0x2008_0522;
const NS_PER_MS = 1e6;
const AT_FDCWD = -100;

/** The same number on every architecture that came after 2011, and on x86-64 (include/uapi/asm-generic/unistd.h). */
const OPENAT2_NUMBER = 437n;
const O_PATH_CLOEXEC = 0o10000000n | 0o2000000n;
/** include/uapi/linux/openat2.h: RESOLVE_NO_MAGICLINKS, RESOLVE_IN_ROOT. */
const RESOLVE_WITHIN_ROOT = 0x02n | 0x10n;
const OPEN_HOW_BYTES = 24n;

/** arch/x86/entry/syscalls/syscall_64.tbl; include/uapi/asm-generic/unistd.h for arm64. */
const PERF_EVENT_OPEN_NUMBER = Deno.build.arch === "x86_64" ? 298n : 241n;
const PERF_ATTR_BYTES = 64; // PERF_ATTR_SIZE_VER0
const PERF_TYPE_SOFTWARE = 1; // and config 0 is PERF_COUNT_SW_CPU_CLOCK
/** Bits of perf_event_attr: exclude_idle, freq. */
const PERF_FLAGS = 1n << 7n | 1n << 10n;
const PERF_FLAG_FD_CLOEXEC = 8n;
const SC_NPROCESSORS_CONF = 83;

/** What a mapping is made of. */
export interface MapOptions {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly writable: boolean;
}

/** The libc calls a mapping needs; tests fake it. */
export interface MemoryMapper {
  readonly registry: OwnerRegistry;
  /** @throws {ForeignCallError} If the kernel refuses the mapping */
  map(fd: number, options: MapOptions): Deno.PointerObject;
  /** @throws {ForeignCallError} If the range was not a mapping */
  unmap(pointer: Deno.PointerObject, lengthBytes: number): void;
}

/** A descriptor that closes when disposed. */
export class OwnedFd implements Disposable {
  readonly #libc: Libc;
  readonly #release: () => void;
  #fd: number;

  constructor(libc: Libc, fd: number, what: string) {
    this.#libc = libc;
    this.#fd = fd;
    this.#release = libc.registry(what);
  }

  /** The number; -1 once closed. */
  get fd(): number {
    return this.#fd;
  }

  /** Gives the descriptor away: whoever has it now closes it. */
  giveAway(): void {
    if (this.#fd < 0) return;
    this.#fd = -1;
    this.#release();
  }

  [Symbol.dispose](): void {
    if (this.#fd < 0) return;
    const fd = this.#fd;
    this.#fd = -1;
    this.#release();
    this.#libc.close(fd);
  }
}

/** The opened C library. Close everything that came from it first. */
export class Libc implements MemoryMapper, Disposable {
  readonly registry: OwnerRegistry;
  readonly #library: Deno.DynamicLibrary<typeof SYMBOLS>;
  readonly #symbols: LibcSymbols;
  readonly #errno: Deno.UnsafePointerView;
  readonly #timespec = new BigInt64Array(2);
  /** The same memory as words: the low half of seconds first, that of nanoseconds third. */
  readonly #timespecWords = new Uint32Array(this.#timespec.buffer);
  #isClosed = false;

  constructor(library: Deno.DynamicLibrary<typeof SYMBOLS>, registry: OwnerRegistry) {
    this.#library = library;
    this.#symbols = library.symbols;
    this.registry = registry;
    const location = this.#symbols.__errno_location();
    if (location === null) throw new ForeignCallError("__errno_location", ERRNO.EFAULT);
    // SAFETY: the thread's own errno lives as long as the thread, and this object stays on it.
    this.#errno = new Deno.UnsafePointerView(location);
  }

  /** The error number of the last failed call on this thread; read it before anything else is called. */
  errno(): number {
    return this.#errno.getInt32();
  }

  map(fd: number, options: MapOptions): Deno.PointerObject {
    const protection = options.writable ? PROT_READ | PROT_WRITE : PROT_READ;
    const pointer = this.#symbols.mmap(
      null,
      BigInt(options.lengthBytes),
      protection,
      MAP_SHARED,
      fd,
      BigInt(options.offsetBytes),
    );
    if (pointer === null || Deno.UnsafePointer.value(pointer) === MAP_FAILED) {
      throw new ForeignCallError("mmap", this.errno(), { detail: `mapping ${options.lengthBytes} bytes of fd ${fd}` });
    }
    return pointer;
  }

  unmap(pointer: Deno.PointerObject, lengthBytes: number): void {
    this.#checked(this.#symbols.munmap(pointer, BigInt(lengthBytes)), "munmap");
  }

  /** @throws {ForeignCallError} If it was not open */
  close(fd: number): void {
    this.#checked(this.#symbols.close(fd), "close");
  }

  /**
   * Reads up to `into.length` bytes; 0 at the end.
   *
   * @throws {ForeignCallError} EINTR and EAGAIN are retried by the caller
   */
  read(fd: number, into: Uint8Array<ArrayBuffer>): number {
    return this.#checked(Number(this.#symbols.read(fd, into, BigInt(into.byteLength))), "read");
  }

  /** Reads from a non-blocking descriptor; 0 when there is nothing to read. @throws {ForeignCallError} */
  readIfAny(fd: number, into: Uint8Array<ArrayBuffer>): number {
    const result = Number(this.#symbols.read(fd, into, BigInt(into.byteLength)));
    if (result >= 0) return result;
    const errno = this.errno();
    if (errno === ERRNO.EAGAIN) return 0;
    throw new ForeignCallError("read", errno);
  }

  /** Writes some of `bytes`, and says how many. @throws {ForeignCallError} */
  write(fd: number, bytes: Uint8Array<ArrayBuffer>): number {
    return this.#checked(Number(this.#symbols.write(fd, bytes, BigInt(bytes.byteLength))), "write");
  }

  /** A file that exists in memory alone and holds `bytes`; `/proc/self/fd/N` names it. @throws {ForeignCallError} */
  memoryFile(name: string, bytes: Uint8Array<ArrayBuffer>): OwnedFd {
    const fd = this.#checked(this.#symbols.memfd_create(cString(name), MFD_CLOEXEC), "memfd_create");
    const file = new OwnedFd(this, fd, `memory file ${name}`);
    try {
      for (let written = 0; written < bytes.byteLength;) written += this.write(fd, bytes.subarray(written));
    } catch (cause) {
      file[Symbol.dispose]();
      throw cause;
    }
    return file;
  }

  /**
   * A hold on what `path` names, without opening it: no device is touched, no
   * pipe waits. `/proc/self/fd/N` names it from then on, whatever `path`
   * becomes. Yields `undefined` when it is gone, forbidden, or would lead out of `root`.
   *
   * @param options.root a directory that no part of `path`, and no link in it, leads out of
   */
  holdPath(path: string, options: { root?: string } = {}): OwnedFd | undefined {
    if (options.root === undefined) return this.#hold(AT_FDCWD, path, 0n);
    using root = this.#hold(AT_FDCWD, options.root, 0n);

    return root === undefined ? undefined : this.#hold(root.fd, path, RESOLVE_WITHIN_ROOT);
  }

  #hold(folderFd: number, path: string, resolve: bigint): OwnedFd | undefined {
    const how = new BigUint64Array([O_PATH_CLOEXEC, 0n, resolve]); // struct open_how { flags, mode, resolve }
    const fd = Number(this.#symbols.openat2(OPENAT2_NUMBER, folderFd, cString(path), how, OPEN_HOW_BYTES));
    return fd < 0 ? undefined : new OwnedFd(this, fd, `path ${path}`);
  }

  /** CPUs that may be there, online or not: their numbers are below this. */
  configuredCpuCount(): number {
    return Number(this.#symbols.sysconf(SC_NPROCESSORS_CONF));
  }

  /** A clock on one CPU that fires `perSecond` times a second, but for its idle task. @throws {ForeignCallError} */
  openCpuClock(cpu: number, options: { perSecond: number }): OwnedFd {
    const bytes = new Uint8Array(PERF_ATTR_BYTES);
    const attributes = new DataView(bytes.buffer); // struct perf_event_attr, include/uapi/linux/perf_event.h
    attributes.setUint32(0, PERF_TYPE_SOFTWARE, true);
    attributes.setUint32(4, PERF_ATTR_BYTES, true);
    attributes.setBigUint64(16, BigInt(options.perSecond), true);
    attributes.setBigUint64(40, PERF_FLAGS, true);
    const fd = this.#symbols.perf_event_open(PERF_EVENT_OPEN_NUMBER, bytes, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
    return new OwnedFd(this, this.#checked(Number(fd), "perf_event_open", `CPU ${cpu}`), `clock of CPU ${cpu}`);
  }

  /** A counter that wakes waiters; non-blocking. @throws {ForeignCallError} */
  eventFd(): OwnedFd {
    return new OwnedFd(this, this.#checked(this.#symbols.eventfd(0, EFD_CLOEXEC_NONBLOCK), "eventfd"), "eventfd");
  }

  /** @throws {ForeignCallError} */
  epollCreate(): OwnedFd {
    return new OwnedFd(this, this.#checked(this.#symbols.epoll_create1(EPOLL_CLOEXEC), "epoll_create1"), "epoll");
  }

  /** Adds `fd` to the set, level-triggered, for reading. @throws {ForeignCallError} */
  epollAdd(epollFd: number, fd: number): void {
    const event = new Uint8Array(EPOLL_EVENT_BYTES_MAX);
    const view = new DataView(event.buffer);
    view.setUint32(0, EPOLLIN, true);
    // struct epoll_event is packed on x86-64 only (include/uapi/linux/eventpoll.h).
    view.setInt32(Deno.build.arch === "x86_64" ? 4 : 8, fd, true);
    this.#checked(this.#symbols.epoll_ctl(epollFd, EPOLL_CTL_ADD, fd, event), "epoll_ctl", `adding fd ${fd}`);
  }

  /** How many descriptors are readable right now. `events` holds 16 bytes for each. @throws {ForeignCallError} */
  epollPoll(epollFd: number, events: Uint8Array<ArrayBuffer>): number {
    const countMax = Math.floor(events.byteLength / EPOLL_EVENT_BYTES_MAX);
    return this.#checked(this.#symbols.epoll_wait(epollFd, events, countMax, 0), "epoll_wait");
  }

  /**
   * Waits on a helper thread; negative when it failed there, where errno cannot
   * be read from here: ask `epollPoll`, which fails alike unless it was EINTR.
   *
   * The caller keeps `events` in a field until the promise settles.
   */
  epollWait(epollFd: number, events: Uint8Array<ArrayBuffer>, options: { timeoutMs: number }): Promise<number> {
    const countMax = Math.floor(events.byteLength / EPOLL_EVENT_BYTES_MAX);
    return this.#symbols.epoll_wait_elsewhere(epollFd, events, countMax, options.timeoutMs);
  }

  /** Bytes of a memory page. */
  pageBytes(): number {
    return Number(this.#symbols.sysconf(SC_PAGESIZE));
  }

  /** Ticks per second of the times in /proc/PID/stat. */
  clockTicksPerSecond(): number {
    return Number(this.#symbols.sysconf(SC_CLK_TCK));
  }

  /** This process, in its own pid namespace. */
  processId(): number {
    return this.#symbols.getpid();
  }

  /** Milliseconds of `clock`, fractional. @throws {ForeignCallError} */
  clockMs(clock: ClockId): number {
    this.#checked(this.#symbols.clock_gettime(clock, this.#timespec), "clock_gettime");
    // Low halves alone: seconds fit until 2106, and a BigInt costs more than the call.
    const words = this.#timespecWords;
    return (words[0] ?? 0) * 1000 + (words[2] ?? 0) / NS_PER_MS;
  }

  /** Nanoseconds of `clock`; for bounds the kernel compares with. @throws {ForeignCallError} */
  clockNs(clock: ClockId): bigint {
    this.#checked(this.#symbols.clock_gettime(clock, this.#timespec), "clock_gettime");
    return (this.#timespec[0] ?? 0n) * 1_000_000_000n + (this.#timespec[1] ?? 0n);
  }

  /** Bit n is set when this process has capability n in effect (`CAPABILITY`). @throws {ForeignCallError} */
  effectiveCapabilities(): bigint {
    // struct __user_cap_header_struct { u32 version; int pid; }, then two
    // { u32 effective, permitted, inheritable }: low half first.
    const header = new Uint32Array([LINUX_CAPABILITY_VERSION_3, 0]);
    const data = new Uint32Array(6);
    this.#checked(this.#symbols.capget(header, data), "capget");
    return BigInt(data[0] ?? 0) | (BigInt(data[3] ?? 0) << 32n);
  }

  /** For functions that return -1 and leave the reason in errno. */
  #checked(result: number, symbol: string, detail?: string): number {
    if (result >= 0) return result;
    const errno = this.errno();
    throw new ForeignCallError(symbol, errno, detail === undefined ? {} : { detail });
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#library.close();
  }
}

/** `text` as C wants it: UTF-8, ended by NUL. Keep it referenced while C may read it. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}

/**
 * The C library of this process.
 *
 * @throws {EngineError} `library_missing` on anything but glibc
 */
export function openLibc(options: { registry?: OwnerRegistry } = {}): Libc {
  const path = "libc.so.6";
  let library: Deno.DynamicLibrary<typeof SYMBOLS>;
  try {
    library = Deno.dlopen(path, SYMBOLS);
  } catch (cause) {
    throw new EngineError("library_missing", `Cannot open ${path}: ${messageOf(cause)}, wanted glibc 2.27 or later`, {
      cause,
    });
  }
  return new Libc(library, options.registry ?? NO_REGISTRY);
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
