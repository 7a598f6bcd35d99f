/**
 * One object, and one rejected program costs one hook.
 *
 * All programs go to the kernel in one object. When it refuses, the culprit is
 * found by the verifier's logs, kept out, and the object is opened and loaded
 * again; its hook falls through to the next provider on its list.
 *
 * @module
 */

import { EngineError } from "../api/errors.ts";
import { type BpfLink, type BpfLinks, BpfObject, type BpfProgram } from "../ffi/bpf_object.ts";
import { ERRNO } from "../ffi/errno.ts";
import { ForeignCallError } from "../ffi/errors.ts";
import { KernelTypes } from "../ffi/kernel_types.ts";
import type { Libbpf } from "../ffi/libbpf.ts";
import { CAPABILITY } from "../ffi/libc.ts";

/** One thing to observe, and the programs that can, best first. */
export interface HookPlan {
  readonly hook: string;
  readonly providers: readonly string[];
  /** Provider to the programs that serve beside it; one that is refused costs itself alone. */
  readonly companions?: Readonly<Record<string, readonly string[]>>;
  /** `false`: loaded only; run through test runs, or attached later with `AttachedObject.attachHook`. */
  readonly isAttached?: boolean;
}

/** A program the kernel would not have. */
export interface Rejection {
  readonly hook: string;
  readonly program: string;
  readonly stage: "load" | "attach";
  readonly errno: number;
  readonly errnoName: string;
  /** One line: the verifier's reason, or the failed call. */
  readonly summary: string;
  /** All the verifier wrote; "" when it never got to see it. */
  readonly log: string;
}

/** A map this kernel cannot make; programs that need it are rejected one by one. */
export interface MissingMap {
  readonly map: string;
  readonly errno: number;
  readonly errnoName: string;
}

/** What the recipe needs of an object; `BpfObject` is one, tests have their own. */
export interface LoadableObject<Link extends Disposable> extends Disposable {
  readonly programs: readonly LoadableProgram<Link>[];
  mapNames(): readonly string[];
  setMapAutocreate(name: string, isOn: boolean): void;
  /** @throws {ForeignCallError} */
  load(): void;
}

/** What the recipe needs of a program. */
export interface LoadableProgram<Link extends Disposable> {
  readonly name: string;
  setAutoload(isOn: boolean): void;
  setLogLevel(level: LogLevel): void;
  /** What the verifier wrote; "" when it never got to see the program. */
  log(): string;
  /** @throws {ForeignCallError} */
  attach(): Link;
}

/** How an object comes up. */
export interface BringUpOptions<Object extends LoadableObject<Link>, Link extends Disposable> {
  readonly hooks: readonly HookPlan[];
  /** Opens a fresh object, and sizes its maps: what cannot be changed later. */
  open(): Object;
  /** After a load, before anything is attached: fill maps here. May run again on another object. */
  prepare?(object: Object): void;
  /**
   * Yields which of `programs` have no place to attach to in this kernel, as far
   * as can be told without loading them. Asked only after a load that failed.
   */
  findAbsent?(programs: readonly Object["programs"][number][]): readonly string[];
  /** Bit n: capability n is in effect. Asked only to name what is missing. */
  effectiveCapabilities(): bigint;
}

/** Hook to the provider whose turn it is, then what serves beside it. */
type Candidates = ReadonlyMap<string, readonly [provider: string, ...companions: string[]]>;

/** What became of every hook. */
export interface BringUpOutcome<Link extends Disposable> {
  readonly programs: Candidates;
  readonly links: ReadonlyMap<string, readonly Link[]>;
  readonly rejected: readonly Rejection[];
  readonly missingMaps: readonly MissingMap[];
}

/** A loaded object with its hooks in force. Disposal detaches them, then unloads. */
export class AttachedObject<Object extends LoadableObject<Link>, Link extends Disposable> implements Disposable {
  readonly object: Object;
  /** Hook to the programs that serve it, or would once attached; the first gives it its name. */
  readonly programs: Candidates;
  readonly missingMaps: readonly MissingMap[];
  readonly #links: Map<string, readonly Link[]>;
  readonly #rejected: Rejection[];
  readonly #everAttached: Set<string>;

  constructor(object: Object, outcome: BringUpOutcome<Link>) {
    this.object = object;
    this.programs = outcome.programs;
    this.missingMaps = outcome.missingMaps;
    this.#links = new Map(outcome.links);
    this.#rejected = [...outcome.rejected];
    this.#everAttached = new Set(outcome.links.keys());
  }

  /** Hook to the link of its provider, for those attached. */
  get links(): ReadonlyMap<string, Link> {
    return new Map([...this.#links].flatMap(([hook, [link]]) => link === undefined ? [] : [[hook, link] as const]));
  }

  /** Hook to the program that gives it its name. */
  get providers(): ReadonlyMap<string, string> {
    return new Map([...this.programs].map(([hook, [provider]]) => [hook, provider]));
  }

  /** In the order they were refused. */
  get rejected(): readonly Rejection[] {
    return this.#rejected;
  }

  /** Hooks that are attached, or were. */
  get everAttached(): ReadonlySet<string> {
    return this.#everAttached;
  }

  /**
   * Attaches a hook that was only loaded; the others are not touched. One that
   * is attached, was refused before or found no provider stays as it is.
   */
  attachHook(hook: string): void {
    const [provider] = this.programs.get(hook) ?? [];
    if (provider === undefined || this.#links.has(hook)) return;
    if (this.#rejected.some((rejection) => rejection.hook === hook && rejection.program === provider)) return;
    const links: Link[] = [];
    for (const name of this.programs.get(hook) ?? []) {
      const refusal = attachOne(this.object, { hook, name, links });
      if (refusal === undefined) continue;
      this.#rejected.push(refusal);
      if (name === provider) return;
    }
    this.#links.set(hook, links);
    this.#everAttached.add(hook);
  }

  /** Takes one hook away; it can be attached again. */
  detachHook(hook: string): void {
    disposeAll(this.#links.get(hook) ?? []);
    this.#links.delete(hook);
  }

  /** Takes every hook away, the last first; maps stay readable. Idempotent. */
  detach(): void {
    disposeAll([...this.#links.values()].flat());
  }

  [Symbol.dispose](): void {
    using _object = this.object;

    this.detach();
  }
}

const TRACEPOINT_SECTION = "tp_btf/";

/** `AttachedObject` over the kernel. */
export type AttachedBpfObject = AttachedObject<BpfObject, BpfLink | BpfLinks>;

/**
 * Loads `bytes` and attaches every hook, falling through its providers.
 *
 * @throws {EngineError} `capability_missing`, or `object_rejected` when no hook is left
 */
export function attachBpfObject(
  library: Libbpf,
  bytes: Uint8Array<ArrayBuffer>,
  options: {
    readonly name: string;
    readonly hooks: readonly HookPlan[];
    /** Before each load: map sizes and initial values. */
    configure?(object: BpfObject): void;
    prepare?(object: BpfObject): void;
  },
): AttachedBpfObject {
  const { prepare } = options;
  return bringUp<BpfObject, BpfLink | BpfLinks>({
    hooks: options.hooks,
    open: () => {
      const object = openBpfObject(library, bytes, { name: options.name });
      try {
        options.configure?.(object);
      } catch (cause) {
        object[Symbol.dispose]();
        throw cause;
      }
      return object;
    },
    ...(prepare === undefined ? {} : { prepare: (object: BpfObject) => prepare(object) }),
    findAbsent: (programs) => findAbsentPrograms(library, programs),
    effectiveCapabilities: () => library.libc.effectiveCapabilities(),
  });
}

/** Tracepoints this kernel was built without. A function may be a module's: only loading tells. */
function findAbsentPrograms(library: Libbpf, programs: readonly BpfProgram[]): readonly string[] {
  using types = openKernelTypes(library);

  const isAbsent = (section: string): boolean =>
    section.startsWith(TRACEPOINT_SECTION) && types?.hasTracepoint(section.slice(TRACEPOINT_SECTION.length)) === false;
  return programs.filter(({ section }) => isAbsent(section)).map(({ name }) => name);
}

/** `undefined`: this kernel does not tell its types, and the load says so of every program. */
function openKernelTypes(library: Libbpf): KernelTypes | undefined {
  try {
    return KernelTypes.open(library);
  } catch (error) {
    if (error instanceof ForeignCallError) return undefined;
    throw error;
  }
}

/** Parses `bytes` with libbpf; nothing reaches the kernel yet. @throws {EngineError} `object_rejected` */
export function openBpfObject(library: Libbpf, bytes: Uint8Array<ArrayBuffer>, options: { name: string }): BpfObject {
  try {
    return BpfObject.open(library, bytes, options);
  } catch (cause) {
    if (!(cause instanceof ForeignCallError)) throw cause;
    throw new EngineError(
      "object_rejected",
      `Cannot use the BPF object: libbpf does not read it (${cause.errnoName}), ` +
        'wanted one built by "deno task generate"',
      { cause },
    );
  }
}

/** include/linux/bpf_verifier.h: nothing unless it is refused, or the outcome alone (BPF_LOG_STATS). */
export type LogLevel = 0 | 4;

/** Where the recipe stands between two objects. */
interface Progress {
  readonly rejected: Rejection[];
  missingMaps: readonly MissingMap[] | undefined;
}

/**
 * The recipe, over any object that behaves like a BPF object.
 *
 * Every turn either ends or refuses one more provider, so it takes at most one
 * turn more than there are providers.
 *
 * @throws {EngineError} `capability_missing`, or `object_rejected` when no hook is left
 */
export function bringUp<Object extends LoadableObject<Link>, Link extends Disposable>(
  options: BringUpOptions<Object, Link>,
): AttachedObject<Object, Link> {
  const progress: Progress = { rejected: [], missingMaps: undefined };
  while (true) {
    const candidates = candidatesOf(options.hooks, progress.rejected);
    if (!hasWork(options.hooks, candidates)) throw nothingLeft(progress, options);
    using stack = new DisposableStack();
    const object = stack.use(
      openWith(options, candidates, { missingMaps: progress.missingMaps ?? [], logLevel: 0 }),
    );
    const loadError = tryForeign(() => object.load());
    if (loadError !== undefined) {
      const absent = findAbsent(options, candidates, object);
      progress.rejected.push(...absent);
      if (absent.length === 0) refuse(progress, findCulprit(options, candidates, { loadError, object, progress }));
      continue;
    }
    options.prepare?.(object);
    const links = new Map<string, Link[]>();
    stack.defer(() => disposeAll([...links.values()].flat()));
    const failure = attachAll(object, { hooks: options.hooks, candidates, links });
    if (failure !== undefined) {
      refuse(progress, failure);
      continue;
    }
    stack.move();
    const { rejected, missingMaps = [] } = progress;
    return new AttachedObject(object, { programs: candidates, links, rejected, missingMaps });
  }
}

/** The last first, all of them whatever happens. */
function disposeAll(owners: Iterable<Disposable>): void {
  using stack = new DisposableStack();
  for (const owner of owners) stack.use(owner);
}

/** `false`: every hook that would be attached has run out of providers. */
function hasWork(hooks: readonly HookPlan[], candidates: Candidates): boolean {
  const attached = hooks.filter(({ isAttached }) => isAttached !== false);
  return (attached.length > 0 ? attached : hooks).some(({ hook }) => candidates.has(hook));
}

/** The programs whose turn it is, for each hook that has a provider left. */
function candidatesOf(hooks: readonly HookPlan[], rejected: readonly Rejection[]): Candidates {
  const refused = new Set(rejected.map(({ hook, program }) => `${hook} ${program}`));
  const candidates = new Map<string, readonly [string, ...string[]]>();
  for (const { hook, providers, companions = {} } of hooks) {
    const isLeft = (program: string): boolean => !refused.has(`${hook} ${program}`);
    const provider = providers.find(isLeft);
    if (provider !== undefined) candidates.set(hook, [provider, ...(companions[provider] ?? []).filter(isLeft)]);
  }
  return candidates;
}

/** `undefined`: nothing to refuse, the maps were at fault and are known now. */
function refuse(progress: Progress, rejection: Rejection | undefined): void {
  if (rejection !== undefined) progress.rejected.push(rejection);
}

/** Each would cost a load of everything before it, and one more to find out that it was the culprit. */
function findAbsent<Object extends LoadableObject<Link>, Link extends Disposable>(
  options: Pick<BringUpOptions<Object, Link>, "findAbsent">,
  candidates: Candidates,
  object: Object,
): readonly Rejection[] {
  const names = new Set([...candidates.values()].flat());
  const absent = options.findAbsent?.(object.programs.filter(({ name }) => names.has(name))) ?? [];
  return absent.map((program) => ({
    hook: hookOf(candidates, program),
    program,
    stage: "load",
    errno: ERRNO.ESRCH,
    errnoName: "ESRCH",
    summary: "this kernel has no such place",
    log: "",
  }));
}

/** A fresh object in which only the candidates will load, without the maps this kernel cannot make. */
function openWith<Object extends LoadableObject<Link>, Link extends Disposable>(
  options: Pick<BringUpOptions<Object, Link>, "open">,
  candidates: Candidates,
  state: { readonly missingMaps: readonly MissingMap[]; readonly logLevel: LogLevel },
): Object {
  const wanted = new Set([...candidates.values()].flat());
  const object = options.open();
  try {
    for (const program of object.programs) {
      program.setAutoload(wanted.delete(program.name));
      program.setLogLevel(state.logLevel);
    }
    const [unknown] = wanted;
    if (unknown !== undefined) throw noSuchProgram(unknown);
    for (const { map } of state.missingMaps) object.setMapAutocreate(map, false);
  } catch (cause) {
    object[Symbol.dispose]();
    throw cause;
  }
  return object;
}

/**
 * Who is to blame for a failed load; `undefined` when it was the maps, which
 * `progress` knows then.
 *
 * Programs load in order, and at log level 0 only a refused one leaves a log.
 * Where the kernel refused before it verified anything (a program type it does
 * not permit, an attach point it does not have) no log says who; before Linux
 * 6.4 one that did not fit (ENOSPC) does not say why. Then a second load at level
 * 4 makes every program write its outcome and nothing of the way there: the
 * culprit is the one whose log did not fit, else the first without a log.
 */
function findCulprit<Object extends LoadableObject<Link>, Link extends Disposable>(
  options: BringUpOptions<Object, Link>,
  candidates: Candidates,
  state: { readonly loadError: ForeignCallError; readonly object: Object; readonly progress: Progress },
): Rejection | undefined {
  const { loadError, progress } = state;
  const names = new Set([...candidates.values()].flat());
  const logged = state.object.programs.find((program) => names.has(program.name) && program.log() !== "");
  if (logged !== undefined && loadError.errno !== ERRNO.ENOSPC) return toRejection(candidates, logged, loadError);
  if (logged === undefined && progress.missingMaps === undefined) {
    progress.missingMaps = findMissingMaps(options);
    if (isAllForbidden(state.object, progress.missingMaps)) throw nothingLeft(progress, options);
    if (progress.missingMaps.length > 0) return undefined;
  }
  using retried = openWith(options, candidates, { missingMaps: progress.missingMaps ?? [], logLevel: 4 });

  const error = tryForeign(() => retried.load()) ?? loadError;
  const tried = retried.programs.filter(({ name }) => names.has(name));
  const culprit = tried.find(({ name }) => name === logged?.name) ?? tried.find((program) => program.log() === "") ??
    tried[0];
  if (culprit === undefined) throw nothingLeft(progress, options);
  return toRejection(candidates, culprit, error);
}

/** Not even a map: no need to ask for every program. */
function isAllForbidden(object: { mapNames(): readonly string[] }, missing: readonly MissingMap[]): boolean {
  return missing.length > 0 && missing.length === object.mapNames().length &&
    missing.every(({ errno }) => errno === ERRNO.EPERM);
}

/** Makes each map alone, if making them all fails. */
export function findMissingMaps<Object extends LoadableObject<Link>, Link extends Disposable>(
  options: Pick<BringUpOptions<Object, Link>, "open">,
): readonly MissingMap[] {
  const none: Candidates = new Map();
  let names: readonly string[];
  {
    using object = openWith(options, none, { missingMaps: [], logLevel: 0 });

    if (tryForeign(() => object.load()) === undefined) return [];
    names = object.mapNames();
  }
  return names.flatMap((map) => {
    using object = openWith(options, none, { missingMaps: [], logLevel: 0 });

    for (const other of names) object.setMapAutocreate(other, other === map);
    const error = tryForeign(() => object.load());
    return error === undefined ? [] : [{ map, errno: error.errno, errnoName: error.errnoName }];
  });
}

function toRejection(
  candidates: Candidates,
  program: { readonly name: string; log(): string },
  error: ForeignCallError,
): Rejection {
  const log = program.log();
  return {
    hook: hookOf(candidates, program.name),
    program: program.name,
    stage: "load",
    errno: error.errno,
    errnoName: error.errnoName,
    summary: summarizeLog(log) ?? `the kernel refused it before verifying (${error.errnoName})`,
    log,
  };
}

function hookOf(candidates: Candidates, program: string): string {
  for (const [hook, programs] of candidates) if (programs.includes(program)) return hook;
  return program;
}

/** The first program that will not attach; those before it are in `links`. */
function attachAll<Link extends Disposable>(
  object: LoadableObject<Link>,
  state: {
    readonly hooks: readonly HookPlan[];
    readonly candidates: Candidates;
    readonly links: Map<string, Link[]>;
  },
): Rejection | undefined {
  for (const { hook, isAttached } of state.hooks) {
    const names = state.candidates.get(hook);
    if (names === undefined || isAttached === false) continue;
    const links: Link[] = [];
    state.links.set(hook, links);
    for (const name of names) {
      const refusal = attachOne(object, { hook, name, links });
      if (refusal !== undefined) return refusal;
    }
  }
  return undefined;
}

/** Yields why the program `name` will not attach; else its link is in `links`. */
function attachOne<Link extends Disposable>(
  object: LoadableObject<Link>,
  state: { readonly hook: string; readonly name: string; readonly links: Link[] },
): Rejection | undefined {
  const { hook, name, links } = state;
  const program = object.programs.find((candidate) => candidate.name === name);
  if (program === undefined) throw noSuchProgram(name);
  const error = tryForeign(() => void links.push(program.attach()));
  if (error === undefined) return undefined;
  const { errno, errnoName } = error;
  return { hook, program: name, stage: "attach", errno, errnoName, summary: error.message, log: "" };
}

function noSuchProgram(name: string): EngineError {
  return new EngineError("object_rejected", `Cannot load program ${name}: the object has none of that name`);
}

/** What the kernel answered, if it said no; anything else is a bug and goes on up. */
export function tryForeign(call: () => void): ForeignCallError | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (error instanceof ForeignCallError) return error;
    throw error;
  }
}

/** Lines of a verifier log that tell progress, not reasons. */
const LOG_NOISE =
  /^(processed \d+ insns|verification time|stack depth|max_states|peak_states|mark_read|arg#\d+ reference|Func#\d+|Validating |from \d+ to |\d+: |; |R\d+(_w)?=|func#\d+ |last_idx |regs=|parent |mark_precise)/;

/**
 * The verifier's own reason in one line: the last line that is neither an
 * instruction nor a figure; `undefined` for a log without one.
 */
export function summarizeLog(log: string): string | undefined {
  const lines = log.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const reason = lines.findLast((line) => !LOG_NOISE.test(line));
  return reason ?? lines.at(-1);
}

function nothingLeft(progress: Progress, options: { effectiveCapabilities(): bigint }): EngineError {
  const refused = progress.rejected.filter(({ errno }) => errno !== ERRNO.ESRCH); // no right would have helped
  const refusals = refused.length > 0 ? refused : progress.missingMaps ?? [];
  const isForbidden = refusals.length > 0 && refusals.every((refusal) => refusal.errno === ERRNO.EPERM);
  const missing = isForbidden ? missingCapabilities(options.effectiveCapabilities()) : [];
  if (missing.length > 0) {
    return new EngineError(
      "capability_missing",
      `Cannot load BPF programs: ${missing.join(" and ")} ${missing.length > 1 ? "are" : "is"} missing, ` +
        "wanted CAP_BPF and CAP_PERFMON (or root)",
    );
  }
  const details = [
    ...(progress.missingMaps ?? []).map(({ map, errnoName }) => `map ${map}: ${errnoName}`),
    ...progress.rejected.map(({ program, summary, errnoName }) => `${program}: ${summary} (${errnoName})`),
  ];
  return new EngineError(
    "object_rejected",
    `Cannot load BPF programs: the kernel refused all of them, wanted at least one (${details.join("; ")})`,
  );
}

/** What tracing asks for and `effective` lacks; CAP_SYS_ADMIN stands for both. */
export function missingCapabilities(effective: bigint): readonly string[] {
  const has = (capability: number): boolean => (effective >> BigInt(capability) & 1n) === 1n;
  if (has(CAPABILITY.SYS_ADMIN)) return [];
  return [
    ...(has(CAPABILITY.BPF) ? [] : ["CAP_BPF"]),
    ...(has(CAPABILITY.PERFMON) ? [] : ["CAP_PERFMON"]),
  ];
}
