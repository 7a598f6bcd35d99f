/**
 * A run that was recorded, ready to be run again.
 *
 * @module
 */

import { LAYOUT } from "../../bpf/generated/layout.ts";
import type { Clock } from "../api/clock.ts";
import type { EngineError } from "../api/errors.ts";
import type { HostReader } from "../api/host_reader.ts";
import type { Timer } from "../api/timer.ts";
import type { TracerBackend } from "../api/tracer_backend.ts";
import type { LayoutTable } from "../btf/layout.ts";
import { ReplayHostReader } from "../recording/host_tape.ts";
import { RecordingReader, type RecordingSource } from "../recording/recording_reader.ts";
import { ReplayTape } from "../recording/replay_tape.ts";
import { anObjectOf, aNumber, aTable, aText, type Shape } from "../recording/shapes.ts";
import { LayoutTranslation } from "./layout_translation.ts";
import { LibbpfBackend } from "./libbpf_backend.ts";
import { ReplayAccess } from "./replay_access.ts";
import { META_KEYS, type RecordingFacts, WALL_KEY } from "./run_recording.ts";

/** Both are little endian and number their system calls in ways the recording names. */
const ARCHITECTURES: readonly string[] = ["x86_64", "aarch64"];

const FACTS: Shape<RecordingFacts> = anObjectOf({ podtrace: aText, architecture: aText, kernel: aText });

const A_LAYOUT: Shape<LayoutTable> = anObjectOf({
  structs: aTable(anObjectOf({ sizeBytes: aNumber, fields: aTable(aText) })),
  enums: aTable(aTable(aNumber)),
});

/** How a replay is opened. */
export interface ReplayOptions {
  /** What people call the recording: its path, quoted. */
  readonly name: string;
}

/** One recording, played once: kernel, host and clock as the engine wants them. */
export class ReplayedRun {
  /** What the recording says of itself. */
  readonly facts: RecordingFacts;
  readonly #reader: RecordingReader;
  readonly #tape: ReplayTape;
  readonly #translation: LayoutTranslation;
  readonly #end = new AbortController();

  /**
   * Opens the recording in `source`, which stays open until the replay is over.
   *
   * @throws {EngineError} `recording_unusable`
   */
  constructor(source: RecordingSource, options: ReplayOptions) {
    this.#reader = new RecordingReader(source, options);
    this.facts = this.#readFacts();
    if (!ARCHITECTURES.includes(this.facts.architecture)) {
      const wanted = ARCHITECTURES.join(" or ");
      throw this.#reader.unusable(`one of a ${this.facts.architecture} machine`, { wanted });
    }
    this.#tape = new ReplayTape(this.#reader);
    this.#translation = new LayoutTranslation(this.#tape.meta(META_KEYS.layout, A_LAYOUT), LAYOUT);
    const [conflict] = this.#translation.conflicts();
    if (conflict !== undefined) {
      throw this.#reader.unusable(`a layout of podtrace ${this.facts.podtrace} in which ${conflict}`, {
        wanted: "one that this build can translate",
      });
    }
  }

  /** Aborts where the recorded window closed: what the engine is run with. */
  get endSignal(): AbortSignal {
    return this.#end.signal;
  }

  /** The recording does not go to the end of the run. */
  get isCut(): boolean {
    return !this.#reader.extent.isWhole;
  }

  /** Yields what was known before the run. @throws {EngineError} `recording_unusable` */
  run<Value>(shape: Shape<Value>): Value {
    return this.#tape.meta(META_KEYS.run, shape);
  }

  /** Yields what the recording ends with, after the replay; `undefined`: it is cut. @throws {EngineError} `recording_unusable` */
  outcome<Value>(shape: Shape<Value>): Value | undefined {
    return this.#tape.end(shape);
  }

  /** Yields the error for something in the recording that makes no sense. */
  unusable(found: string): EngineError {
    return this.#reader.unusable(found);
  }

  /**
   * Yields the recorded kernel; once.
   *
   * @param options.timer lets other work go on between two turns
   * @param options.plannedMs how long the look was to be; `undefined`: as long as it would take
   */
  openBackend(
    options: { readonly timer: Pick<Timer, "nextTurn">; readonly plannedMs: number | undefined },
  ): TracerBackend & Pick<Clock, "monotonicMs"> {
    const access: ReplayAccess = new ReplayAccess({
      tape: this.#tape,
      translation: this.#translation,
      timer: options.timer,
      onEnd: () => this.#end.abort(),
      endedEarly: () => this.isCut ? describeCut(backend, options.plannedMs) : undefined,
    });
    const backend: LibbpfBackend = new LibbpfBackend(access, { ownProcessId: 0 });
    return backend;
  }

  /** Yields the recorded host. */
  openHost(): HostReader {
    return new ReplayHostReader(this.#tape);
  }

  /** Yields the recorded wall clock. */
  wallMs(): number {
    return this.#tape.number(WALL_KEY);
  }

  #readFacts(): RecordingFacts {
    try {
      return FACTS(JSON.parse(this.#reader.preamble));
    } catch (cause) {
      throw this.#reader.unusable("a beginning that says something else than expected", { cause });
    }
  }
}

/** The window ends where the recording does. */
function describeCut(
  backend: LibbpfBackend,
  plannedMs: number | undefined,
): { readonly percent: number; readonly reason: string } {
  const heldMs = Math.max(0, backend.monotonicMs() - backend.windowBeginMs);
  const held = `${(heldMs / 1000).toFixed(1)} s`;
  if (plannedMs === undefined) return { percent: 0, reason: `the recording is cut after ${held}, the look went on` };
  const percent = Math.min(99.99, Math.floor((heldMs / plannedMs) * 10_000) / 100);
  return { percent, reason: `the recording is cut after ${held} of ${(plannedMs / 1000).toFixed(1)} s` };
}
