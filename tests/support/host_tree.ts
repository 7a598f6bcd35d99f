/**
 * Small trees in a temporary folder that look like a host's /proc and
 * /sys/fs/cgroup.
 *
 * @module
 */

/** Files by relative path; a path that ends with a slash is an empty folder. */
export type TreeFiles = Readonly<Record<string, string>>;

/** A folder that disposal removes with all it holds. */
export interface TemporaryTree extends Disposable {
  readonly path: string;
  /** Inode of the folder. */
  readonly inode: bigint;
  write(files: TreeFiles): void;
}

/** Makes a folder holding `files`, folders on the way included. */
export function makeTree(files: TreeFiles = {}): TemporaryTree {
  const path = Deno.makeTempDirSync({ prefix: "podtrace-test-" });
  const write = (more: TreeFiles) => {
    for (const [name, text] of Object.entries(more)) {
      const folder = name.slice(0, name.lastIndexOf("/") + 1);
      Deno.mkdirSync(`${path}/${folder}`, { recursive: true });
      if (!name.endsWith("/")) Deno.writeTextFileSync(`${path}/${name}`, text);
    }
  };
  write(files);
  return {
    path,
    inode: BigInt(Deno.lstatSync(path).ino ?? 0),
    write,
    [Symbol.dispose](): void {
      Deno.removeSync(path, { recursive: true });
    },
  };
}

export interface FakeProcess {
  readonly id: number;
  readonly parentId?: number;
  readonly command?: string;
  readonly state?: string;
  readonly flags?: number;
  /** Text of its cgroup file. */
  readonly cgroup?: string;
}

/** Yields the files of /proc for `processes`, below `proc/`. */
export function procFiles(processes: readonly FakeProcess[]): TreeFiles {
  const files: Record<string, string> = {};
  for (const { id, parentId = 1, command = "program", state = "S", flags = 0, cgroup = "0::/\n" } of processes) {
    const tail = `${parentId} 0 0 0 -1 ${flags} 0 0 0 0 12 34 0 0 20 0 1 0 5000 0 0`;
    files[`proc/${id}/stat`] = `${id} (${command}) ${state} ${tail}\n`;
    files[`proc/${id}/status`] =
      `Name:\t${command}\nTgid:\t${id}\nPid:\t${id}\nPPid:\t${parentId}\nNSpid:\t${id}\nCapEff:\t0000000000000000\n`;
    files[`proc/${id}/comm`] = `${command}\n`;
    files[`proc/${id}/cmdline`] = `${command}\0--serve\0`;
    files[`proc/${id}/cgroup`] = cgroup;
  }
  return files;
}
