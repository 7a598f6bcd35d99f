import { DEFAULT_PLANES } from "../../engine/api/plane.ts";
import type { Engine, RouteProblem } from "../../engine/api/engine.ts";
import { EngineError } from "../../engine/api/errors.ts";
import type { Exporter } from "../../engine/api/exporter.ts";
import type { TargetSet } from "../../engine/api/target.ts";
import { SLOW_SOCKET_MS_DEFAULT } from "../../engine/api/limits.ts";
import { DEFAULT_THRESHOLDS } from "../../engine/api/thresholds.ts";
import { toProcessId, toTargetId } from "../../engine/api/units.ts";
import { assert } from "../../tests/support/assert.ts";
import { keepContext, type KeptContext } from "../../tests/support/process_contexts.ts";
import type { Severity } from "../../engine/api/severity.ts";
import { RunError } from "../run_error.ts";
import { OutputGoneError } from "../text_output.ts";
import { UsageError } from "../usage_error.ts";
import { diagnose } from "./diagnose.ts";
import type { DiagnoseRequest, RequestedView } from "./request.ts";
import { LIFE_CHECK_INTERVAL_MS, LIFE_CHECKS_FAILED_MAX } from "./window.ts";
import type { DiagnoseWiring, RenderOptions, RunFacts } from "./wiring.ts";

const WINDOW: Extract<RequestedView, { kind: "window" }> = {
  kind: "window",
  durationMs: 30_000,
  slowWaitMs: 10,
  slowFileMs: 10,
  hasUserStacks: false,
  planes: DEFAULT_PLANES,
  failOn: undefined,
  live: "none",
  selection: {
    categories: undefined,
    thresholds: DEFAULT_THRESHOLDS,
    slowWaitMsByClass: {},
    slowSocketMs: SLOW_SOCKET_MS_DEFAULT,
  },
};

const REQUEST: DiagnoseRequest = {
  target: { kind: "processes", processIds: [toProcessId(4711)] },
  view: WINDOW,
  output: "text",
  outputFile: undefined,
  recordingFile: undefined,
  logLevel: "info",
};

/** What the world does that a real engine and host will not do on demand. */
interface Faults {
  readonly traceable?: EngineError;
  readonly resolve?: EngineError;
  readonly open?: EngineError;
  readonly setTargets?: RouteProblem;
  readonly run?: EngineError;
}

interface Host {
  readonly wiring: DiagnoseWiring;
  /** What is in force: "engine" while attached. */
  readonly attached: Set<string>;
  readonly alive: Set<number>;
  readonly tracedSets: TargetSet[];
  readonly concluded: RunFacts[];
  readonly rendered: RenderOptions[];
  threadCount: number;
  severities: Severity[];
  /** Resolves at the next `Engine.run`. */
  readonly running: Promise<void>;
}

function openHost(faults: Faults = {}): Host {
  const started = Promise.withResolvers<void>();
  const host: Host = {
    attached: new Set(),
    alive: new Set([4711]),
    tracedSets: [],
    concluded: [],
    rendered: [],
    threadCount: 1,
    severities: [],
    running: started.promise,
    wiring: {
      assertTraceable: () => raise(faults.traceable),
      resolve: (requested) => {
        raise(faults.resolve);
        const processIds = requested.kind === "processes" ? requested.processIds : [];
        for (const processId of processIds) host.alive.add(processId);
        const target = { id: toTargetId("t"), label: "it", cgroups: [], processIds, isSystemWide: false };
        return { targets: [target], notes: ["found with a note"] };
      },
      isProcessAlive: (processId) => host.alive.has(processId),
      isCgroupPresent: () => false,
      openDiagnosis: () => ({
        exporter: SILENT_EXPORTER,
        alertsSoFar: () => [],
        conclude: (facts) => {
          assert.equal(host.attached.size, 0, "the report is made after everything is detached");
          host.concluded.push(facts);
          return finished(host);
        },
      }),
      openEngine: () => {
        raise(faults.open);
        host.attached.add("engine");
        return Promise.resolve(openEngine(host, { faults, onRun: started.resolve }));
      },
      takeSnapshot: () => Promise.resolve(finished(host)),
    },
  };
  return host;
}

function openEngine(host: Host, options: { faults: Faults; onRun: () => void }): Engine {
  return {
    setTargets: (next) => {
      host.tracedSets.push(next);
      return options.faults.setTargets === undefined ? [] : [options.faults.setTargets];
    },
    run: async ({ signal }) => {
      options.onRun();
      raise(options.faults.run);
      await new Promise<void>((resolve) => {
        if (signal.aborted) return resolve();
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
    },
    stats: () => {
      throw new Error("not asked for");
    },
    [Symbol.asyncDispose]: () => {
      host.attached.delete("engine");
      return Promise.resolve();
    },
  };
}

function finished(host: Host) {
  return {
    threadCount: host.threadCount,
    findingSeverities: host.severities,
    alerts: [],
    render: (format: string, options: RenderOptions = {}) => {
      host.rendered.push(options);
      return `report in ${format}\n`;
    },
  };
}

const SILENT_EXPORTER: Exporter = {
  export: (batch) => Promise.resolve({ exportedCount: batch.length, droppedCount: 0 }),
  exportMeasurements: () => Promise.resolve(),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

function raise(error: Error | undefined): void {
  if (error !== undefined) throw error;
}

function run(host: Host, context: KeptContext, overrides: Partial<DiagnoseRequest> = {}) {
  return diagnose({ ...REQUEST, ...overrides }, { context, wiring: host.wiring });
}

Deno.test("diagnose() looks for the whole duration, detaches, and only then reports", async () => {
  const host = openHost();
  const context = keepContext();
  const exitCode = run(host, context);
  await host.running;
  await context.timer.advance(29_999);
  assert.deepEqual([...host.attached], ["engine"]);
  assert.equal(context.stdout.text, "");
  await context.timer.advance(1);
  assert.equal(await exitCode, 0);
  assert.equal(context.stdout.text, "report in text\n");
  assert.deepEqual(host.concluded, [{ endReason: "duration", command: undefined }]);
  assert.equal(context.timer.sleeperCount, 0);
  assert.equal(context.stderr.text, "podtrace: found with a note\n");
});

Deno.test("diagnose() lays a report out for the terminal that it goes to, without colours where they are not wanted", async () => {
  const optionsFor = async (environment: Readonly<Record<string, string>>, isTerminal: boolean) => {
    const host = openHost();
    const context = keepContext(environment);
    context.stdout.isTerminal = isTerminal;
    const exitCode = run(host, context);
    await host.running;
    await context.timer.advance(30_000);
    await exitCode;
    return host.rendered.at(-1)?.text;
  };
  assert.deepEqual(await optionsFor({}, true), { columns: 80, isColoured: true });
  assert.deepEqual(await optionsFor({ NO_COLOR: "1" }, true), { columns: 80, isColoured: false });
  assert.deepEqual(await optionsFor({ NO_COLOR: "" }, true), { columns: 80, isColoured: true });
  assert.deepEqual(await optionsFor({ TERM: "dumb" }, true), { columns: 80, isColoured: false });
  assert.equal(await optionsFor({}, false), undefined);
});

Deno.test("diagnose() ends early with the report when a signal asks for it", async () => {
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    const host = openHost();
    const context = keepContext();
    const exitCode = run(host, context, { output: "json" });
    await host.running;
    context.requestEnd({ kind: "signal", name });
    assert.equal(await exitCode, 0);
    assert.equal(context.stdout.text, "report in json\n");
    assert.deepEqual(host.concluded, [{ endReason: "interrupted", command: undefined }]);
    assert.equal(context.timer.sleeperCount, 0);
  }
});

Deno.test("diagnose() ends early when nothing of the target is left, and not at the first look", async () => {
  const host = openHost();
  const context = keepContext();
  const exitCode = run(host, context);
  await host.running;
  host.alive.clear();
  await context.timer.advance(LIFE_CHECK_INTERVAL_MS * (LIFE_CHECKS_FAILED_MAX - 1));
  host.alive.add(4711);
  await context.timer.advance(LIFE_CHECK_INTERVAL_MS);
  host.alive.clear();
  await context.timer.advance(LIFE_CHECK_INTERVAL_MS * LIFE_CHECKS_FAILED_MAX - 1);
  assert.equal(context.stdout.text, "");
  await context.timer.advance(1);
  assert.equal(await exitCode, 0);
  assert.equal(host.concluded[0]?.endReason, "targetsEnded");
});

Deno.test("diagnose() shows its progress on a terminal and takes it away", async () => {
  const host = openHost();
  const context = keepContext();
  context.stderr.isTerminal = true;
  const exitCode = run(host, context, { view: { ...WINDOW, durationMs: 2000 } });
  await host.running;
  await context.timer.advance(2000);
  await exitCode;
  assert.match(context.stderr.text, /\r\x1b\[K0 s of 2 s, 0 threads, 0 waits\r\x1b\[K1 s of 2 s/);
  assert.ok(context.stderr.text.endsWith("\r\x1b[K"));
});

Deno.test("diagnose() stops when its terminal is gone", async () => {
  const host = openHost();
  const context = keepContext();
  context.stderr.isTerminal = true;
  const exitCode = run(host, context);
  await host.running;
  context.stderr.failure = new OutputGoneError("gone");
  context.stdout.failure = context.stderr.failure;
  const rejected = assert.rejects(exitCode, OutputGoneError);
  await context.timer.advance(1000);
  await rejected;
  assert.equal(host.attached.size, 0);
  assert.equal(host.concluded[0]?.endReason, "interrupted");
});

Deno.test("diagnose() answers with the exit codes of the report", async () => {
  const table: readonly (readonly [Partial<Host>, Severity | undefined, number])[] = [
    [{ threadCount: 0 }, undefined, 3],
    [{ severities: ["error"] }, undefined, 0],
    [{ severities: ["error"] }, "error", 4],
    [{ severities: ["warning"] }, "error", 0],
  ];
  for (const [world, failOn, expected] of table) {
    const host = Object.assign(openHost(), world);
    const context = keepContext();
    const exitCode = run(host, context, { view: { ...WINDOW, failOn } });
    await host.running;
    await context.timer.advance(30_000);
    assert.equal(await exitCode, expected);
    assert.equal(context.stdout.text, "report in text\n");
  }
});

Deno.test("diagnose() leaves nothing attached, no file and no sleeper when a step fails", async () => {
  const folder = await Deno.makeTempDir();
  const failure = new EngineError("attach_failed", "Cannot attach");
  const table: readonly Faults[] = [
    { traceable: failure },
    { resolve: failure },
    { open: failure },
    { setTargets: { routeId: "diagnose" as RouteProblem["routeId"], cause: failure } },
    { run: failure },
  ];
  for (const faults of table) {
    const host = openHost(faults);
    const context = keepContext();
    await assert.rejects(run(host, context, { outputFile: `${folder}/report` }), failure);
    assert.equal(host.attached.size, 0);
    assert.equal(context.timer.sleeperCount, 0);
    assert.deepEqual([...Deno.readDirSync(folder)], []);
  }
  await Deno.remove(folder);
});

Deno.test("diagnose() refuses an output file that cannot be, before it looks at the host", async () => {
  const host = openHost({ traceable: new EngineError("kernel_unsupported", "too late") });
  await assert.rejects(run(host, keepContext(), { outputFile: "/no/such/folder/report" }), RunError);
});

Deno.test("diagnose() attaches nothing when it was told to end before", async () => {
  const host = openHost();
  const context = keepContext();
  context.requestEnd({ kind: "signal", name: "SIGINT" });
  await assert.rejects(
    run(host, context),
    new RunError("Cannot diagnose: ended by SIGINT before anything was traced"),
  );
  assert.deepEqual(host.tracedSets, []);
});

Deno.test("diagnose() has nothing beside the report's file to leave there when the process is forced to end", async () => {
  const folder = await Deno.makeTempDir();
  const host = openHost();
  const context = keepContext();
  const exitCode = run(host, context, { outputFile: `${folder}/report` });
  await host.running;
  assert.deepEqual([...Deno.readDirSync(folder)], []);
  context.requestEnd({ kind: "signal", name: "SIGINT" });
  context.forceEnd();
  assert.deepEqual([...Deno.readDirSync(folder)], []);
  await exitCode; // the process would be gone by now
  await Deno.remove(folder, { recursive: true });
});

Deno.test("diagnose() traces a command from its start, reports how it ended, and stops one that goes on", async () => {
  const context = keepContext({ PATH: Deno.env.get("PATH") ?? "" });
  const host = openHost();
  const target = { kind: "command", argv: ["sh", "-c", "exit 3"] } as const;
  assert.equal(await run(host, context, { target }), 0);
  assert.deepEqual(host.concluded, [{
    endReason: "commandEnded",
    command: { argv: target.argv, outcome: { exitCode: 3, signal: undefined, stoppedBy: undefined } },
  }]);
  const [traced] = host.tracedSets[0]?.targets.values() ?? [];
  assert.match(traced?.label ?? "", /^command sh \(pid \d+\)$/);
  assert.match(context.stderr.text, /\npodtrace: command exited with 3\n$/);

  const longer = openHost();
  const exitCode = run(longer, context, { target: { kind: "command", argv: ["sleep", "600"] } });
  await longer.running;
  await context.timer.advance(30_000);
  assert.equal(await exitCode, 0);
  assert.equal(longer.concluded[0]?.endReason, "duration");
  assert.equal(longer.concluded[0]?.command?.outcome.stoppedBy, "SIGTERM");
});

Deno.test("diagnose() never begins the command when attaching fails", async () => {
  const folder = await Deno.makeTempDir();
  const context = keepContext({ PATH: Deno.env.get("PATH") ?? "" });
  const host = openHost({ open: new EngineError("attach_failed", "Cannot attach") });
  await assert.rejects(
    run(host, context, { target: { kind: "command", argv: ["touch", `${folder}/begun`] } }),
    EngineError,
  );
  assert.deepEqual([...Deno.readDirSync(folder)], []);
  await Deno.remove(folder);
});

Deno.test("diagnose() --now looks once and attaches nothing of its own", async () => {
  const host = openHost();
  const context = keepContext();
  assert.equal(await run(host, context, { view: { kind: "now" } }), 0);
  assert.equal(context.stdout.text, "report in text\n");
  assert.deepEqual(host.tracedSets, []);
});

Deno.test("diagnose() refuses to send a page of HTML to a terminal before anything is looked at", async () => {
  const host = openHost({ traceable: new EngineError("kernel_unsupported", "never asked") });
  const context = keepContext();
  context.stdout.isTerminal = true;
  await assert.rejects(run(host, context, { output: "html" }), (error) => {
    assert.ok(error instanceof UsageError);
    assert.equal(
      error.message,
      "Cannot write HTML to a terminal: add --output-file report.html, or send stdout to a file or pipe",
    );
    return true;
  });
});
