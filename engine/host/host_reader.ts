/**
 * What the engine asks the host beside the tracer, answered from /proc and
 * cgroupfs. Every answer is of the moment; only symbol tables of files are kept.
 *
 * @module
 */

import type { CgroupReading, HostReader, OwnUse, ProcessReading } from "../api/host_reader.ts";
import type { PressureMeasurement, StackFrame } from "../api/measurements.ts";
import { describeAddresses } from "../symbols/stack_frames.ts";
import { type CgroupFs, openCgroupFs, readHostPressure } from "./cgroupfs.ts";
import type { HostView } from "./container_resolution.ts";
import { orUndefinedWhenDenied, ProcFs } from "./procfs.ts";
import { type Architecture, systemCallName } from "./system_calls.ts";
import type { PathHolder } from "./symbol_files.ts";
import { SymbolLookup } from "./symbol_lookup.ts";

/** Where a host's file systems are found; the running one's by default. */
export interface HostPaths {
  /** Where the host's proc file system is mounted. */
  readonly procPath?: string;
  /** Put before every cgroup mount point, when the host's root is mounted there. */
  readonly rootPath?: string;
}

/** Opens the views that target resolution needs. */
export function openHostView(paths: HostPaths = {}): HostView {
  const procFs = new ProcFs(paths.procPath);
  const cgroupFs = openCgroupFs(procFs, paths.rootPath === undefined ? {} : { rootPath: paths.rootPath });
  return { procFs, cgroupFs };
}

/**
 * Yields a reader that looks anew for every answer.
 *
 * @param options.architecture whose system calls are named
 * @param options.paths opens the files of traced processes; without it no function on a stack has a name
 */
export function createHostReader(
  host: HostView,
  options: { architecture: Architecture; paths?: PathHolder | undefined },
): HostReader {
  return new LiveHostReader(host, options);
}

class LiveHostReader implements HostReader {
  readonly cpuCount: number;
  readonly #procFs: ProcFs;
  readonly #cgroupFs: CgroupFs;
  readonly #architecture: Architecture;
  readonly #symbols: SymbolLookup | undefined;

  constructor(host: HostView, { architecture, paths }: { architecture: Architecture; paths?: PathHolder | undefined }) {
    this.#procFs = host.procFs;
    this.#cgroupFs = host.cgroupFs;
    this.#architecture = architecture;
    this.#symbols = paths === undefined ? undefined : new SymbolLookup(host.procFs, paths);
    this.cpuCount = host.procFs.cpuCount() ?? 1;
  }

  process(processId: number): ProcessReading | undefined {
    const stat = this.#procFs.stat(processId);
    if (stat === undefined) return undefined;
    const commandLine = orUndefinedWhenDenied(() => this.#procFs.commandLine(processId)) ?? [];
    return { parentProcessId: stat.parentProcessId, command: stat.command, commandLine };
  }

  cgroup(path: string, memberId?: number): CgroupReading | undefined {
    return this.#cgroupFs.read(path, this.#procFs, { memberId });
  }

  cgroupPathOf(processId: number): string | undefined {
    const lines = this.#procFs.cgroupLines(processId);
    return lines === undefined ? undefined : this.#cgroupFs.accountDirectoryOf(lines);
  }

  pressure(): PressureMeasurement | undefined {
    return readHostPressure(this.#procFs);
  }

  ownUse(): OwnUse {
    const usage = this.#procFs.ownUsage();
    return { cpuMs: usage?.cpuMs ?? 0, memoryBytes: usage?.residentBytes ?? 0 };
  }

  systemCallName(systemCall: number): string | undefined {
    return systemCallName(systemCall, this.#architecture);
  }

  describeStack(processId: number, addresses: readonly bigint[]): readonly StackFrame[] {
    if (this.#symbols !== undefined) return this.#symbols.describe(processId, addresses);
    const mappings = orUndefinedWhenDenied(() => this.#procFs.mappings(processId)) ?? [];
    return describeAddresses(addresses, mappings, () => undefined);
  }
}
