/**
 * Bounded reads of kernel-made files. What is gone is `undefined`, what is
 * forbidden is an error that says what to do, everything else is thrown on.
 *
 * Reads are synchronous: these files live in memory, and a snapshot that
 * other work cannot interleave with is the one that is worth having.
 *
 * @module
 */

import { EngineError } from "../api/errors.ts";

/** Files of a few lines; `/proc/PID/status` is 1.5 KiB. */
export const SMALL_FILE_BYTES_MAX = 64 * 1024;

/** Directory entries looked at: `kernel.pid_max` cannot exceed this. */
export const DIRECTORY_ENTRIES_MAX = 4 * 1024 * 1024;

const GONE_CODES: ReadonlySet<string> = new Set(["ENOENT", "ESRCH", "ENOTDIR", "ENODEV"]);
const DENIED_CODES: ReadonlySet<string> = new Set(["EACCES", "EPERM"]);
const CODES_BY_NUMBER: Readonly<Record<string, string>> = {
  "1": "EPERM",
  "3": "ESRCH",
  "5": "EIO",
  "19": "ENODEV",
  "95": "EOPNOTSUPP",
};

const decoder = new TextDecoder();

/** What a directory entry is. */
export type EntryKind = "directory" | "file" | "symlink" | "other";

/** Yields the file's text, at most `bytesMax` bytes of it; `undefined` when it is gone. */
export function readText(path: string, options: { bytesMax?: number } = {}): string | undefined {
  const bytes = readBytes(path, options);
  return bytes === undefined ? undefined : decoder.decode(bytes);
}

/** As `readText`, undecoded. */
export function readBytes(path: string, options: { bytesMax?: number } = {}): Uint8Array | undefined {
  return orUndefinedWhenGone(path, () => {
    using file = Deno.openSync(path);

    return readFully(file, options.bytesMax ?? SMALL_FILE_BYTES_MAX);
  });
}

/** Yields where the link points, as the kernel spells it; `undefined` when it is gone. */
export function readLink(path: string): string | undefined {
  return orUndefinedWhenGone(path, () => Deno.readLinkSync(path));
}

/** Yields the names in a directory, in no order; `undefined` when it is gone. */
export function listEntries(
  path: string,
): readonly { readonly name: string; readonly isDirectory: boolean }[] | undefined {
  return orUndefinedWhenGone(path, () => {
    const entries: { name: string; isDirectory: boolean }[] = [];
    for (const entry of Deno.readDirSync(path)) {
      if (entries.length >= DIRECTORY_ENTRIES_MAX) break;
      entries.push({ name: entry.name, isDirectory: entry.isDirectory });
    }
    return entries;
  });
}

/**
 * Yields kind and inode of the entry itself, links not followed. Inodes above
 * 2^53 come rounded and are left out; kernfs counts 32 bits up and adds the
 * rest only after each wrap (fs/kernfs/dir.c, __kernfs_new_node).
 */
export function lstatEntry(path: string): { readonly kind: EntryKind; readonly inode: bigint | undefined } | undefined {
  return orUndefinedWhenGone(path, () => {
    const stat = Deno.lstatSync(path);
    const kind = stat.isSymlink ? "symlink" : stat.isDirectory ? "directory" : stat.isFile ? "file" : "other";
    const inode = stat.ino !== null && Number.isSafeInteger(stat.ino) ? BigInt(stat.ino) : undefined;
    return { kind, inode };
  });
}

/**
 * Runs `read` on `path`; yields `undefined` when file or process is gone.
 *
 * @throws {EngineError} `capability_missing` when reading is not permitted
 */
export function orUndefinedWhenGone<T>(path: string, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const code = errorCode(error);
    if (code !== undefined && GONE_CODES.has(code)) return undefined;
    if (code !== undefined && DENIED_CODES.has(code)) {
      throw new EngineError(
        "capability_missing",
        `Cannot read ${path}: permission denied, wanted root or CAP_SYS_PTRACE`,
        { cause: error },
      );
    }
    throw error;
  }
}

/**
 * Yields the name of the error number of a failed call. Deno gives ESRCH and a
 * few others no `code`; their number then stands at the end of the message's
 * "(os error N)", which Rust's standard library writes.
 */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("code" in error && typeof error.code === "string") return error.code;
  const number = /\(os error (\d+)\)/.exec(error.message)?.[1];
  return number === undefined ? undefined : CODES_BY_NUMBER[number];
}

/** Reads on until end or `bytesMax`: kernel files return short reads in the middle. */
function readFully(file: Deno.FsFile, bytesMax: number): Uint8Array {
  let buffer = new Uint8Array(Math.min(bytesMax, 8192));
  let length = 0;
  while (length < bytesMax) {
    if (length === buffer.length) {
      const grown = new Uint8Array(Math.min(bytesMax, buffer.length * 2));
      grown.set(buffer);
      buffer = grown;
    }
    const count = file.readSync(buffer.subarray(length));
    if (count === null || count === 0) break;
    length += count;
  }
  return buffer.subarray(0, length);
}
