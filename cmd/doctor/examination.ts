/**
 * What the doctor found on this machine: plain data, no judgement.
 *
 * @module
 */

import type { EngineError } from "../../engine/api/errors.ts";
import type { EnvironmentFacts, KernelFacts, TracingProbe } from "../../engine/mod.ts";

/** Everything the doctor looked at. */
export interface Examination {
  /** When, Unix milliseconds. */
  readonly atWallMs: number;
  readonly architecture: "x86_64" | "aarch64";
  readonly kernel: KernelFacts;
  readonly environment: EnvironmentFacts;
  /** Why no look could begin on this kernel with these rights; `undefined` when one could. */
  readonly obstacle: EngineError | undefined;
  readonly object: {
    /** The file that was chosen, or that belongs to the source tree; `undefined`: inside the program. */
    readonly path: string | undefined;
    readonly isEmbeddedAvailable: boolean;
    /** `undefined`: it could not be read. */
    readonly sizeBytes: number | undefined;
  };
  /** The error, when nothing could be tried at all. */
  readonly probe: TracingProbe | EngineError;
  /** What `PODTRACE_CRI_ENDPOINT` says. */
  readonly runtimeEndpoint: string;
}
