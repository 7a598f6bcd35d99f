/**
 * The compiled binary in a root file system of its own: read-only, with
 * nothing in it but glibc's files, the binary, /proc and /sys.
 *
 * The root is built in a mount namespace that ends with the process, so that
 * nothing has to be undone.
 *
 * @module
 */

import { run } from "./podtrace_process.ts";

/** What `deno task compile` makes. */
export const COMPILED_PROGRAM = new URL("../../dist/podtrace", import.meta.url).pathname;

/** Where it lies in the bare root. */
const INSIDE = "/podtrace";

/**
 * $1: an empty directory; from $2 on: pairs of a file inside and the file it
 * is, then `--` and the command. `env -i`: no HOME, no PATH, no TMPDIR.
 */
const SCRIPT = `set -eu
root=$1; shift
mount -t tmpfs -o size=1m,mode=755 none "$root"
mkdir "$root/proc" "$root/sys"
while [ "$1" != -- ]; do
  mkdir -p "$root$(dirname "$1")"
  : > "$root$1"
  mount --bind "$2" "$root$1"
  shift 2
done
shift
mount --rbind /proc "$root/proc"
mount --rbind /sys "$root/sys"
mount -o remount,ro "$root"
exec env -i "$(command -v chroot)" "$root" "$@"
`;

export interface BareRootOptions {
  /** The binary becomes process 1 of a pid namespace of its own; /proc stays the host's. */
  readonly isFirstProcess?: boolean;
  /** Variables of its otherwise empty environment. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A directory to build bare roots in; it stays empty as everybody else sees it. */
export class BareRoot implements Disposable {
  readonly #path = Deno.makeTempDirSync({ prefix: "podtrace_root_" });
  readonly #files: readonly (readonly [inside: string, outside: string])[];

  private constructor(files: readonly (readonly [string, string])[]) {
    this.#files = files;
  }

  /** @throws {Error} If the binary's needs cannot be read */
  static async make(): Promise<BareRoot> {
    return new BareRoot([...await linkedFiles(COMPILED_PROGRAM), [INSIDE, COMPILED_PROGRAM]]);
  }

  /** Names of the files in it, the binary left out. */
  fileNames(): readonly string[] {
    return this.#files.map(([inside]) => inside).filter((path) => path !== INSIDE)
      .map((path) => path.slice(path.lastIndexOf("/") + 1));
  }

  /** The command that runs the binary with `argv` in there. */
  command(argv: readonly string[], options: BareRootOptions = {}): readonly [string, ...string[]] {
    const namespaces = ["--mount", "--propagation", "private"];
    const pid = options.isFirstProcess === true ? ["--pid", "--fork", "--kill-child"] : [];
    const variables = Object.entries(options.environment ?? {}).map(([name, value]) => `${name}=${value}`);
    const script = SCRIPT.replace("env -i", ["env -i", ...variables].join(" "));
    const pairs = this.#files.flat();
    return ["unshare", ...namespaces, ...pid, "sh", "-c", script, "sh", this.#path, ...pairs, "--", INSIDE, ...argv];
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#path);
  }
}

/** What the dynamic linker will look for, and where the files really are. */
async function linkedFiles(program: string): Promise<readonly (readonly [string, string])[]> {
  const { code, stdout, stderr } = await run(["ldd", program]);
  if (code !== 0) throw new Error(`Cannot tell what ${program} needs: ldd ended with ${code}\n${stderr}`);
  return stdout.split("\n").flatMap((line) => {
    const path = /(?:=> |^\s*)(\/\S+) \(0x/.exec(line)?.[1];
    return path === undefined ? [] : [[path, Deno.realPathSync(path)] as const];
  });
}
