/**
 * Which targets are traced, in which slots, and the cgroups whose files tell of
 * them.
 *
 * @module
 */

import type { CgroupReading, HostReader } from "../api/host_reader.ts";
import type { CgroupMeasurement } from "../api/measurements.ts";
import type { CgroupResourceMeasurement } from "../api/resource_measurements.ts";
import type { Target } from "../api/target.ts";
import { sanitizeText } from "../api/text.ts";
import type { TargetId } from "../api/units.ts";
import type { Steps } from "./steps.ts";
import { toCgroupMeasurement, toCgroupResources } from "./window_deltas.ts";

/** What is known of a target for as long as it is traced. */
interface TargetEntry {
  readonly slot: number;
  readonly cgroups: readonly {
    readonly path: string;
    /** The process it was found for; `undefined`: it is the target itself. */
    readonly memberId: number | undefined;
    readonly begin: CgroupReading | undefined;
  }[];
}

export interface TargetChange {
  readonly removed: readonly TargetId[];
  readonly added: readonly { readonly target: Target; readonly slot: number }[];
}

/** Slot before to slot now; `undefined`: its target is gone. Slots that stay are not among them. */
export type SlotMoves = ReadonlyMap<number, number | undefined>;

/** What cgroup files tell of the window, of every target that has one. */
export interface CgroupFigures {
  readonly cgroups: readonly CgroupMeasurement[];
  readonly cgroupResources: readonly CgroupResourceMeasurement[];
}

export class TracedTargets {
  readonly #host: Pick<HostReader, "cgroup" | "cgroupPathOf">;
  readonly #targets = new Map<TargetId, TargetEntry>();
  readonly #targetOfSlot = new Map<number, TargetId>();

  constructor(host: Pick<HostReader, "cgroup" | "cgroupPathOf">) {
    this.#host = host;
  }

  /** Follows the kernel. A target that is in both lists goes on, with other members and maybe in another slot. */
  change({ removed, added }: TargetChange): SlotMoves {
    const moves = new Map<number, number | undefined>();
    const before = new Map<TargetId, TargetEntry>();
    for (const targetId of removed) {
      const entry = this.#targets.get(targetId);
      if (entry === undefined) continue;
      before.set(targetId, entry);
      moves.set(entry.slot, undefined);
      this.#targets.delete(targetId);
      this.#targetOfSlot.delete(entry.slot);
    }
    for (const { target, slot } of added) {
      const predecessor = before.get(target.id);
      if (predecessor !== undefined) moves.set(predecessor.slot, slot);
      this.#targets.set(target.id, { slot, cgroups: this.#openCgroups(target, predecessor) });
    }
    for (const [targetId, entry] of this.#targets) this.#targetOfSlot.set(entry.slot, targetId);
    for (const [from, to] of moves) if (from === to) moves.delete(from);
    return moves;
  }

  has(targetId: TargetId): boolean {
    return this.#targets.has(targetId);
  }

  /** `undefined`: nobody's, or nobody's any more. */
  targetOf = (slot: number): TargetId | undefined => this.#targetOfSlot.get(slot);

  /** A cgroup per step: each is several files. */
  *readCgroups(): Steps<CgroupFigures> {
    const cgroups: CgroupMeasurement[] = [];
    const cgroupResources: CgroupResourceMeasurement[] = [];
    for (const [targetId, entry] of this.#targets) {
      for (const { path, memberId, begin } of entry.cgroups) {
        const end = this.#host.cgroup(path, memberId);
        const cgroup = { targetId, path: sanitizeText(path) };
        cgroups.push(toCgroupMeasurement(cgroup, { begin, end }));
        cgroupResources.push(toCgroupResources(cgroup, { begin, end }));
        yield;
      }
    }
    return { cgroups, cgroupResources };
  }

  /** Readings at the beginning; a cgroup that stays keeps the one it has. */
  #openCgroups(target: Target, predecessor: TargetEntry | undefined): TargetEntry["cgroups"] {
    const memberOf = new Map<string, number | undefined>(target.cgroups.map(({ path }) => [path, undefined]));
    if (memberOf.size === 0) {
      // A target named by process: its limits are those of the group it is in.
      for (const processId of target.processIds) {
        const path = this.#host.cgroupPathOf(processId);
        if (path !== undefined && !memberOf.has(path)) memberOf.set(path, processId);
      }
    }
    return Array.from(memberOf, ([path, memberId]) =>
      predecessor?.cgroups.find((cgroup) => cgroup.path === path) ??
        { path, memberId, begin: this.#host.cgroup(path, memberId) });
  }
}
