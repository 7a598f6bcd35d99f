/**
 * Looks at programs of which nothing is to be said.
 *
 * @module
 */

import type { Plane } from "../../engine/api/plane.ts";
import { assert } from "./assert.ts";
import { findingsIn } from "./report_findings.ts";
import { processTarget, Tracing } from "./tracing.ts";

const WINDOW_MS = 1500;
const ALL_PLANES: ReadonlySet<Plane> = new Set<Plane>(["time", "sockets", "memory", "files"]);

/**
 * A machine that is short of CPUs for a moment makes anybody wait, for a CPU
 * (which is then true: `cpu-wait` has a quiet counterpart of its own) and for each
 * other; a false rule speaks every time.
 */
const LOOKS_MAX = 5;

/** One of some looks at the process and all it started has nothing above info. */
export async function assertQuiet(processId: number): Promise<void> {
  for (let count = 1; count < LOOKS_MAX; count++) if ((await look(processId)).length === 0) return;
  assert.deepEqual(await look(processId), []);
}

async function look(processId: number): Promise<readonly string[]> {
  await using tracing = await Tracing.start([processTarget(processId)], { planes: ALL_PLANES });
  await tracing.lasts(WINDOW_MS);
  const measured = await tracing.finish();
  assert.ok(measured.threads.length > 0, "the program was seen");
  return findingsIn(measured, tracing.events).filter(({ id, severity }) => severity !== "info" && id !== "cpu-wait")
    .map(({ severity, id, title }) => `${severity} ${id}: ${title}`);
}
