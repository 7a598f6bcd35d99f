/**
 * `/tmp/perf-PID.map` of live processes: the names of code they made
 * themselves. The folder is everybody's, so a file counts only when it is the
 * process's own.
 *
 * @module
 */

import { PERF_MAP_BYTES_MAX, PERF_MAPS_MAX } from "../api/limits.ts";
import { PerfMap } from "../symbols/perf_map.ts";
import { orUndefinedWhenDenied, type ProcFs } from "./procfs.ts";
import { HeldFile, type PathHolder } from "./symbol_files.ts";

/** `S_IWOTH`: anybody may write. */
const WRITABLE_BY_ALL = 0o002;

/** Boot time is known to the second, process starts to 10 ms. */
const START_MS_SLACK = 2000;

const READ_BYTES = 1024 * 1024;
const TICK_MS = 10;

interface KnownMap {
  readonly file: string;
  readonly map: PerfMap;
  readonly decoder: TextDecoder;
  readBytes: number;
}

/** Keeps what was read of each process's file and reads on where it ended. */
export class PerfMapFiles {
  readonly #procFs: ProcFs;
  readonly #holder: PathHolder;
  /** By process; oldest first. */
  readonly #known = new Map<number, KnownMap>();
  #evictedCount = 0;

  constructor(procFs: ProcFs, holder: PathHolder) {
    this.#procFs = procFs;
    this.#holder = holder;
  }

  /** Maps that had to make room for others. */
  get evictedCount(): number {
    return this.#evictedCount;
  }

  /** Yields what `processId` has written by now; `undefined` when it writes none, or somebody else does. */
  of(processId: number): PerfMap | undefined {
    using file = orUndefinedWhenDenied(() => this.#open(processId));

    if (file === undefined) return undefined;
    const { device, inode, sizeBytes } = file.identity;
    const name = `${device}:${inode}`;
    let known = this.#known.get(processId);
    if (known === undefined || known.file !== name || sizeBytes < known.readBytes) {
      known = { file: name, map: new PerfMap(), decoder: new TextDecoder(), readBytes: 0 };
      this.#keep(processId, known);
    }
    const end = Math.min(sizeBytes, PERF_MAP_BYTES_MAX);
    while (known.readBytes < end) {
      const bytes = file.read(known.readBytes, Math.min(READ_BYTES, end - known.readBytes));
      if (bytes.length === 0) break;
      known.readBytes += bytes.length;
      known.map.append(known.decoder.decode(bytes, { stream: true }));
    }
    return known.map;
  }

  #open(processId: number): HeldFile | undefined {
    const status = this.#procFs.status(processId);
    const stat = this.#procFs.stat(processId);
    const ownId = status?.namespaceIds.at(-1);
    if (status === undefined || stat === undefined || ownId === undefined) return undefined;
    const root = `${this.#procFs.root}/${processId}/root`;
    const file = HeldFile.open(this.#holder, `/tmp/perf-${ownId}.map`, { root });
    if (file === undefined) return undefined;
    const { ownerId, mode, changedMs } = file.identity;
    const isOwn = ownerId === status.effectiveUserId && (mode & WRITABLE_BY_ALL) === 0;
    // One left by an earlier process of the same id was not written since this one began.
    const startedMs = (this.#procFs.bootWallMs() ?? 0) + stat.startTicks * TICK_MS;
    if (isOwn && changedMs >= startedMs - START_MS_SLACK) return file;
    file[Symbol.dispose]();
    return undefined;
  }

  #keep(processId: number, known: KnownMap): void {
    this.#known.delete(processId);
    this.#known.set(processId, known);
    const oldest = this.#known.keys().next();
    if (this.#known.size <= PERF_MAPS_MAX || oldest.done === true) return;
    this.#known.delete(oldest.value);
    this.#evictedCount++;
  }
}
