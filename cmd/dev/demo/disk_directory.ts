/**
 * Temporary directories on a real disk: where they lie in memory, fsync waits
 * for nothing.
 *
 * @module
 */

const MEMORY_FILE_SYSTEMS: ReadonlySet<string> = new Set(["tmpfs", "ramfs", "devtmpfs"]);

/** A directory that disappears, with all in it, on disposal. */
export interface DiskDirectory extends AsyncDisposable {
  readonly path: string;
}

/**
 * Makes a new directory with `components` below it; `path` is the innermost.
 *
 * @throws {Error} If every candidate lies in memory
 */
export async function makeDiskDirectory(
  components: readonly string[],
  options: { candidates?: readonly string[] } = {},
): Promise<DiskDirectory> {
  const candidates = options.candidates ?? [Deno.env.get("TMPDIR") ?? "/tmp", "/var/tmp", Deno.cwd()];
  const mounts = await Deno.readTextFile("/proc/self/mountinfo");
  const parent = candidates.find((path) => !MEMORY_FILE_SYSTEMS.has(fileSystemTypeOf(mounts, path)));
  if (parent === undefined) {
    throw new Error(`Cannot make a directory on a disk: ${candidates.join(", ")} lie in memory; set TMPDIR`);
  }
  const root = await Deno.makeTempDir({ dir: parent, prefix: "podtrace-" });
  const path = [root, ...components].join("/");
  await Deno.mkdir(path, { recursive: true });
  return {
    path,
    async [Symbol.asyncDispose](): Promise<void> {
      await Deno.remove(root, { recursive: true });
    },
  };
}

/**
 * The type of the file system that holds `path`, from the text of
 * /proc/PID/mountinfo (proc(5)); "" when no mount does.
 */
export function fileSystemTypeOf(mountinfo: string, path: string): string {
  let best = { mountPoint: "", type: "" };
  for (const line of mountinfo.split("\n")) {
    const [before, after] = line.split(" - ");
    // Blanks in a mount point are written as octal escapes.
    const mountPoint = before?.split(" ")[4]?.replace(/\\([0-7]{3})/g, (_, code) => toCharacter(code));
    if (mountPoint === undefined || after === undefined || !isWithin(path, mountPoint)) continue;
    // A later mount on the same point covers the earlier one.
    if (mountPoint.length >= best.mountPoint.length) best = { mountPoint, type: after.split(" ")[0] ?? "" };
  }
  return best.type;
}

function toCharacter(octal: string): string {
  return String.fromCharCode(Number.parseInt(octal, 8));
}

function isWithin(path: string, mountPoint: string): boolean {
  return mountPoint === "/" || path === mountPoint || path.startsWith(`${mountPoint}/`);
}
