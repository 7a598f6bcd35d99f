/**
 * Which disk a file lies on, as I/O limits of cgroups name it.
 *
 * @module
 */

/**
 * Yields "major:minor" of the whole disk below `path`; `undefined` where the
 * file system has no block device of its own (overlay, tmpfs, btrfs).
 */
export async function diskDeviceOf(path: string): Promise<string | undefined> {
  const device = toDevice((await Deno.stat(path)).dev);
  const folder = await realPath(`/sys/dev/block/${device}`);
  if (folder === undefined) return undefined;
  const isPartition = await realPath(`${folder}/partition`) !== undefined;
  return isPartition ? (await Deno.readTextFile(`${folder}/../dev`)).trim() : device;
}

/** Yields "major:minor" of a `st_dev` as the C library makes it (gnu_dev_major(3)). */
export function toDevice(encoded: number): string {
  const bits = BigInt(encoded);
  const major = (bits >> 8n & 0xfffn) | (bits >> 32n & 0xfffff000n);
  const minor = (bits & 0xffn) | (bits >> 12n & 0xffffff00n);
  return `${major}:${minor}`;
}

async function realPath(path: string): Promise<string | undefined> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
