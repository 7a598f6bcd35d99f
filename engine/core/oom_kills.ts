/**
 * Processes of targets that the kernel killed for want of memory.
 *
 * @module
 */

import { OOM_KILLS_MAX } from "../api/limits.ts";
import type { OomKillMeasurement } from "../api/resource_measurements.ts";
import { sanitizeText } from "../api/text.ts";
import type { ExitRecord, OomKillRecord } from "../api/tracer_backend.ts";
import type { TargetId } from "../api/units.ts";
import { toOomKillEvent } from "./event_mapper.ts";

/** A kill before its time is told on the wall clock. */
type OomKill = Omit<OomKillMeasurement, "atWallMs"> & { readonly atMs: number };

/** The first `OOM_KILLS_MAX` of a run. */
export class OomKills {
  readonly #kills: OomKill[] = [];
  #forgottenCount = 0;

  /** Those beyond; where the kernel tells of kills, each was an event of its own. */
  get forgottenCount(): number {
    return this.#forgottenCount;
  }

  /** Those that are kept. */
  get count(): number {
    return this.#kills.length;
  }

  onKill(record: OomKillRecord, targetId: TargetId): void {
    const { command, memory, processId, atMs } = toOomKillEvent(record, targetId);
    this.#add({ targetId, atMs, processId, command, memory });
  }

  /** Where nothing told of the kill itself, the victim's end does. */
  onVictimEnd({ thread }: Pick<ExitRecord, "thread">, targetId: TargetId): void {
    const { processId, endMs, beginMs } = thread;
    if (this.#kills.some((kill) => kill.processId === processId && kill.atMs >= beginMs)) return;
    this.#add({ targetId, atMs: endMs, processId, command: sanitizeText(thread.command), memory: undefined });
  }

  /** Yields those of the targets that `isShared` knows, in the order in which they were told. */
  measurements(options: {
    readonly isShared: (targetId: TargetId) => boolean;
    /** Adds to a monotonic time to make it unix time. */
    readonly wallOffsetMs: number;
  }): OomKillMeasurement[] {
    return this.#kills.filter(({ targetId }) => options.isShared(targetId)).map(({ atMs, ...kill }) => ({
      ...kill,
      atWallMs: atMs + options.wallOffsetMs,
    }));
  }

  #add(kill: OomKill): void {
    if (this.#kills.length < OOM_KILLS_MAX) this.#kills.push(kill);
    else this.#forgottenCount++;
  }
}
