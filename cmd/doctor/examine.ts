/**
 * The doctor's look at the real machine.
 *
 * @module
 */

import { EngineError } from "../../engine/api/errors.ts";
import {
  builtObjectPath,
  isSelfContained,
  missingForTracing,
  openHostView,
  probeTracing,
  readEnvironmentFacts,
  readKernelFacts,
  type TracingProbe,
} from "../../engine/mod.ts";
import { chosenObjectPath, useObject } from "../chosen_object.ts";
import type { ProcessContext } from "../process_context.ts";
import { RunError } from "../run_error.ts";
import type { Examination } from "./examination.ts";

/** As the contract calls it. */
const RUNTIME_ENDPOINT_VARIABLE = "PODTRACE_CRI_ENDPOINT";

/** Reads, and loads and attaches every program for a moment; nothing is left when it resolves. */
export async function examine(
  context: Pick<ProcessContext, "wallMs" | "timer" | "environment" | "endSignal">,
): Promise<Examination> {
  const host = openHostView();
  const kernel = readKernelFacts(host.procFs);
  let sizeBytes: number | undefined;
  const probe = await orEngineError((): Promise<TracingProbe> =>
    useObject(context, (objectBytes) => {
      sizeBytes = objectBytes.byteLength;
      return probeTracing({ objectBytes, timer: context.timer, signal: context.endSignal });
    })
  );
  if (context.endSignal.aborted) {
    throw new RunError("Cannot examine this machine: ended by a signal before it was done");
  }
  return {
    atWallMs: context.wallMs(),
    architecture: Deno.build.arch,
    kernel,
    environment: readEnvironmentFacts(host),
    obstacle: missingForTracing(kernel),
    object: {
      path: chosenObjectPath(context) ?? builtObjectPath(),
      isEmbeddedAvailable: isSelfContained(),
      sizeBytes,
    },
    probe,
    runtimeEndpoint: context.environment(RUNTIME_ENDPOINT_VARIABLE) ?? "",
  };
}

async function orEngineError<T>(run: () => Promise<T>): Promise<T | EngineError> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
}
