/**
 * One virtual machine, from power on to power off.
 *
 * @module
 */

import { cpioArchive, type CpioEntry } from "./cpio.ts";
import { type GuestLine, parseGuestLines } from "./guest_lines.ts";
import { runCommand } from "../run_command.ts";

const MEMORY_MIB = 2048;
const DISK_BYTES = 64 << 20;

/** Emulated, a machine takes some ten times as long for everything; on a busy host longer still. */
export const MACHINE_MS_MAX = 1_800_000;

export interface MachineOutcome {
  readonly lines: readonly GuestLine[];
  /** The kernel's own log. */
  readonly console: string;
  readonly seconds: number;
}

/**
 * Boots the kernel with `entries` as its root file system and waits until it
 * has switched itself off.
 *
 * @param options.folder where the files of this run are put; the caller removes it
 * @param options.bootParameters for the kernel, beside what every machine needs
 * @throws {Error} If the machine cannot be started, or does not end in time
 */
export async function runMachine(
  imagePath: string,
  entries: readonly CpioEntry[],
  options: { readonly folder: string; readonly bootParameters: string; readonly signal: AbortSignal },
): Promise<MachineOutcome> {
  const { folder, bootParameters } = options;
  const initrdPath = `${folder}/initrd.cpio`;
  const diskPath = `${folder}/disk.ext4`;
  await writeArchive(initrdPath, entries);
  await makeDisk(diskPath);
  const startMs = performance.now();
  const deadline = AbortSignal.timeout(MACHINE_MS_MAX);
  const child = new Deno.Command("nice", {
    args: [
      "-n",
      "5",
      "qemu-system-x86_64",
      ...machineArguments({ imagePath, initrdPath, diskPath, folder, bootParameters }),
    ],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    signal: AbortSignal.any([options.signal, deadline]),
  }).spawn();
  const said = await new Response(child.stderr).text();
  const { code } = await child.status;
  const console = await readLog(`${folder}/console.log`);
  options.signal.throwIfAborted();
  if (deadline.aborted) {
    throw new Error(`Cannot finish: the machine still ran after ${MACHINE_MS_MAX / 1000} s\n${tail(console)}`);
  }
  if (code !== 0) throw new Error(`Cannot run the machine: qemu-system-x86_64 ended with ${code}\n${said}`);
  const lines = parseGuestLines(await readLog(`${folder}/lines.log`));
  return { lines, console, seconds: (performance.now() - startMs) / 1000 };
}

/** Yields the end of a console log, for an error message. */
export function tail(console: string): string {
  return console.trimEnd().split("\n").slice(-20).join("\n");
}

/**
 * One CPU, without KVM: the same everywhere, also inside another virtual machine.
 * Its clock counts instructions (one a nanosecond) instead of the host's time:
 * otherwise every moment the host is busy with something else falls between the
 * scheduler's look at the clock and ours, and no account agrees with another
 * (measured: on-CPU off by up to 37 % on a busy host, by 2 % at most this way).
 */
function machineArguments(files: {
  readonly imagePath: string;
  readonly initrdPath: string;
  readonly diskPath: string;
  readonly folder: string;
  readonly bootParameters: string;
}): readonly string[] {
  return [
    ["-accel", "tcg", "-icount", "shift=0", "-cpu", "max", "-smp", "1", "-m", String(MEMORY_MIB)],
    ["-nodefaults", "-no-reboot", "-display", "none"],
    ["-kernel", files.imagePath, "-initrd", files.initrdPath],
    ["-append", `console=ttyS0 panic=-1 loglevel=4 ${files.bootParameters}`],
    ["-drive", `file=${files.diskPath},format=raw,if=virtio,cache=writethrough`],
    ["-serial", `file:${files.folder}/console.log`, "-serial", `file:${files.folder}/lines.log`],
  ].flat();
}

async function writeArchive(path: string, entries: readonly CpioEntry[]): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true, truncate: true });

  for (const piece of cpioArchive(entries)) {
    for (let written = 0; written < piece.length;) written += await file.write(piece.subarray(written));
  }
}

async function makeDisk(path: string): Promise<void> {
  await Deno.writeFile(path, new Uint8Array());
  await Deno.truncate(path, DISK_BYTES);
  const { code, output } = await runCommand("/sbin/mkfs.ext4", { args: ["-q", path], output: "capture" });
  if (code !== 0) throw new Error(`Cannot make a disk: mkfs.ext4 ended with ${code}\n${output}`);
}

async function readLog(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
