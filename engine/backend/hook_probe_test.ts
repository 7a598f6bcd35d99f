import { assert } from "../../tests/support/assert.ts";
import { ForeignCallError } from "../ffi/errors.ts";
import { type ProbedObject, type ProbedProgram, probeHooks, type ProviderVerdict } from "./hook_probe.ts";

const EPERM = 1;
const ENOENT = 2;
const ESRCH = 3;
const EINVAL = 22;

/** How a kernel answers to one program. */
interface Answer {
  readonly loadErrno?: number;
  readonly log?: string;
  readonly attachErrno?: number;
}

class FakeKernel {
  readonly programs: Readonly<Record<string, Answer>>;
  readonly mapErrnos: Readonly<Record<string, number>>;
  openCount = 0;
  /** Open objects and attached links together, the most there were at a time. */
  heldCount = 0;
  linksAtOnceMax = 0;

  constructor(programs: Readonly<Record<string, Answer>>, mapErrnos: Readonly<Record<string, number>> = {}) {
    this.programs = programs;
    this.mapErrnos = mapErrnos;
  }

  open(): FakeObject {
    this.openCount++;
    this.heldCount++;
    return new FakeObject(this);
  }
}

class FakeObject implements ProbedObject<Disposable> {
  readonly programs: readonly FakeProgram[];
  readonly #kernel: FakeKernel;
  readonly #maps: Set<string>;

  constructor(kernel: FakeKernel) {
    this.#kernel = kernel;
    this.#maps = new Set(Object.keys(kernel.mapErrnos));
    this.programs = Object.entries(kernel.programs).map(([name, answer]) => new FakeProgram(name, { kernel, answer }));
  }

  mapNames(): readonly string[] {
    return Object.keys(this.#kernel.mapErrnos);
  }

  setMapAutocreate(name: string, isOn: boolean): void {
    if (isOn) this.#maps.add(name);
    else this.#maps.delete(name);
  }

  load(): void {
    for (const map of this.#maps) refuse("bpf_object__load", this.#kernel.mapErrnos[map]);
    for (const program of this.programs) program.load();
  }

  [Symbol.dispose](): void {
    this.#kernel.heldCount--;
  }
}

class FakeProgram implements ProbedProgram<Disposable> {
  readonly name: string;
  readonly section: string;
  readonly #kernel: FakeKernel;
  readonly #answer: Answer;
  #isWanted = true;

  constructor(name: string, world: { kernel: FakeKernel; answer: Answer }) {
    this.name = name;
    this.section = `tp_btf/${name}`;
    this.#kernel = world.kernel;
    this.#answer = world.answer;
  }

  setAutoload(isOn: boolean): void {
    this.#isWanted = isOn;
  }

  setLogLevel(): void {}

  log(): string {
    return this.#answer.log ?? "";
  }

  load(): void {
    if (this.#isWanted) refuse("bpf_object__load", this.#answer.loadErrno);
  }

  attach(): Disposable {
    refuse("bpf_program__attach", this.#answer.attachErrno);
    const kernel = this.#kernel;
    kernel.heldCount++;
    kernel.linksAtOnceMax = Math.max(kernel.linksAtOnceMax, kernel.heldCount - 1);
    return { [Symbol.dispose]: () => void kernel.heldCount-- };
  }
}

function refuse(symbol: string, errno: number | undefined): void {
  if (errno !== undefined && errno !== 0) throw new ForeignCallError(symbol, errno);
}

const nextTurn = () => Promise.resolve();

async function verdictsOf(
  kernel: FakeKernel,
  providers: readonly string[],
): Promise<readonly (readonly [ProviderVerdict, string])[]> {
  const signal = new AbortController().signal;
  const { hooks } = await probeHooks([{ hook: "h", providers }], { open: () => kernel.open(), nextTurn, signal });
  assert.equal(kernel.heldCount, 0, "something is still open");
  return hooks.flatMap(({ providers: rows }) => rows.map(({ verdict, reason }) => [verdict, reason] as const));
}

Deno.test("probeHooks() calls the first that loads and attaches used, later ones available", async () => {
  const kernel = new FakeKernel({ a: { loadErrno: EINVAL, log: "R1 is bad\nprocessed 3 insns" }, b: {}, c: {} });
  assert.deepEqual(await verdictsOf(kernel, ["a", "b", "c"]), [
    ["refused", "R1 is bad (EINVAL)"],
    ["used", ""],
    ["available", ""],
  ]);
  assert.equal(kernel.linksAtOnceMax, 1);
});

Deno.test("probeHooks() tells a place the kernel lacks from a program it does not want there", async () => {
  const rows: readonly (readonly [Answer, ProviderVerdict, RegExp])[] = [
    [{ loadErrno: ESRCH }, "absent", /no such place \(ESRCH\)/],
    [{ attachErrno: ENOENT }, "absent", /no such place \(ENOENT\)/],
    [{ loadErrno: EPERM }, "refused", /before it was verified \(EPERM\)/],
    [{ attachErrno: EPERM }, "refused", /\(EPERM\)/],
    // ENOENT with a log is the verifier's, not a missing place.
    [{ loadErrno: ENOENT, log: "unknown func 199" }, "refused", /unknown func 199 \(ENOENT\)/],
  ];
  for (const [answer, verdict, reason] of rows) {
    const [row] = await verdictsOf(new FakeKernel({ a: answer }), ["a"]);
    assert.equal(row?.[0], verdict);
    assert.match(row?.[1] ?? "", reason);
  }
});

Deno.test("probeHooks() names a program that the object lacks", async () => {
  assert.deepEqual(await verdictsOf(new FakeKernel({ a: {} }), ["b"]), [
    ["absent", "this BPF object has no such program"],
  ]);
});

Deno.test("probeHooks() leaves out the maps a kernel cannot make, and says which", async () => {
  const kernel = new FakeKernel({ a: {} }, { ring: EINVAL, plain: 0 });
  const signal = new AbortController().signal;
  const outcome = await probeHooks([{ hook: "h", providers: ["a"] }], { open: () => kernel.open(), nextTurn, signal });
  assert.deepEqual(outcome.missingMaps.map(({ map, errnoName }) => [map, errnoName]), [["ring", "EINVAL"]]);
  assert.equal(outcome.hooks[0]?.providers[0]?.verdict, "used");
});

Deno.test("probeHooks() stops between programs when it is told to", async () => {
  const kernel = new FakeKernel({ a: {}, b: {} });
  const end = new AbortController();
  let turnCount = 0;
  const { hooks } = await probeHooks([{ hook: "h", providers: ["a"] }, { hook: "i", providers: ["b"] }], {
    open: () => kernel.open(),
    nextTurn: () => Promise.resolve(++turnCount === 2 ? end.abort() : undefined),
    signal: end.signal,
  });
  assert.deepEqual(hooks.map(({ providers }) => providers[0]?.verdict), ["used", "untried"]);
});
