/**
 * `podtrace diagnose` that begins and ends when it is told to, so that what is
 * measured between does not hold its start.
 *
 *     tracer_program.ts PID [PLANE...]
 *
 * Each line "on" or "off" on standard input is answered by the same word once
 * that is so.
 *
 * @module
 */

import { SLOW_FILE_MS_DEFAULT, SLOW_SOCKET_MS_DEFAULT } from "../../../engine/api/limits.ts";
import { DEFAULT_PLANES, type Plane, PLANES } from "../../../engine/api/plane.ts";
import type { Engine } from "../../../engine/api/engine.ts";
import { DEFAULT_THRESHOLDS } from "../../../engine/api/thresholds.ts";
import { toProcessId } from "../../../engine/api/units.ts";
import { planTargetSet } from "../../diagnose/target_set.ts";
import { type DiagnoseWiring, openWiring } from "../../diagnose/wiring.ts";
import { realTimer } from "../../process_context.ts";
import { readLines } from "./line_program.ts";

/** As `diagnose` has it. */
const SLOW_WAIT_MS = 10;

/** What is traced. */
interface Wanted {
  readonly processId: number;
  readonly planes: ReadonlySet<Plane>;
}

/** One diagnosis in progress. */
class Tracing {
  readonly #engine: Engine;
  readonly #end = new AbortController();
  readonly #run: Promise<void>;

  private constructor(engine: Engine) {
    this.#engine = engine;
    this.#run = engine.run({ signal: this.#end.signal });
  }

  /** Yields when every hook is attached and the target's threads are known. */
  static async begin(wiring: DiagnoseWiring, wanted: Wanted): Promise<Tracing> {
    const { targets } = wiring.resolve({ kind: "processes", processIds: [toProcessId(wanted.processId)] });
    const diagnosis = wiring.openDiagnosis(targets, {
      output: "text",
      selection: { categories: undefined, thresholds: DEFAULT_THRESHOLDS },
    });
    const engine = await wiring.openEngine({ diagnosis: () => diagnosis.exporter });
    const [problem] = engine.setTargets(
      planTargetSet(targets, {
        slowWaitMs: SLOW_WAIT_MS,
        slowFileMs: SLOW_FILE_MS_DEFAULT,
        slowSocketMs: SLOW_SOCKET_MS_DEFAULT,
        hasUserStacks: false,
        planes: wanted.planes,
      }),
    );
    if (problem !== undefined) throw problem.cause;
    return new Tracing(engine);
  }

  /** Yields when nothing is attached any more. */
  async finish(): Promise<void> {
    this.#end.abort();
    await this.#run;
    await this.#engine[Symbol.asyncDispose]();
  }
}

async function serve(wanted: Wanted): Promise<void> {
  const warn = (message: string) => console.error(message);
  const wiring = openWiring({
    context: {
      processId: Deno.pid,
      wallMs: () => Date.now(),
      timer: realTimer,
      environment: (name) => Deno.env.get(name),
    },
    log: { debug: () => {}, info: () => {}, warn, error: warn },
  });
  wiring.assertTraceable();
  let tracing: Tracing | undefined;
  for await (const line of readLines(Deno.stdin.readable)) {
    await tracing?.finish();
    tracing = line === "on" ? await Tracing.begin(wiring, wanted) : undefined;
    console.log(line);
  }
  await tracing?.finish();
}

if (import.meta.main) {
  const [processId, ...names] = Deno.args;
  const planes = PLANES.filter((plane) => names.includes(plane));
  await serve({ processId: Number(processId), planes: planes.length > 0 ? new Set(planes) : DEFAULT_PLANES });
}
