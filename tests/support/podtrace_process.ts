/**
 * `podtrace` run from source as a process of its own, and what it left behind.
 *
 * @module
 */

import { PT_CONTROL } from "../../bpf/generated/layout.ts";
import { HOOKS } from "../../engine/backend/hooks.ts";
import { MAP_TYPE } from "../../engine/ffi/bpf_map.ts";
import { until } from "./until.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const DENO_ARGUMENTS = ["run", "-A", "--no-check", "--quiet", MAIN];

/** Names in the kernel's lists are cut (BPF_OBJ_NAME_LEN, include/uapi/linux/bpf.h). */
const PROGRAM_NAME_CHARS = 15;

export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line of `podtrace` with `argv`, to be wrapped into another one. */
export function podtraceCommand(argv: readonly string[]): readonly [string, ...string[]] {
  return [Deno.execPath(), ...DENO_ARGUMENTS, ...argv];
}

/** Runs `command` to its end. */
export async function run(command: readonly [string, ...string[]]): Promise<Answer> {
  const [program, ...args] = command;
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

/** Runs `podtrace` to its end. */
export function podtrace(...argv: readonly string[]): Promise<Answer> {
  return run(podtraceCommand(argv));
}

/** Runs `podtrace` as root that may do nothing but what `capabilities` (as setpriv names them) allow. */
export function podtraceWith(capabilities: readonly string[], argv: readonly string[]): Promise<Answer> {
  const bounds = ["-all", ...capabilities.map((name) => `+${name}`)].join(",");
  return run(["setpriv", `--bounding-set=${bounds}`, "--inh-caps=-all", "--", ...podtraceCommand(argv)]);
}

/** A command that is ended from outside. */
export class SpawnedCommand implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #stdout: Promise<string>;
  #lineCount = 0;
  readonly #stderr: Promise<string>;
  #status: Deno.CommandStatus | undefined;

  constructor(command: readonly [string, ...string[]]) {
    const [program, ...args] = command;
    this.#child = new Deno.Command(program, { args, stdin: "null", stdout: "piped", stderr: "piped" }).spawn();
    this.#stdout = this.#read(this.#child.stdout);
    this.#stderr = new Response(this.#child.stderr).text();
  }

  get processId(): number {
    return this.#child.pid;
  }

  /** Resolves once this many lines have come on stdout. */
  async printsLines(count: number): Promise<void> {
    await until(() => this.#lineCount >= count, { what: `podtrace printed ${count} lines`, timeoutMs: 60_000 });
  }

  signal(name: Deno.Signal): void {
    this.#child.kill(name);
  }

  async ended(): Promise<Answer> {
    const [status, stdout, stderr] = await Promise.all([this.#child.status, this.#stdout, this.#stderr]);
    this.#status = status;
    return { code: status.code, stdout, stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#status !== undefined) return;
    this.signal("SIGKILL");
    await this.ended();
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<string> {
    let text = "";
    for await (const part of stream.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)) {
      text += part;
      this.#lineCount += part.split("\n").length - 1;
    }
    return text;
  }
}

/** A run of `podtrace` that is ended from outside. */
export class RunningPodtrace extends SpawnedCommand {
  constructor(...argv: readonly string[]) {
    super(podtraceCommand(argv));
  }

  /** Resolves once its hooks are attached and it has said what to trace. */
  async traces(): Promise<void> {
    await until(() => isTracing(this.processId), { what: "podtrace traces its target", timeoutMs: 30_000 });
  }
}

/** Whether `processId` is a tracer whose programs are told to trace: reads the control words as they do. */
export async function isTracing(processId: number): Promise<boolean> {
  const id = controlMapId(processId);
  if (id === undefined) return false;
  const { code, stdout } = await run(["bpftool", "map", "lookup", "id", id, "key", "0", "0", "0", "0", "-j"]);
  if (code !== 0) return false; // it has ended
  const { value }: { value: readonly string[] } = JSON.parse(stdout);
  return Number(value[PT_CONTROL.offsets.enabled]) !== 0;
}

/** The only array whose values are as large as the control words, among the maps it has open. */
function controlMapId(processId: number): string | undefined {
  const wanted = new RegExp(`^map_type:\\s${MAP_TYPE.ARRAY}$[^]*^value_size:\\s${PT_CONTROL.sizeBytes}$`, "m");
  try {
    for (const { name } of Deno.readDirSync(`/proc/${processId}/fdinfo`)) {
      const text = Deno.readTextFileSync(`/proc/${processId}/fdinfo/${name}`);
      if (wanted.test(text)) return /^map_id:\s(\d+)$/m.exec(text)?.[1];
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // a descriptor that was closed meanwhile
  }
  return undefined;
}

/** Yields the ids of all loaded programs that bear a name of ours. */
export async function programsOfOurs(): Promise<ReadonlySet<number>> {
  const { stdout } = await run(["bpftool", "prog", "show", "-j"]);
  const names = new Set(
    HOOKS.flatMap(({ providers, companions = {} }) => [...providers, ...Object.values(companions).flat()]).map((name) =>
      name.slice(0, PROGRAM_NAME_CHARS)
    ),
  );
  const programs: readonly { id: number; name?: string }[] = stdout.trim() === "" ? [] : JSON.parse(stdout);
  return new Set(
    programs.filter(({ name }) => names.has((name ?? "").slice(0, PROGRAM_NAME_CHARS))).map(({ id }) => id),
  );
}

/** Runs `look`; resolves only when no program that came up meanwhile is left. */
export async function leavingNothingBehind<Outcome>(look: () => Promise<Outcome>): Promise<Outcome> {
  const before = await programsOfOurs();
  const outcome = await look();
  const suspects = (await programsOfOurs()).difference(before);
  await until(async () => (await programsOfOurs()).intersection(suspects).size === 0, {
    what: `the programs ${[...suspects].join(", ")} are gone`,
  });
  return outcome;
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
