/**
 * The developers' binary: sets the machine up, generates, checks, tests,
 * measures. It is never shipped.
 *
 * @module
 */

/** Does its work and yields the exit code. */
type Subcommand = (args: string[]) => Promise<number>;

/** Imported only when asked for, so that a broken tool never stops another. */
const SUBCOMMANDS: ReadonlyMap<string, { readonly about: string; load(): Promise<Subcommand> }> = new Map([
  ["setup", {
    about:
      "install what building, testing and tracing need; --bench adds what the bench measures, --tests what only tests use",
    load: async () => (await import("./setup.ts")).runSetup,
  }],
  ["check", {
    about: "format, lint with the layer rule, types, documentation, examples, generated files",
    load: async () => (await import("./check.ts")).runCheck,
  }],
  ["test", {
    about: "the whole gate: setup, check, every test",
    load: async () => (await import("./test_run.ts")).runTest,
  }],
  ["fuzz", {
    about: "every property with fresh seeds, --rounds N times",
    load: async () => (await import("./fuzz.ts")).runFuzz,
  }],
  ["generate", {
    about: "build the BPF objects and write what is derived from them; --check compares only",
    load: async () => (await import("./generate.ts")).runGenerate,
  }],
  ["compile", {
    about: "make dist/podtrace: one program with the BPF object and its libraries inside",
    load: async () => (await import("./compile.ts")).runCompile,
  }],
  ["demo", {
    about: "diagnose a small service with three planted troubles; --seed N moves them",
    load: async () => (await import("./demo/demo.ts")).runDemo,
  }],
  ["recordings", {
    about: "write what replaying the regression corpus finds; --record makes the corpus anew (root)",
    load: async () => (await import("./recordings.ts")).runRecordings,
  }],
  ["bench", {
    about: "measure the published figures; --check fails on a miss",
    load: async () => (await import("./bench/bench.ts")).runBench,
  }],
  ["vmtest", {
    about: "the same BPF object on other kernels, in emulated machines",
    load: async () => (await import("./vmtest/vmtest.ts")).runVmtest,
  }],
]);

const EXIT_USAGE = 2;

/** Runs the subcommand that `args` begin with. */
async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  const subcommand = name === undefined ? undefined : SUBCOMMANDS.get(name);
  if (subcommand === undefined) {
    const isHelp = name === "help" || name === "--help";
    (isHelp ? console.log : console.error)(usage(isHelp ? undefined : name));
    return isHelp ? 0 : EXIT_USAGE;
  }
  const run = await subcommand.load();
  // `deno task demo -- --seed 7` hands the separator over; it means nothing here.
  return await run(rest[0] === "--" ? rest.slice(1) : rest);
}

function usage(name: string | undefined): string {
  const problem = name === undefined ? [] : [`Cannot run ${JSON.stringify(name)}: there is no such subcommand`];
  const lines = [...SUBCOMMANDS].map(([key, { about }]) => `  ${key.padEnd(10)}${about}`);
  return [...problem, "usage: deno task SUBCOMMAND [OPTIONS]", ...lines].join("\n");
}

if (import.meta.main) Deno.exit(await main(Deno.args));
