/**
 * The archive a kernel unpacks as its first root file system: cpio, "newc"
 * format (Documentation/driver-api/early-userspace/buffer-format.rst).
 *
 * @module
 */

export type CpioEntry =
  | { readonly kind: "directory"; readonly path: string }
  | { readonly kind: "file"; readonly path: string; readonly bytes: Uint8Array; readonly isExecutable: boolean }
  | { readonly kind: "device"; readonly path: string; readonly major: number; readonly minor: number };

/** include/uapi/linux/stat.h */
const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;
const S_IFCHR = 0o020000;

const MAGIC = "070701";
const TRAILER = "TRAILER!!!";
const ALIGNMENT_BYTES = 4;

/**
 * Yields the archive in pieces, in order: file contents are handed on as they
 * are, so that a hundred megabytes are never copied.
 *
 * Folders that `entries` do not list are put before what lies in them; paths
 * have no leading slash.
 */
export function* cpioArchive(entries: readonly CpioEntry[]): Generator<Uint8Array, void, void> {
  let inode = 1;
  for (const entry of withParents(entries)) yield* pieces(entry, inode++);
  yield* member(TRAILER, { inode: 0, mode: 0, bytes: new Uint8Array() });
}

/** Every folder once, before anything that lies in it. */
function withParents(entries: readonly CpioEntry[]): readonly CpioEntry[] {
  const known = new Set<string>();
  const complete: CpioEntry[] = [];
  for (const entry of entries) {
    const parts = entry.path.split("/");
    for (let depth = 1; depth < parts.length; depth++) {
      const path = parts.slice(0, depth).join("/");
      if (!known.has(path)) complete.push({ kind: "directory", path });
      known.add(path);
    }
    if (!known.has(entry.path)) complete.push(entry);
    known.add(entry.path);
  }
  return complete;
}

function* pieces(entry: CpioEntry, inode: number): Generator<Uint8Array, void, void> {
  const nothing = new Uint8Array();
  switch (entry.kind) {
    case "directory":
      return yield* member(entry.path, { inode, mode: S_IFDIR | 0o755, bytes: nothing });
    case "device": {
      const { path, major, minor } = entry;
      return yield* member(path, { inode, mode: S_IFCHR | 0o600, bytes: nothing, device: { major, minor } });
    }
    case "file":
      return yield* member(entry.path, {
        inode,
        mode: S_IFREG | (entry.isExecutable ? 0o755 : 0o644),
        bytes: entry.bytes,
      });
  }
}

interface Member {
  readonly inode: number;
  readonly mode: number;
  readonly bytes: Uint8Array;
  readonly device?: { readonly major: number; readonly minor: number };
}

function* member(path: string, { inode, mode, bytes, device }: Member): Generator<Uint8Array, void, void> {
  const name = new TextEncoder().encode(`${path}\0`);
  // ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
  const fields = [inode, mode, 0, 0, 1, 0, bytes.length, 0, 0, device?.major ?? 0, device?.minor ?? 0, name.length, 0];
  const header = new TextEncoder().encode(MAGIC + fields.map(toHex).join(""));
  yield header;
  yield name;
  yield padding(header.length + name.length);
  yield bytes;
  yield padding(bytes.length);
}

function toHex(value: number): string {
  return value.toString(16).padStart(8, "0");
}

function padding(lengthBytes: number): Uint8Array {
  return new Uint8Array((ALIGNMENT_BYTES - lengthBytes % ALIGNMENT_BYTES) % ALIGNMENT_BYTES);
}
