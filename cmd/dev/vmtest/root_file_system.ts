/**
 * The root file system of the machine: busybox, Deno, podtrace as one bundled
 * file, the BPF object, the planted programs, and the libraries they need.
 *
 * @module
 */

import { buildFixture } from "../../../tests/support/fixture_programs.ts";
import { runCommand } from "../run_command.ts";
import type { CpioEntry } from "./cpio.ts";
import { GUEST_DENO, GUEST_DRIVER, GUEST_GO, GUEST_MAIN, GUEST_OBJECT, GUEST_PROGRAMS } from "./guest_lines.ts";
import { SCENARIOS } from "./scenarios.ts";

const CHECKOUT = new URL("../../../", import.meta.url);

/** What carries the disk; a kernel has some of them built in. */
const WANTED_MODULES = ["virtio_pci", "virtio_blk"];

/** Loaded by name at run time, so no program's list of libraries has it. */
const LOADED_LIBRARY = "libbpf.so.1";

/** Where `LOADED_LIBRARY` may lie on Debian. */
const LIBRARY_FOLDERS = ["/usr/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu"];

/** The first process: mounts, loads, runs the driver, and switches the machine off. */
const INIT = `#!/bin/busybox sh
export PATH=/bin HOME=/tmp DENO_DIR=/tmp/deno DENO_NO_UPDATE_CHECK=1
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sysfs /sys
$b mount -t devtmpfs devtmpfs /dev
$b mount -t tmpfs tmpfs /tmp
$b mount -t tracefs tracefs /sys/kernel/tracing
$b mount -t securityfs securityfs /sys/kernel/security
$b mount -t cgroup2 cgroup2 /sys/fs/cgroup
$b ip link set lo up
for module in /modules/*; do $b insmod "$module"; done
$b mount -t ext4 /dev/vda /disk
${GUEST_DENO} run -A --no-config ${GUEST_DRIVER} >/dev/ttyS1
$b poweroff -f
`;

/** Starts a program in a cgroup ("": where it is), and tells it to go when it is ready; ends as it does. */
const GO = `#!/bin/busybox sh
b=/bin/busybox
if [ -n "$1" ]; then echo 0 >"$1/cgroup.procs"; fi
shift
said=/tmp/said.$$
: >$said
"$@" >$said &
child=$!
while ! $b grep -q READY $said; do $b sleep 0.1; done
kill -USR1 $($b sed -n 's/^READY.*"pid":\\([0-9]*\\).*/\\1/p' $said)
wait $child
`;

export interface KernelFiles {
  /** The compressed kernel. */
  readonly imagePath: string;
  /** As uname -r prints it. */
  readonly release: string;
  /** /lib/modules/RELEASE. */
  readonly modulesPath: string;
}

/** @throws {Error} If the package holds no kernel */
export async function findKernel(packageFolder: string): Promise<KernelFiles> {
  for await (const { name } of Deno.readDir(`${packageFolder}/boot`)) {
    if (!name.startsWith("vmlinuz-")) continue;
    const release = name.slice("vmlinuz-".length);
    // Debian 13 has everything below /usr.
    const candidates = ["usr/lib", "lib"].map((folder) => `${packageFolder}/${folder}/modules/${release}`);
    for (const modulesPath of candidates) {
      if (await isThere(modulesPath)) return { imagePath: `${packageFolder}/boot/${name}`, release, modulesPath };
    }
  }
  throw new Error(`Cannot boot ${packageFolder}: found no vmlinuz with modules in it, wanted a linux-image package`);
}

/** What is the same for every kernel. */
export async function guestEntries(options: { busyboxPath: string; folder: string }): Promise<readonly CpioEntry[]> {
  const programs = await Promise.all(
    [...new Set(SCENARIOS.map(({ program }) => program))].map(async (name) => ({
      name,
      path: await buildFixture(name),
    })),
  );
  const denoPath = Deno.execPath();
  const libbpfPath = await firstThere(LIBRARY_FOLDERS.map((folder) => `${folder}/${LOADED_LIBRARY}`));
  const libraries = await librariesOf([denoPath, libbpfPath, ...programs.map(({ path }) => path)]);
  const files: readonly (readonly [inside: string, outside: string])[] = [
    ["/bin/busybox", options.busyboxPath],
    ["/bin/sh", options.busyboxPath], // podtrace starts commands through it
    [GUEST_DENO, denoPath],
    [GUEST_MAIN, await bundle("main.ts", options.folder)],
    [GUEST_DRIVER, await bundle("cmd/dev/vmtest/guest.ts", options.folder)],
    [GUEST_OBJECT, new URL("dist/bpf/podtrace.x86_64.bpf.o", CHECKOUT).pathname],
    ...programs.map(({ name, path }) => [`${GUEST_PROGRAMS}/${name}`, path] as const),
    ...[libbpfPath, ...libraries].map((path) => [path, path] as const),
  ];
  const folders = ["proc", "sys", "dev", "tmp", "disk", "modules"];
  return [
    ...folders.map((path) => ({ kind: "directory", path }) as const),
    { kind: "device", path: "dev/console", major: 5, minor: 1 },
    { kind: "file", path: "init", bytes: new TextEncoder().encode(INIT), isExecutable: true },
    { kind: "file", path: GUEST_GO.slice(1), bytes: new TextEncoder().encode(GO), isExecutable: true },
    ...await Promise.all(files.map(async ([inside, outside]) => ({
      kind: "file" as const,
      path: inside.slice(1),
      bytes: await Deno.readFile(outside),
      isExecutable: true,
    }))),
  ];
}

/** The modules one kernel needs, numbered so that their names sort in load order. */
export async function moduleEntries(kernel: KernelFiles): Promise<readonly CpioEntry[]> {
  const paths = new Map<string, string>();
  await indexModules(`${kernel.modulesPath}/kernel/drivers`, paths);
  const loaded = new Map<string, Uint8Array>();
  for (const name of WANTED_MODULES) await loadAfterItsNeeds(name, { paths, loaded });
  return [...loaded].map(([name, bytes], index) => ({
    kind: "file",
    path: `modules/${String(index).padStart(2, "0")}-${name}.ko`,
    bytes,
    isExecutable: false,
  }));
}

async function indexModules(folder: string, paths: Map<string, string>): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const module = /^(.+)\.ko(\.xz)?$/.exec(name)?.[1];
    if (module !== undefined) paths.set(module.replaceAll("-", "_"), `${folder}/${name}`);
    if (isDirectory) await indexModules(`${folder}/${name}`, paths);
  }
}

async function loadAfterItsNeeds(
  name: string,
  modules: { readonly paths: ReadonlyMap<string, string>; readonly loaded: Map<string, Uint8Array> },
): Promise<void> {
  const path = modules.paths.get(name);
  if (path === undefined || modules.loaded.has(name)) return; // built in, or there already
  const bytes = await readModule(path);
  for (const needed of moduleNeeds(bytes)) await loadAfterItsNeeds(needed, modules);
  modules.loaded.set(name, bytes);
}

/** Yields the modules whose symbols a module uses: the text after `depends=` in its `.modinfo` section. */
export function moduleNeeds(bytes: Uint8Array): readonly string[] {
  const text = new TextDecoder("latin1").decode(bytes);
  const needs = /\0depends=([^\0]*)\0/.exec(text)?.[1] ?? "";
  return needs.split(",").filter((name) => name !== "").map((name) => name.replaceAll("-", "_"));
}

/** The kernel's own module loader takes them uncompressed. */
async function readModule(path: string): Promise<Uint8Array> {
  if (!path.endsWith(".xz")) return await Deno.readFile(path);
  const { success, stdout } = await new Deno.Command("xz", { args: ["-dc", path], stdin: "null", stderr: "inherit" })
    .output();
  if (!success) throw new Error(`Cannot unpack ${path}: xz failed`);
  return stdout;
}

async function bundle(entry: string, folder: string): Promise<string> {
  const path = `${folder}/${entry.replaceAll("/", "-")}.js`;
  const { code, output } = await runCommand(Deno.execPath(), {
    args: ["bundle", "--quiet", "--platform", "deno", "--output", path, new URL(entry, CHECKOUT).pathname],
    cwd: CHECKOUT.pathname,
    output: "capture",
  });
  if (code !== 0) throw new Error(`Cannot bundle ${entry}: deno bundle ended with ${code}\n${output}`);
  return path;
}

/** Yields every library the programs are linked with, and the loader. */
async function librariesOf(paths: readonly string[]): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const path of paths) {
    const { code, output } = await runCommand("ldd", { args: [path], env: { LC_ALL: "C" }, output: "capture" });
    if (code !== 0) throw new Error(`Cannot find the libraries of ${path}: ldd ended with ${code}\n${output}`);
    for (const library of parseLdd(output)) found.add(library);
  }
  return [...found];
}

/** Yields the paths in the output of ldd(1). */
export function parseLdd(output: string): readonly string[] {
  return output.split("\n").flatMap((line) => /(?:=> |^\s*)(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}

async function firstThere(paths: readonly string[]): Promise<string> {
  for (const path of paths) if (await isThere(path)) return path;
  throw new Error(`Cannot find ${LOADED_LIBRARY}: looked at ${paths.join(", ")}; run \`deno task setup\``);
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
