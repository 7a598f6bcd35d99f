/**
 * What `podtrace diagnose` needs of the engine, as one value: the flow is
 * written against it, and this file alone knows how the engine fulfils it.
 *
 * @module
 */

import type { Engine } from "../../engine/api/engine.ts";
import { EngineError } from "../../engine/api/errors.ts";
import type { Exporter, ExporterFactories } from "../../engine/api/exporter.ts";
import type { Target } from "../../engine/api/target.ts";
import type { DiagnosisOutcome } from "../exit_code.ts";
import type { OutputFormat } from "../options.ts";
import type { CommandOutcome } from "./command_target.ts";
import type { RequestedTarget } from "./request.ts";

/** A command is started first and then is a process. */
export type ResolvableTarget = Exclude<RequestedTarget, { kind: "command" }>;

/** What is traced, found on this host. */
export interface ResolvedTargets {
  readonly targets: readonly Target[];
  /** What a person should know about how they were found: one sentence each. */
  readonly notes: readonly string[];
}

/** What the flow knows of a run and the measurements do not say. */
export interface RunFacts {
  readonly endReason: EndReason;
  readonly command: { readonly argv: readonly string[]; readonly outcome: CommandOutcome } | undefined;
}

/** Why the window closed. */
export type EndReason = "duration" | "targetsEnded" | "commandEnded" | "interrupted";

/** A report that only needs its last form. */
export interface FinishedReport extends DiagnosisOutcome {
  render(format: OutputFormat): string;
}

/** Takes everything a run yields and makes the report of it. */
export interface Diagnosis {
  readonly exporter: Exporter;
  /** After the engine's run: everything is in. */
  conclude(facts: RunFacts): FinishedReport;
}

export interface DiagnoseWiring {
  /** @throws {EngineError} `kernel_unsupported`, `capability_missing`: why this host cannot be traced */
  assertTraceable(): void;
  /** @throws {EngineError} `target_gone`, `target_refused` */
  resolve(requested: ResolvableTarget): ResolvedTargets;
  /** Whether the process exists and is no zombie. */
  isProcessAlive(processId: number): boolean;
  /** Whether the cgroup directory at this absolute path exists. */
  isCgroupPresent(path: string): boolean;
  openDiagnosis(targets: readonly Target[]): Diagnosis;
  /** Loads and attaches; the engine owns all of it and gives it back on disposal. */
  openEngine(factories: ExporterFactories): Promise<Engine>;
  /** What every thread of `targets` does at this instant. */
  takeSnapshot(targets: readonly Target[]): Promise<FinishedReport>;
}

/** @throws {EngineError} `object_missing`: this build has no engine */
export function openWiring(): DiagnoseWiring {
  throw new EngineError("object_missing", "Cannot trace: found a build without its engine, wanted a complete one");
}
