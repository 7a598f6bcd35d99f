/**
 * Files of traced processes, opened so that the process cannot choose which:
 * held first without being opened, looked at, and opened only when it is a
 * plain file.
 *
 * @module
 */

import { errorCode } from "./host_files.ts";

/** What the system does for us; the tracer's foreign side implements it. */
export interface PathHolder {
  /**
   * Holds what `path` names without opening it; `undefined`: it is gone, forbidden, or not in `root`.
   *
   * @param options.root a directory that no part of `path`, and no link in it, leads out of
   */
  holdPath(path: string, options?: { root?: string }): ({ readonly fd: number } & Disposable) | undefined;
  /** For time budgets. */
  monotonicMs(): number;
}

/** What names one version of one file. */
export interface FileIdentity {
  /** Of the file system it is on. */
  readonly device: number;
  /** In it. */
  readonly inode: number;
  /** At the last look. */
  readonly sizeBytes: number;
  /** Unix time of the last change; 0: not said. */
  readonly changedMs: number;
  /** Who it belongs to; `undefined`: not said. */
  readonly ownerId: number | undefined;
  /** Permission bits. */
  readonly mode: number;
}

/** A plain file, open for reading. */
export class HeldFile implements Disposable {
  readonly identity: FileIdentity;
  readonly #file: Deno.FsFile;

  private constructor(file: Deno.FsFile, identity: FileIdentity) {
    this.#file = file;
    this.identity = identity;
  }

  /** Yields the plain file that `path` names now; `undefined` for anything else, gone or forbidden included. */
  static open(holder: PathHolder, path: string, options: { root?: string } = {}): HeldFile | undefined {
    using held = holder.holdPath(path, options);

    if (held === undefined) return undefined;
    try {
      const name = `/proc/self/fd/${held.fd}`;
      const stat = Deno.statSync(name);
      if (!stat.isFile) return undefined;
      return new HeldFile(Deno.openSync(name), {
        device: stat.dev,
        inode: stat.ino ?? 0,
        sizeBytes: stat.size,
        changedMs: stat.mtime?.getTime() ?? 0,
        ownerId: stat.uid ?? undefined,
        mode: stat.mode ?? 0,
      });
    } catch (error) {
      // What may be looked at may still not be read; a fault of ours has no number.
      if (errorCode(error) !== undefined) return undefined;
      throw error;
    }
  }

  /** Yields `lengthBytes` bytes, fewer at the end; never allocates more than the file holds. */
  read(offset: number, lengthBytes: number): Uint8Array {
    const buffer = new Uint8Array(Math.min(lengthBytes, Math.max(0, this.identity.sizeBytes - offset)));
    this.#file.seekSync(offset, Deno.SeekMode.Start);
    let length = 0;
    while (length < buffer.length) {
      const count = this.#file.readSync(buffer.subarray(length));
      if (count === null || count === 0) break;
      length += count;
    }
    return buffer.subarray(0, length);
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}
