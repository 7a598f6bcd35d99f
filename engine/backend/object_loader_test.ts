import { assert } from "../../tests/support/assert.ts";
import { EngineError } from "../api/errors.ts";
import { ForeignCallError } from "../ffi/errors.ts";
import { bringUp, type HookPlan, type LoadableObject, missingCapabilities, summarizeLog } from "./object_loader.ts";

const EPERM = 1;
const EACCES = 13;
const EINVAL = 22;
const ESRCH = 3;
const ENOSPC = 28;
const ALL_CAPABILITIES = 0xffff_ffff_ffffn;

/** How a kernel answers to one program. */
interface Verdict {
  /** Refused at load with this. */
  readonly errno?: number;
  /** What the verifier writes when it refuses; absent: it never got to see it. */
  readonly log?: string;
  /** What fits of its log on an old kernel when the way to the refusal is written, too. */
  readonly longLog?: string;
  /** Loads, but does not attach. */
  readonly attachErrno?: number;
}

/** What a kernel makes of an object, and what it was asked. */
class FakeKernel {
  readonly attached = new Set<string>();
  readonly openObjects = new Set<FakeObject>();
  openCount = 0;
  readonly programs: Readonly<Record<string, Verdict>>;
  readonly maps: Readonly<Record<string, number>>;

  constructor(programs: Readonly<Record<string, Verdict>>, options: { maps?: Readonly<Record<string, number>> } = {}) {
    this.programs = programs;
    this.maps = options.maps ?? {};
  }

  open(): FakeObject {
    this.openCount++;
    return new FakeObject(this);
  }
}

/** Behaves as libbpf and the verifier do: in order, all or nothing, a log only of what was verified. */
class FakeObject implements LoadableObject<Disposable> {
  readonly programs;
  readonly #kernel: FakeKernel;
  readonly #wantedMaps: Set<string>;

  constructor(kernel: FakeKernel) {
    this.#kernel = kernel;
    kernel.openObjects.add(this);
    this.#wantedMaps = new Set(Object.keys(kernel.maps));
    this.programs = Object.entries(kernel.programs).map(([name, verdict]) =>
      new FakeProgram(name, { kernel, verdict })
    );
  }

  mapNames(): readonly string[] {
    return Object.keys(this.#kernel.maps);
  }

  setMapAutocreate(name: string, isOn: boolean): void {
    if (isOn) this.#wantedMaps.add(name);
    else this.#wantedMaps.delete(name);
  }

  load(): void {
    for (const map of this.#wantedMaps) this.#refuse(this.#kernel.maps[map] ?? 0);
    for (const program of this.programs) this.#refuse(program.load());
  }

  #refuse(errno: number): void {
    if (errno !== 0) throw new ForeignCallError("bpf_object__load", errno);
  }

  [Symbol.dispose](): void {
    this.#kernel.openObjects.delete(this);
  }
}

class FakeProgram {
  readonly name: string;
  readonly #kernel: FakeKernel;
  readonly #verdict: Verdict;
  #isWanted = true;
  #logLevel = 0;
  #log = "";

  constructor(name: string, world: { kernel: FakeKernel; verdict: Verdict }) {
    this.name = name;
    this.#kernel = world.kernel;
    this.#verdict = world.verdict;
  }

  setAutoload(isOn: boolean): void {
    this.#isWanted = isOn;
  }

  setLogLevel(level: 0 | 4): void {
    this.#logLevel = level;
  }

  log(): string {
    return this.#log;
  }

  /** The errno; 0 when it loads or is not wanted. */
  load(): number {
    if (!this.#isWanted) return 0;
    const { errno, log, longLog } = this.#verdict;
    if (errno === undefined && this.#logLevel > 0) this.#log = "processed 12 insns (limit 1000000)\n";
    if (longLog !== undefined && this.#logLevel === 0) {
      this.#log = longLog;
      return ENOSPC;
    }
    if (errno !== undefined && log !== undefined) this.#log = `${log}\nprocessed 7 insns (limit 1000000)\n`;
    return errno ?? 0;
  }

  attach(): Disposable {
    if (this.#verdict.attachErrno !== undefined) {
      throw new ForeignCallError("bpf_program__attach", this.#verdict.attachErrno, { detail: this.name });
    }
    const { attached } = this.#kernel;
    attached.add(this.name);
    return { [Symbol.dispose]: () => void attached.delete(this.name) };
  }
}

function up(
  kernel: FakeKernel,
  hooks: readonly HookPlan[],
  options: { capabilities?: bigint; absent?: readonly string[] } = {},
) {
  const { absent = [] } = options;
  return bringUp<FakeObject, Disposable>({
    hooks,
    open: () => kernel.open(),
    findAbsent: (programs) => programs.map(({ name }) => name).filter((name) => absent.includes(name)),
    effectiveCapabilities: () => options.capabilities ?? ALL_CAPABILITIES,
  });
}

const SWITCH: HookPlan = { hook: "switch", providers: ["fexit", "raw", "classic"] };
const WAKING: HookPlan = { hook: "waking", providers: ["waking"] };

Deno.test("bringUp() takes the first provider of every hook when the kernel takes it", () => {
  const kernel = new FakeKernel({ fexit: {}, raw: {}, classic: {}, waking: {} });
  using attached = up(kernel, [SWITCH, WAKING]);

  assert.deepEqual([...attached.providers], [["switch", "fexit"], ["waking", "waking"]]);
  assert.deepEqual([...kernel.attached], ["fexit", "waking"]);
  assert.deepEqual(attached.rejected, []);
  assert.equal(kernel.openCount, 1);
});

Deno.test("bringUp() falls through the providers of one hook, whatever stage refuses them, and keeps the others", () => {
  const kernel = new FakeKernel({
    fexit: { errno: EPERM },
    raw: { errno: EACCES, log: "R1 invalid mem access 'scalar'" },
    classic: {},
    waking: {},
  });
  using attached = up(kernel, [SWITCH, WAKING]);

  assert.deepEqual([...attached.providers], [["switch", "classic"], ["waking", "waking"]]);
  const told = attached.rejected.map(({ hook, program, stage, errnoName, summary }) =>
    [hook, program, stage, errnoName, summary].join(" ")
  );
  assert.deepEqual(told, [
    "switch fexit load EPERM the kernel refused it before verifying (EPERM)",
    "switch raw load EACCES R1 invalid mem access 'scalar'",
  ]);
  assert.match(attached.rejected[1]?.log ?? "", /^R1 invalid mem access 'scalar'\nprocessed 7 insns/);
});

Deno.test("bringUp() finds out why a program was refused whose log did not fit", () => {
  const kernel = new FakeKernel({
    waking: {},
    fexit: { errno: EACCES, log: "R1 invalid mem access 'scalar'", longLog: "0: (79) r0 = *(u64 *)(r1 +800)" },
    raw: {},
    classic: {},
  });
  using attached = up(kernel, [WAKING, SWITCH]);

  assert.deepEqual([...kernel.attached], ["waking", "raw"]);
  assert.deepEqual(attached.rejected.map(({ program, errnoName, summary }) => `${program} ${errnoName} ${summary}`), [
    "fexit EACCES R1 invalid mem access 'scalar'",
  ]);
});

Deno.test("bringUp() finds a silent culprit behind programs that load", () => {
  const kernel = new FakeKernel({ waking: {}, fexit: {}, raw: {}, classic: {}, fork: { errno: ESRCH }, exec: {} });
  const hooks = [WAKING, SWITCH, { hook: "fork", providers: ["fork"] }, { hook: "exec", providers: ["exec"] }];
  using attached = up(kernel, hooks);

  assert.deepEqual([...attached.providers.keys()], ["waking", "switch", "exec"]);
  assert.deepEqual(attached.rejected.map(({ program }) => program), ["fork"]);
});

Deno.test("bringUp() moves on when a program loads but does not attach, and detaches what was attached before", () => {
  const kernel = new FakeKernel({ waking: {}, fexit: { attachErrno: EINVAL }, raw: {}, classic: {} });
  using attached = up(kernel, [WAKING, SWITCH]);

  assert.deepEqual([...kernel.attached], ["waking", "raw"]);
  assert.deepEqual(attached.rejected.map(({ stage, program }) => `${stage} ${program}`), ["attach fexit"]);
  assert.equal(kernel.openObjects.size, 1);
});

Deno.test("bringUp() does not attach a hook that is only to be loaded", () => {
  const kernel = new FakeKernel({ waking: {}, request: { attachErrno: EINVAL } });
  using attached = up(kernel, [WAKING, { hook: "request", providers: ["request"], isAttached: false }]);

  assert.deepEqual([...attached.links.keys()], ["waking"]);
  assert.equal(attached.providers.get("request"), "request");
});

Deno.test("attachHook() and detachHook() move one loaded hook, and leave the others and the object alone", () => {
  const kernel = new FakeKernel({ waking: {}, request: {} });
  using attached = up(kernel, [WAKING, { hook: "request", providers: ["request"], isAttached: false }]);

  attached.attachHook("request");
  attached.attachHook("request");
  assert.deepEqual([...kernel.attached], ["waking", "request"]);
  attached.detachHook("request");
  attached.detachHook("request");
  assert.deepEqual([...kernel.attached], ["waking"]);
  assert.deepEqual([...attached.everAttached], ["waking", "request"]);
  attached.attachHook("request");
  assert.deepEqual([...kernel.attached], ["waking", "request"]);
  assert.equal(kernel.openObjects.size, 1);
});

Deno.test("attachHook() keeps why a hook would not attach, and does not ask again", () => {
  const kernel = new FakeKernel({ waking: {}, request: { attachErrno: EINVAL } });
  using attached = up(kernel, [WAKING, { hook: "request", providers: ["request"], isAttached: false }]);

  attached.attachHook("request");
  attached.attachHook("request");
  assert.deepEqual(attached.rejected.map(({ hook, stage }) => `${stage} ${hook}`), ["attach request"]);
  assert.deepEqual([...attached.everAttached], ["waking"]);
});

Deno.test("bringUp() passes over all places a kernel lacks at once, after one load that failed", () => {
  const kernel = new FakeKernel({
    fexit: { errno: ESRCH },
    raw: { errno: ESRCH },
    classic: {},
    waking: { errno: ESRCH },
    woken: {},
  });
  const hooks = [SWITCH, { hook: "waking", providers: ["waking", "woken"] }];
  using attached = up(kernel, hooks, { absent: ["fexit", "raw", "waking"] });

  assert.deepEqual([...attached.providers], [["switch", "classic"], ["waking", "woken"]]);
  assert.deepEqual(attached.rejected.map(({ program, errnoName }) => `${program} ${errnoName}`), [
    "fexit ESRCH",
    "waking ESRCH",
    "raw ESRCH",
  ]);
  assert.equal(kernel.openCount, 3);
});

Deno.test("bringUp() names the capability that is missing, whatever the kernel lacks besides", () => {
  const kernel = new FakeKernel({ fexit: { errno: ESRCH }, raw: { errno: EPERM }, classic: { errno: EPERM } });
  assert.throws(() => up(kernel, [SWITCH], { capabilities: 0n, absent: ["fexit"] }), { code: "capability_missing" });
});

const TALK: HookPlan = {
  hook: "talk",
  providers: ["tracepoint", "four"],
  companions: { four: ["six", "unix"] },
  isAttached: false,
};

Deno.test("bringUp() leaves the companions of a provider out whose turn does not come", () => {
  const kernel = new FakeKernel({ waking: {}, tracepoint: {}, four: {}, six: { errno: EINVAL }, unix: {} });
  using attached = up(kernel, [WAKING, TALK]);

  attached.attachHook("talk");
  assert.deepEqual([...kernel.attached], ["waking", "tracepoint"]);
  assert.deepEqual([...attached.programs.get("talk") ?? []], ["tracepoint"]);
  assert.deepEqual(attached.rejected, []);
});

Deno.test("a companion that is refused, at load or when it is attached, costs itself alone", () => {
  const kernel = new FakeKernel({
    waking: {},
    tracepoint: { errno: ESRCH },
    four: {},
    six: { errno: EACCES, log: "R1 invalid mem access 'scalar'" },
    unix: { attachErrno: EINVAL },
  });
  using attached = up(kernel, [WAKING, TALK]);

  attached.attachHook("talk");
  assert.deepEqual([...kernel.attached], ["waking", "four"]);
  assert.equal(attached.providers.get("talk"), "four");
  assert.deepEqual(attached.rejected.map(({ stage, program }) => `${stage} ${program}`), [
    "load tracepoint",
    "load six",
    "attach unix",
  ]);
  assert.deepEqual([...attached.everAttached], ["waking", "talk"]);
  attached.detachHook("talk");
  assert.deepEqual([...kernel.attached], ["waking"]);
});

Deno.test("a provider that is refused takes its companions with it", () => {
  const kernel = new FakeKernel({
    waking: {},
    tracepoint: { errno: ESRCH },
    four: { errno: EINVAL },
    six: {},
    unix: {},
  });
  using attached = up(kernel, [WAKING, TALK]);

  attached.attachHook("talk");
  assert.deepEqual([...kernel.attached], ["waking"]);
  assert.equal(attached.programs.has("talk"), false);
});

Deno.test("companions of a hook that is attached at once are attached with it", () => {
  const kernel = new FakeKernel({
    tracepoint: { attachErrno: EINVAL },
    four: {},
    six: { attachErrno: EINVAL },
    unix: {},
  });
  using attached = up(kernel, [{ ...TALK, isAttached: true }]);

  assert.deepEqual([...kernel.attached], ["four", "unix"]);
  attached.detach();
  assert.equal(kernel.attached.size, 0);
});

Deno.test("bringUp() does without maps this kernel cannot make, and names them", () => {
  const kernel = new FakeKernel({ waking: {} }, { maps: { threads: 0, storage: EINVAL } });
  using attached = up(kernel, [WAKING]);

  assert.deepEqual(attached.missingMaps, [{ map: "storage", errno: EINVAL, errnoName: "EINVAL" }]);
  assert.deepEqual([...kernel.attached], ["waking"]);
});

Deno.test("bringUp() names what is missing when everything is forbidden", () => {
  const noPerfmon = ALL_CAPABILITIES & ~(1n << 38n) & ~(1n << 21n);
  const programs = new FakeKernel({ waking: { errno: EPERM } });
  assert.throws(
    () => up(programs, [WAKING], { capabilities: noPerfmon }),
    (error) =>
      error instanceof EngineError && error.code === "capability_missing" &&
      /CAP_PERFMON is missing/.test(error.message),
  );
  const maps = new FakeKernel({ waking: {} }, { maps: { threads: EPERM, waits: EPERM } });
  assert.throws(() => up(maps, [WAKING], { capabilities: 0n }), /CAP_BPF and CAP_PERFMON are missing/);
  assert.equal(programs.openObjects.size + maps.openObjects.size, 0);
});

Deno.test("bringUp() says object_rejected, with every reason, when the capabilities are there", () => {
  const kernel = new FakeKernel({
    waking: { errno: EPERM },
    fork: { errno: EACCES, log: "back-edge from insn 3 to 2" },
  });
  assert.throws(
    () => up(kernel, [WAKING, { hook: "fork", providers: ["fork"] }]),
    (error) =>
      error instanceof EngineError && error.code === "object_rejected" &&
      /waking: .*EPERM.*fork: back-edge from insn 3 to 2 \(EACCES\)/.test(error.message),
  );
  assert.equal(kernel.openObjects.size, 0);
});

Deno.test("bringUp() does not call it done when only programs that attach nowhere are left", () => {
  const kernel = new FakeKernel({ waking: { errno: EACCES, log: "no" }, request: {} });
  const hooks = [WAKING, { hook: "request", providers: ["request"], isAttached: false }];
  assert.throws(() => up(kernel, hooks), { code: "object_rejected" });
});

Deno.test("bringUp() refuses a plan that names a program the object does not have", () => {
  const kernel = new FakeKernel({ waking: {} });
  assert.throws(() => up(kernel, [{ hook: "fork", providers: ["fork"] }]), /Cannot load program fork/);
  assert.equal(kernel.openObjects.size, 0);
});

Deno.test("bringUp() prepares the object that stays, before anything is attached", () => {
  const kernel = new FakeKernel({ fexit: { attachErrno: EINVAL }, raw: {}, classic: {} });
  const prepared: FakeObject[] = [];
  const attachedAtPrepare: number[] = [];
  using attached = bringUp<FakeObject, Disposable>({
    hooks: [SWITCH],
    open: () => kernel.open(),
    prepare: (object) => {
      prepared.push(object);
      attachedAtPrepare.push(kernel.attached.size);
    },
    effectiveCapabilities: () => ALL_CAPABILITIES,
  });

  assert.equal(prepared.at(-1), attached.object);
  assert.deepEqual(attachedAtPrepare, [0, 0]);
});

Deno.test("bringUp() leaves nothing open when preparing fails", () => {
  const kernel = new FakeKernel({ waking: {} });
  const bring = () =>
    bringUp<FakeObject, Disposable>({
      hooks: [WAKING],
      open: () => kernel.open(),
      prepare: () => {
        throw new RangeError("no room");
      },
      effectiveCapabilities: () => ALL_CAPABILITIES,
    });
  assert.throws(bring, RangeError);
  assert.equal(kernel.openObjects.size, 0);
});

Deno.test("AttachedObject.detach() takes the hooks and keeps the object; disposal takes both", () => {
  const kernel = new FakeKernel({ waking: {} });
  const attached = up(kernel, [WAKING]);
  attached.detach();
  attached.detach();
  assert.equal(kernel.attached.size, 0);
  assert.equal(kernel.openObjects.size, 1);
  attached[Symbol.dispose]();
  assert.equal(kernel.openObjects.size, 0);
});

Deno.test("summarizeLog() finds the verifier's reason among instructions and figures", () => {
  const log = [
    "0: R1=ctx() R10=fp0",
    "; return (int)context[100];",
    "0: (79) r0 = *(u64 *)(r1 +800)",
    "invalid bpf_context access off=800 size=8",
    "processed 1 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0",
    "",
  ].join("\n");
  assert.equal(summarizeLog(log), "invalid bpf_context access off=800 size=8");
  assert.equal(
    summarizeLog("R0 invalid mem access 'map_value_or_null'\n"),
    "R0 invalid mem access 'map_value_or_null'",
  );
  assert.equal(summarizeLog("processed 4 insns\n"), "processed 4 insns");
  assert.equal(summarizeLog(""), undefined);
});

Deno.test("missingCapabilities() names what tracing lacks; CAP_SYS_ADMIN stands for both", () => {
  const rows: readonly (readonly [bigint, readonly string[]])[] = [
    [0n, ["CAP_BPF", "CAP_PERFMON"]],
    [1n << 39n, ["CAP_PERFMON"]],
    [1n << 38n, ["CAP_BPF"]],
    [(1n << 38n) | (1n << 39n), []],
    [1n << 21n, []],
  ];
  for (const [effective, missing] of rows) assert.deepEqual(missingCapabilities(effective), missing);
});
