/**
 * Recordings that are committed: made where nothing has a name of this machine,
 * and looked through before they are kept.
 *
 * @module
 */

import { inflateRawSync } from "node:zlib";
import { FRAME_HEAD_BYTES, PREAMBLE_HEAD_BYTES } from "../../../engine/recording/recording_format.ts";

/** Where recorded programs run from. */
export const NEUTRAL_DIRECTORY = "/srv/demo";

/** What `deno task demo` replays where it may not trace. */
export const SHIPPED_RECORDING: URL = new URL("demo.rec", import.meta.url);

/** A larger one does not belong into the history. */
const SHIPPED_BYTES_MAX = 300 * 1024;

/** A folder with a `deno` in it, to run everything from that is recorded. */
export interface NeutralPlace extends AsyncDisposable {
  readonly path: string;
  /** Deno, under a name that says nothing. */
  readonly deno: string;
}

/**
 * Makes `NEUTRAL_DIRECTORY`, and moves this process and what it starts into
 * cgroups called "demo"; all of it goes away on disposal.
 *
 * @throws {Error} When it is there already: it is not ours then
 */
export async function makeNeutralPlace(): Promise<NeutralPlace> {
  await using owned = new AsyncDisposableStack();
  await Deno.mkdir(NEUTRAL_DIRECTORY);
  owned.defer(() => Deno.remove(NEUTRAL_DIRECTORY, { recursive: true }));
  const deno = `${NEUTRAL_DIRECTORY}/deno`;
  await Deno.symlink(Deno.execPath(), deno);
  for (const mount of CGROUP_MOUNTS) joinNeutralCgroup(mount, owned);
  const resources = owned.move();
  return { path: NEUTRAL_DIRECTORY, deno, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** Where v2 lies, and the hierarchies of v1 that podtrace reads. */
const CGROUP_MOUNTS = ["", "/memory", "/cpu", "/cpuacct", "/cpu,cpuacct", "/blkio"].map((name) =>
  `/sys/fs/cgroup${name}`
);

/** The path in each hierarchy stands in /proc/self/cgroup: "4:memory:/a/b", "0::/a/b". */
function ownGroup(mount: string): string {
  const controller = mount.slice("/sys/fs/cgroup".length + 1);
  const lines = Deno.readTextFileSync("/proc/self/cgroup").split("\n").map((line) => line.split(":"));
  return lines.find(([, controllers]) => controllers === controller)?.[2] ?? "/";
}

/** What is in the root group names nothing anyway. */
function joinNeutralCgroup(mount: string, owned: AsyncDisposableStack): void {
  const before = ownGroup(mount);
  if (before === "/") return;
  Deno.mkdirSync(`${mount}/demo`);
  owned.defer(() => Deno.removeSync(`${mount}/demo`));
  Deno.writeTextFileSync(`${mount}/demo/cgroup.procs`, String(Deno.pid));
  owned.defer(() => Deno.writeTextFileSync(`${mount}${before}/cgroup.procs`, String(Deno.pid)));
}

/** Yields everything in a recording, inflated, as Latin-1 text. */
export function recordingText(bytes: Uint8Array<ArrayBuffer>): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const latin1 = new TextDecoder("latin1");
  let at = PREAMBLE_HEAD_BYTES + view.getUint32(12, true);
  const texts = [latin1.decode(bytes.subarray(0, at))];
  while (at < bytes.length) {
    const storedBytes = view.getUint32(at + 8, true);
    const stored = bytes.subarray(at + FRAME_HEAD_BYTES, at + FRAME_HEAD_BYTES + storedBytes);
    texts.push(latin1.decode(inflateRawSync(stored)));
    at += FRAME_HEAD_BYTES + storedBytes;
  }
  return texts.join("");
}

/** Names that say which machine, user or checkout a recording was made on. */
export function machineTraces(text: string, names: readonly string[]): readonly string[] {
  const folders = [...text.matchAll(/\/(?:wor[k]|hom[e]|roo[t]|tm[p]|Use[r]s|var\/tm[p])\/[\w./-]*/g)].map(([match]) =>
    match
  );
  return [...new Set([...folders, ...names.filter((name) => name.length > 3 && text.includes(name))])];
}

/** Puts the recording in its place, unless it says too much; yields the exit code. */
export function keepNeutral(from: string, to: string): number {
  const bytes = Deno.readFileSync(from);
  const groups = Deno.readTextFileSync("/proc/self/cgroup").split("\n").map((line) => line.split("/").at(-1) ?? "");
  const names = [Deno.hostname(), Deno.execPath(), ...groups.filter((name) => name !== "demo")];
  const traces = machineTraces(recordingText(bytes), names);
  if (traces.length > 0 || bytes.length > SHIPPED_BYTES_MAX) {
    const found = traces.length > 0 ? traces.slice(0, 5).join(", ") : `${bytes.length} bytes`;
    console.error(
      `Cannot keep the recording: found ${found}, wanted none of this machine's names and ${SHIPPED_BYTES_MAX} bytes at most`,
    );
    return 1;
  }
  Deno.writeFileSync(to, bytes);
  console.log(`wrote ${to} (${bytes.length} bytes)`);
  return 0;
}
