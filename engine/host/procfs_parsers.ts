/**
 * The text forms of /proc, one pure parser each. A malformed file yields
 * `undefined`, a malformed line is left out; nothing is guessed. Names are as
 * the kernel holds them: not sanitised.
 *
 * @module
 */

/** Ticks per second in what the kernel shows to user space (USER_HZ), on every architecture we run on. */
const TICKS_PER_SECOND = 100;

/** `PF_KTHREAD`, include/linux/sched.h. */
const KERNEL_THREAD_FLAG = 0x0020_0000;

/** `/proc/PID/stat`, the fields we use (fs/proc/array.c, do_task_stat). */
export interface ProcessStat {
  /** Of the process or thread. */
  readonly id: number;
  /** `comm`, not sanitised. */
  readonly command: string;
  /** One letter: R S D T t Z X I. */
  readonly state: string;
  /** 0: none, or outside of our pid namespace. */
  readonly parentProcessId: number;
  /** It has no program. */
  readonly isKernelThread: boolean;
  /** To 10 ms. */
  readonly userMs: number;
  /** To 10 ms. */
  readonly systemMs: number;
  /** Threads of its process. */
  readonly threadCount: number;
  /** Since boot, 100 per second; with the id, names a process for good. */
  readonly startTicks: number;
}

/** `/proc/PID/status`, the lines we use. */
export interface ProcessStatus {
  /** Newline and backslash escaped by the kernel. */
  readonly name: string;
  /** Tgid: differs from the id asked for when that is a thread's. */
  readonly processId: number;
  /** 0: none, or outside of our pid namespace. */
  readonly parentProcessId: number;
  /** Its id in every pid namespace from ours inwards. */
  readonly namespaceIds: readonly number[];
  /** Whose rights it has; `undefined`: not said. */
  readonly effectiveUserId: number | undefined;
  /** Bit n: capability n of include/uapi/linux/capability.h. */
  readonly effectiveCapabilities: bigint;
}

/** `/proc/PID/schedstat`: the scheduler's own account of one thread. */
export interface SchedStat {
  /** Since it was born. */
  readonly onCpuNs: number;
  /** Time it waited for a CPU since it was born. */
  readonly runDelayNs: number;
}

/** One line of `/proc/PID/cgroup`. */
export interface CgroupLine {
  /** 0: v2. */
  readonly hierarchyId: number;
  /** Empty for v2; "name=systemd" is one. */
  readonly controllers: readonly string[];
  /** As seen from the reader's cgroup namespace. */
  readonly path: string;
}

/** One line of `/proc/PID/maps`. */
export interface MemoryMapping {
  /** First address of it. */
  readonly begin: bigint;
  /** First address after it. */
  readonly end: bigint;
  /** As the kernel prints them: "r-xp". */
  readonly permissions: string;
  /** In bytes. */
  readonly fileOffset: bigint;
  /** Of the mapped file; 0: none. */
  readonly inode: number;
  /** "" anonymous, "[heap]" and the like, or a file's. */
  readonly path: string;
}

/** `/proc/PID/io`. */
export interface IoCounters {
  /** Bytes of read calls, cached ones included. */
  readonly readCharCount: number;
  /** Bytes of write calls. */
  readonly writeCharCount: number;
  /** From storage. */
  readonly readBytes: number;
  /** To storage. */
  readonly writeBytes: number;
}

/**
 * Parses `/proc/PID/stat`. The command may hold anything, ") " and newlines
 * included, but nothing after it holds a parenthesis: the last one ends it.
 */
export function parseStat(text: string): ProcessStat | undefined {
  const open = text.indexOf("(");
  const close = text.lastIndexOf(") ");
  if (open < 1 || close <= open) return undefined;
  const fields = text.slice(close + 2).trim().split(" ");
  const state = fields[0] ?? "";
  const numbers = [text.slice(0, open).trim(), fields[1], fields[6], fields[11], fields[12], fields[17], fields[19]]
    .map(toCount);
  const [id, parentProcessId, flags, userTicks, systemTicks, threadCount, startTicks] = numbers;
  if (
    !/^[A-Za-z]$/.test(state) || id === undefined || parentProcessId === undefined || flags === undefined ||
    userTicks === undefined || systemTicks === undefined || threadCount === undefined || startTicks === undefined
  ) return undefined;
  return {
    id,
    command: text.slice(open + 1, close),
    state,
    parentProcessId,
    isKernelThread: (flags & KERNEL_THREAD_FLAG) !== 0,
    userMs: userTicks * 1000 / TICKS_PER_SECOND,
    systemMs: systemTicks * 1000 / TICKS_PER_SECOND,
    threadCount,
    startTicks,
  };
}

/** Parses `/proc/PID/status`; `undefined` when a line we need is missing. */
export function parseStatus(text: string): ProcessStatus | undefined {
  const fields = parseColonLines(text);
  const name = fields.get("Name");
  const processId = toCount(fields.get("Tgid"));
  const parentProcessId = toCount(fields.get("PPid"));
  const capabilities = fields.get("CapEff") ?? "";
  if (
    name === undefined || processId === undefined || parentProcessId === undefined ||
    !/^[0-9a-f]{1,16}$/.test(capabilities)
  ) return undefined;
  const namespaceIds = (fields.get("NSpid") ?? "").split(/\s+/).map(toCount).filter((id) => id !== undefined);
  return {
    name,
    processId,
    parentProcessId,
    namespaceIds,
    effectiveUserId: toCount((fields.get("Uid") ?? "").split(/\s+/)[1]),
    effectiveCapabilities: BigInt(`0x${capabilities}`),
  };
}

/** Parses `/proc/PID/schedstat`. */
export function parseSchedStat(text: string): SchedStat | undefined {
  const [onCpuNs, runDelayNs] = text.trim().split(/\s+/).map(toCount);
  return onCpuNs === undefined || runDelayNs === undefined ? undefined : { onCpuNs, runDelayNs };
}

/** Parses `/proc/PID/cgroup`; the path may contain colons. */
export function parseCgroupLines(text: string): readonly CgroupLine[] {
  const lines: CgroupLine[] = [];
  for (const line of text.split("\n")) {
    const match = /^(\d+):([^:]*):(\/.*)$/.exec(line);
    const hierarchyId = toCount(match?.[1]);
    if (match === null || hierarchyId === undefined) continue;
    const controllers = (match[2] ?? "").split(",").filter((name) => name !== "");
    lines.push({ hierarchyId, controllers, path: match[3] ?? "/" });
  }
  return lines;
}

/** Splits `/proc/PID/cmdline`; a kernel thread or a zombie has none. */
export function parseCommandLine(text: string): readonly string[] {
  if (text === "") return [];
  return (text.endsWith("\0") ? text.slice(0, -1) : text).split("\0");
}

/** Parses `/proc/PID/maps`, ascending as the kernel lists them. */
export function parseMappings(text: string): readonly MemoryMapping[] {
  const mappings: MemoryMapping[] = [];
  for (const line of text.split("\n")) {
    const match = /^([0-9a-f]{1,16})-([0-9a-f]{1,16}) (\S{4}) ([0-9a-f]{1,16}) [0-9a-f]+:[0-9a-f]+ (\d+) *(.*)$/.exec(
      line,
    );
    if (match === null) continue;
    mappings.push({
      begin: BigInt(`0x${match[1]}`),
      end: BigInt(`0x${match[2]}`),
      permissions: match[3] ?? "",
      fileOffset: BigInt(`0x${match[4]}`),
      inode: Number(match[5]),
      path: match[6] ?? "",
    });
  }
  return mappings;
}

/** Parses `/proc/PID/io`. */
export function parseIo(text: string): IoCounters | undefined {
  const fields = parseColonLines(text);
  const readCharCount = toCount(fields.get("rchar"));
  const writeCharCount = toCount(fields.get("wchar"));
  const readBytes = toCount(fields.get("read_bytes"));
  const writeBytes = toCount(fields.get("write_bytes"));
  if (
    readCharCount === undefined || writeCharCount === undefined || readBytes === undefined || writeBytes === undefined
  ) return undefined;
  return { readCharCount, writeCharCount, readBytes, writeBytes };
}

/** Yields the figures of `/proc/meminfo` in bytes, by their names there. */
export function parseMemoryInfo(text: string): ReadonlyMap<string, number> {
  const figures = new Map<string, number>();
  for (const [name, value] of parseColonLines(text)) {
    const match = /^(\d+)( kB)?$/.exec(value);
    const amount = toCount(match?.[1]);
    if (amount !== undefined) figures.set(name, match?.[2] === undefined ? amount : amount * 1024);
  }
  return figures;
}

/** Yields the load averages over 1, 5 and 15 minutes. */
export function parseLoadAverage(text: string): readonly [number, number, number] | undefined {
  const match = /^(\d+\.\d+) (\d+\.\d+) (\d+\.\d+) /.exec(text);
  return match === null ? undefined : [Number(match[1]), Number(match[2]), Number(match[3])];
}

/** Counts the per-CPU lines of `/proc/stat`: CPUs that are online. */
export function parseCpuCount(statText: string): number | undefined {
  const count = statText.match(/^cpu\d+ /gm)?.length ?? 0;
  return count === 0 ? undefined : count;
}

/** Yields when the machine started, unix time to the second, from `/proc/stat`. */
export function parseBootWallMs(statText: string): number | undefined {
  const seconds = toCount(/^btime (\d+)$/m.exec(statText)?.[1]);
  return seconds === undefined ? undefined : seconds * 1000;
}

/** Parses `/proc/uptime`: milliseconds since boot. */
export function parseUptimeMs(text: string): number | undefined {
  const match = /^(\d+\.\d+) /.exec(text);
  return match === null ? undefined : Number(match[1]) * 1000;
}

/** Yields the inode of a namespace link such as `net:[4026531840]`. */
export function parseNamespaceLink(text: string): number | undefined {
  return toCount(/^[a-z_]+:\[(\d+)\]$/.exec(text)?.[1]);
}

/** Yields a non-negative integer written in decimal digits and nothing else. */
export function toCount(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,20}$/.test(text)) return undefined;
  return Number(text);
}

function parseColonLines(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return fields;
}
