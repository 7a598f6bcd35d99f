/**
 * A read-only view of one proc file system, the running one or a mounted
 * host's. Nothing is cached. A process that is gone is `undefined`; one that
 * may not be looked into is an `EngineError` that says what is missing.
 *
 * @module
 */

import { EngineError } from "../api/errors.ts";
import { type ProcessId, toProcessId } from "../api/units.ts";
import { splitBeneath } from "./beneath.ts";
import { errorCode, listEntries, orUndefinedWhenGone, readLink, readText } from "./host_files.ts";
import {
  type CgroupLine,
  type IoCounters,
  type MemoryMapping,
  parseBootWallMs,
  parseCgroupLines,
  parseCommandLine,
  parseCpuCount,
  parseIo,
  parseLoadAverage,
  parseMappings,
  parseMemoryInfo,
  parseNamespaceLink,
  parseSchedStat,
  parseStat,
  parseStatus,
  parseUptimeMs,
  type ProcessStat,
  type ProcessStatus,
  type SchedStat,
  toCount,
} from "./procfs_parsers.ts";
import {
  type InternetSocket,
  type InternetTable,
  parseInternetSockets,
  parseUnixSockets,
  type UnixSocket,
} from "./socket_tables.ts";

/** Command lines are for people; the kernel would hand out up to 2 MiB. */
const COMMAND_LINE_BYTES_MAX = 4096;

/** 30 000 mappings, half of `vm.max_map_count`. */
const MAPPINGS_BYTES_MAX = 4 * 1024 * 1024;

/** 100 000 sockets of 150 bytes; listening ones come first in the kernel's tables. */
const SOCKET_TABLE_BYTES_MAX = 16 * 1024 * 1024;

/** A lock word, or the descriptor list of a poll. */
const MEMORY_READ_BYTES_MAX = 64 * 1024;

/** Above this no user address exists on x86-64 or arm64, and seeking would turn negative. */
const USER_ADDRESS_MAX = 0x00ff_ffff_ffff_ffffn;

/** Kinds of namespaces we compare. */
export type NamespaceKind = "cgroup" | "mnt" | "net" | "pid" | "user";
/** What the kernel keeps pressure of. */
export type PressureResource = "cpu" | "io" | "memory";

/** Who was whose child at the moment `ProcFs.processTree` looked. */
export class ProcessTree {
  readonly #childrenByParent: ReadonlyMap<number, readonly ProcessId[]>;

  /** @param childrenByParent ids of children, ascending, by their parent's */
  constructor(childrenByParent: ReadonlyMap<number, readonly ProcessId[]>) {
    this.#childrenByParent = childrenByParent;
  }

  /** Processes whose parent is `processId`, ascending. */
  childIds(processId: number): readonly ProcessId[] {
    return this.#childrenByParent.get(processId) ?? [];
  }

  /** Children and theirs, parents first; orphans have another parent and are not among them. */
  descendantIds(processId: number): readonly ProcessId[] {
    const found = new Set<ProcessId>(this.childIds(processId));
    for (const id of found) {
      for (const childId of this.childIds(id)) found.add(childId);
    }
    return [...found].filter((id) => id !== processId); // ids reused while we read can close a ring
  }
}

/** One mounted proc file system. */
export class ProcFs {
  /** Where it is mounted. */
  readonly root: string;

  /** @param root where it is mounted */
  constructor(root = "/proc") {
    this.root = root;
  }

  /** Ids of all processes, ascending. */
  processIds(): readonly ProcessId[] {
    return numericNames(listEntries(this.root) ?? []).map((id) => toProcessId(id));
  }

  /** Whether `id` is a process's: ids of threads answer below /proc too, but are none. */
  exists(id: number): boolean {
    return this.status(id)?.processId === id;
  }

  /** Our own id in this view's pid namespace; `undefined` when we are not in it. */
  ownProcessId(): ProcessId | undefined {
    const id = toCount(readLink(`${this.root}/self`));
    return id === undefined || id === 0 ? undefined : toProcessId(id);
  }

  /** Ids of the threads of a process, ascending. */
  threadIds(processId: number): readonly number[] | undefined {
    const entries = listEntries(this.#path(processId, "task"));
    return entries === undefined ? undefined : numericNames(entries);
  }

  /** Totals of the process, or of its one thread `threadId`. */
  stat(processId: number, options: { threadId?: number } = {}): ProcessStat | undefined {
    return this.#parsed(this.#taskPath(processId, { ...options, file: "stat" }), parseStat);
  }

  /** Of a process, or of a thread by its id. */
  status(id: number): ProcessStatus | undefined {
    return this.#parsed(this.#path(id, "status"), parseStatus);
  }

  /** Name of the main thread, or of `threadId`; up to 15 bytes, not sanitised. */
  command(processId: number, options: { threadId?: number } = {}): string | undefined {
    return readText(this.#taskPath(processId, { ...options, file: "comm" }))?.replace(/\n$/, "");
  }

  /** Arguments, the first `COMMAND_LINE_BYTES_MAX` bytes of them, not sanitised. */
  commandLine(processId: number): readonly string[] | undefined {
    return this.#parsed(this.#path(processId, "cmdline"), parseCommandLine, COMMAND_LINE_BYTES_MAX);
  }

  /** Whether any thread of the process still lives: others go on when the main one has ended (a zombie then). */
  isAlive(processId: number): boolean {
    if (!hasEnded(this.stat(processId))) return true;
    const threadIds = this.threadIds(processId) ?? [];
    return threadIds.some((threadId) => threadId !== processId && !hasEnded(this.stat(processId, { threadId })));
  }

  /** Who is whose child now. Reads every process once, so ask once for however many roots there are. */
  processTree(): ProcessTree {
    return new ProcessTree(this.#childrenByParent());
  }

  /** Of the main thread, or of `threadId`: the kernel keeps no sum over threads. */
  schedStat(processId: number, options: { threadId?: number } = {}): SchedStat | undefined {
    return this.#parsed(this.#taskPath(processId, { ...options, file: "schedstat" }), parseSchedStat);
  }

  /** Which group of every hierarchy it is in. */
  cgroupLines(processId: number): readonly CgroupLine[] | undefined {
    return this.#parsed(this.#path(processId, "cgroup"), parseCgroupLines);
  }

  /** What it read and wrote since it began. */
  io(processId: number): IoCounters | undefined {
    return this.#parsed(this.#path(processId, "io"), parseIo);
  }

  /** Inode of a namespace; two processes share it when the numbers are equal. A zombie has none. */
  namespaceInode(processId: number, kind: NamespaceKind): number | undefined {
    const link = readLink(this.#path(processId, `ns/${kind}`));
    return link === undefined ? undefined : parseNamespaceLink(link);
  }

  /** As `namespaceInode`, of our own pid namespace; `undefined` when we are not in this view. */
  ownPidNamespaceInode(): number | undefined {
    const link = orUndefinedWhenDenied(() => readLink(`${this.root}/self/ns/pid`));
    return link === undefined ? undefined : parseNamespaceLink(link);
  }

  /** One socket table of the network namespace of `processId`. */
  internetSockets(processId: number, table: InternetTable): readonly InternetSocket[] | undefined {
    return this.#parsed(this.#path(processId, `net/${table}`), parseInternetSockets, SOCKET_TABLE_BYTES_MAX);
  }

  /** Unix sockets of the network namespace of `processId`. */
  unixSockets(processId: number): readonly UnixSocket[] | undefined {
    return this.#parsed(this.#path(processId, "net/unix"), parseUnixSockets, SOCKET_TABLE_BYTES_MAX);
  }

  /** Open descriptors and what they point at: a path, or "socket:[123]"; not sanitised. */
  descriptors(processId: number): ReadonlyMap<number, string> | undefined {
    const directory = this.#path(processId, "fd");
    const entries = listEntries(directory);
    if (entries === undefined) return undefined;
    const links = new Map<number, string>();
    for (const fd of numericNames(entries)) {
      const link = readLink(`${directory}/${fd}`);
      if (link !== undefined) links.set(fd, link);
    }
    return links;
  }

  /** What is mapped where, ascending. */
  mappings(processId: number): readonly MemoryMapping[] | undefined {
    return this.#parsed(this.#path(processId, "maps"), parseMappings, MAPPINGS_BYTES_MAX);
  }

  /**
   * Yields `lengthBytes` bytes at `address` of another process, or
   * `undefined` when process or mapping is gone.
   *
   * @throws {RangeError} If `lengthBytes` is not from 1 to 65536
   * @throws {EngineError} `capability_missing` without the right to look into it
   */
  readProcessMemory(
    processId: number,
    options: { address: bigint; lengthBytes: number },
  ): Uint8Array | undefined {
    const { address, lengthBytes } = options;
    if (!Number.isInteger(lengthBytes) || lengthBytes < 1 || lengthBytes > MEMORY_READ_BYTES_MAX) {
      throw new RangeError(`Cannot read ${lengthBytes} bytes of a process: wanted 1 to ${MEMORY_READ_BYTES_MAX}`);
    }
    if (address < 0n || address + BigInt(lengthBytes) > USER_ADDRESS_MAX) return undefined;
    const path = this.#path(processId, "mem");
    return orUndefinedWhenGone(path, () => {
      using file = Deno.openSync(path);

      file.seekSync(address, Deno.SeekMode.Start);
      return readExactly(file, lengthBytes);
    });
  }

  /** Figures of `/proc/meminfo` in bytes. */
  memoryInfo(): ReadonlyMap<string, number> | undefined {
    return this.#parsed(`${this.root}/meminfo`, parseMemoryInfo);
  }

  /** Over 1, 5 and 15 minutes. */
  loadAverage(): readonly [number, number, number] | undefined {
    return this.#parsed(`${this.root}/loadavg`, parseLoadAverage);
  }

  /** CPUs that are online. */
  cpuCount(): number | undefined {
    return this.#parsed(`${this.root}/stat`, parseCpuCount, SOCKET_TABLE_BYTES_MAX);
  }

  /** When the machine started, unix time to the second. */
  bootWallMs(): number | undefined {
    return this.#parsed(`${this.root}/stat`, parseBootWallMs, SOCKET_TABLE_BYTES_MAX);
  }

  /** Milliseconds since boot. */
  uptimeMs(): number | undefined {
    return this.#parsed(`${this.root}/uptime`, parseUptimeMs);
  }

  /** Text of a kernel setting, `kernel.bpf_stats_enabled` for one; `undefined` when this kernel lacks it. */
  sysctl(name: string): string | undefined {
    return readText([this.root, "sys", ...splitBeneath(name.replaceAll(".", "/"))].join("/"))?.trim();
  }

  /** What the kernel accounts for the BPF map behind our descriptor `fd`. */
  mapMemoryBytes(fd: number): number | undefined {
    const match = /^memlock:\s*(\d+)$/m.exec(readText(`${this.root}/self/fdinfo/${fd}`) ?? "");
    return match === null ? undefined : Number(match[1]);
  }

  /** Mounts as process `id` sees them, ourselves by default. */
  mountInfo(id: number | "self" = "self"): string | undefined {
    return readText(`${this.root}/${id}/mountinfo`, { bytesMax: MAPPINGS_BYTES_MAX });
  }

  /** Text of the whole machine's pressure; `undefined` where the kernel keeps none. */
  pressure(resource: PressureResource): string | undefined {
    return orUndefinedWhenUnsupported(() => readText(`${this.root}/pressure/${resource}`));
  }

  /** Our own status, whatever pid namespace this view belongs to, as long as we are in it. */
  ownStatus(): ProcessStatus | undefined {
    return this.#parsed(`${this.root}/self/status`, parseStatus);
  }

  /** What this program has used so far: processor time to 10 ms, and resident memory. */
  ownUsage(): { readonly cpuMs: number; readonly residentBytes: number } | undefined {
    const stat = this.#parsed(`${this.root}/self/stat`, parseStat);
    if (stat === undefined) return undefined;
    return { cpuMs: stat.userMs + stat.systemMs, residentBytes: Deno.memoryUsage().rss };
  }

  #childrenByParent(): ReadonlyMap<number, readonly ProcessId[]> {
    const children = new Map<number, ProcessId[]>();
    for (const id of this.processIds()) {
      const parentId = this.stat(id)?.parentProcessId;
      if (parentId === undefined || parentId === 0) continue;
      const siblings = children.get(parentId);
      if (siblings === undefined) children.set(parentId, [id]);
      else siblings.push(id);
    }
    return children;
  }

  #path(id: number, file: string): string {
    return `${this.root}/${id}/${file}`;
  }

  #taskPath(processId: number, options: { threadId?: number; file: string }): string {
    const { threadId, file } = options;
    return this.#path(processId, threadId === undefined ? file : `task/${threadId}/${file}`);
  }

  #parsed<T>(path: string, parse: (text: string) => T | undefined, bytesMax?: number): T | undefined {
    const text = readText(path, bytesMax === undefined ? {} : { bytesMax });
    return text === undefined ? undefined : parse(text);
  }
}

/** As `read`, with `undefined` for what may not be looked into. */
export function orUndefinedWhenDenied<T>(read: () => T | undefined): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof EngineError && error.code === "capability_missing") return undefined;
    throw error;
  }
}

/** Pressure files exist with `psi=0` too, but then cannot be opened (EOPNOTSUPP, kernel/sched/psi.c). */
export function orUndefinedWhenUnsupported<T>(read: () => T | undefined): T | undefined {
  try {
    return read();
  } catch (error) {
    const code = errorCode(error);
    if (code === "EOPNOTSUPP" || code === "ENOTSUP") return undefined;
    throw error;
  }
}

function hasEnded(stat: ProcessStat | undefined): boolean {
  return stat === undefined || stat.state === "Z" || stat.state === "X";
}

function numericNames(entries: readonly { readonly name: string }[]): readonly number[] {
  return entries
    .map((entry) => toCount(entry.name))
    .filter((id) => id !== undefined)
    .sort((left, right) => left - right);
}

/** Memory that is not mapped reads as EIO, a process without memory as end of file. */
function readExactly(file: Deno.FsFile, lengthBytes: number): Uint8Array | undefined {
  const buffer = new Uint8Array(lengthBytes);
  let length = 0;
  while (length < lengthBytes) {
    let count: number | null;
    try {
      count = file.readSync(buffer.subarray(length));
    } catch (error) {
      if (errorCode(error) === "EIO") return undefined;
      throw error;
    }
    if (count === null || count === 0) return undefined;
    length += count;
  }
  return buffer;
}
