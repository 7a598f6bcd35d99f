/**
 * Which programs this kernel takes: each one is really loaded and attached, by
 * itself, and taken away at once.
 *
 * @module
 */

import type { ForeignCallError } from "../ffi/errors.ts";
import { ERRNO } from "../ffi/errno.ts";
import {
  findMissingMaps,
  type LoadableObject,
  type LoadableProgram,
  type MissingMap,
  summarizeLog,
  tryForeign,
} from "./object_loader.ts";

/**
 * What became of one program.
 *
 * - `used`: the first of its hook that the kernel takes; a look would use it.
 * - `available`: it would do, but one before it is used.
 * - `refused`: the kernel has the place, and does not want the program there.
 * - `absent`: this kernel has no such place, or this object no such program.
 * - `untried`: the probe ended before its turn.
 */
export type ProviderVerdict = "used" | "available" | "refused" | "absent" | "untried";

/** One program that can serve a hook. */
export interface ProviderProbe {
  readonly program: string;
  /** Where it attaches, as its section says: "tp_btf/sched_switch"; "" when this object has no such program. */
  readonly attachPoint: string;
  readonly verdict: ProviderVerdict;
  /** One line; "" when it would be used or would do. */
  readonly reason: string;
}

/** One hook and its programs, best first. */
export interface HookProbe {
  readonly hook: string;
  readonly providers: readonly ProviderProbe[];
}

/** What was found out. */
export interface ProbeOutcome {
  readonly hooks: readonly HookProbe[];
  /** What this kernel cannot make; programs that need one are refused. */
  readonly missingMaps: readonly MissingMap[];
}

/** What a probe needs of a program. */
export interface ProbedProgram<Link extends Disposable> extends LoadableProgram<Link> {
  readonly section: string;
}

/** What a probe needs of an object; `BpfObject` is one. */
export interface ProbedObject<Link extends Disposable> extends LoadableObject<Link> {
  readonly programs: readonly ProbedProgram<Link>[];
}

/** How a probe goes about it. */
export interface ProbeOptions<Object extends ProbedObject<Link>, Link extends Disposable> {
  /** Opens a fresh object; nothing is loaded yet. */
  open(): Object;
  /** Between programs: lets others have the thread. */
  nextTurn(): Promise<void>;
  /** What is left then is `untried`. */
  readonly signal: AbortSignal;
}

/**
 * Tries every provider of `hooks`. Nothing is loaded or attached any more when
 * it resolves; at most one program is at a time.
 */
export async function probeHooks<Object extends ProbedObject<Link>, Link extends Disposable>(
  hooks: readonly { readonly hook: string; readonly providers: readonly string[] }[],
  options: ProbeOptions<Object, Link>,
): Promise<ProbeOutcome> {
  const missingMaps = findMissingMaps(options);
  const probed: HookProbe[] = [];
  for (const { hook, providers } of hooks) {
    const rows: ProviderProbe[] = [];
    for (const program of providers) {
      await options.nextTurn();
      const row = options.signal.aborted
        ? { program, attachPoint: "", verdict: "untried" as const, reason: "the probe was ended before" }
        : probeProgram(program, { open: () => options.open(), missingMaps });
      const isSecond = row.verdict === "used" && rows.some(({ verdict }) => verdict === "used");
      rows.push(isSecond ? { ...row, verdict: "available" } : row);
    }
    probed.push({ hook, providers: rows });
  }
  return { hooks: probed, missingMaps };
}

function probeProgram<Object extends ProbedObject<Link>, Link extends Disposable>(
  name: string,
  options: { open(): Object; readonly missingMaps: readonly MissingMap[] },
): ProviderProbe {
  using object = options.open();

  const program = object.programs.find((candidate) => candidate.name === name);
  if (program === undefined) {
    return { program: name, attachPoint: "", verdict: "absent", reason: "this BPF object has no such program" };
  }
  for (const candidate of object.programs) {
    candidate.setAutoload(candidate === program);
    candidate.setLogLevel(0);
  }
  for (const { map } of options.missingMaps) object.setMapAutocreate(map, false);
  const place = { program: name, attachPoint: program.section };
  const error = tryForeign(() => object.load()) ?? tryForeign(() => program.attach()[Symbol.dispose]());
  return error === undefined ? { ...place, verdict: "used", reason: "" } : { ...place, ...judge(error, program.log()) };
}

/** libbpf answers ESRCH for a name the kernel's types lack, the kernel ENOENT for a tracepoint it lacks. */
const ABSENT_ERRNOS: ReadonlySet<number> = new Set([ERRNO.ENOENT, ERRNO.ESRCH]);

function judge(error: ForeignCallError, log: string): Pick<ProviderProbe, "verdict" | "reason"> {
  const summary = summarizeLog(log);
  if (summary !== undefined) return { verdict: "refused", reason: `${summary} (${error.errnoName})` };
  return ABSENT_ERRNOS.has(error.errno)
    ? { verdict: "absent", reason: `this kernel has no such place (${error.errnoName})` }
    : { verdict: "refused", reason: `refused before it was verified (${error.errnoName})` };
}
