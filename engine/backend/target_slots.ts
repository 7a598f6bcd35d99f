/**
 * Which target has which slot of the kernel's target table. Slot 0 is nobody's.
 *
 * @module
 */

import { TARGETS_MAX } from "../api/limits.ts";
import type { Target } from "../api/target.ts";
import type { TargetId } from "../api/units.ts";

export interface SlotEntry {
  readonly slot: number;
  readonly target: Target;
}

/**
 * Slots are given out in turn and reused last, so that a record of a removed
 * target that is still in the ring is not taken for one of the next target.
 */
export class TargetSlots {
  readonly #entries = new Map<TargetId, SlotEntry>();
  readonly #used = new Set<number>();
  #last = 0;

  get count(): number {
    return this.#entries.size;
  }

  /** Bit n is set when a target cgroup lies n levels below the root. */
  get cgroupLevels(): number {
    let levels = 0;
    for (const { target } of this.#entries.values()) {
      for (const { level } of target.cgroups) levels |= 1 << level;
    }
    return levels >>> 0;
  }

  /** 0: nobody asked for the whole system. */
  get systemWideSlot(): number {
    for (const { slot, target } of this.#entries.values()) if (target.isSystemWide) return slot;
    return 0;
  }

  slotOf(targetId: TargetId): number | undefined {
    return this.#entries.get(targetId)?.slot;
  }

  /** @throws {RangeError} When all slots are taken: a caller's mistake, it checks TARGETS_MAX first */
  take(target: Target): number {
    for (let tried = 1; tried <= TARGETS_MAX; tried++) {
      const slot = (this.#last + tried - 1) % TARGETS_MAX + 1;
      if (this.#used.has(slot)) continue;
      this.#last = slot;
      this.#used.add(slot);
      this.#entries.set(target.id, { slot, target });
      return slot;
    }
    throw new RangeError(`Cannot take a target slot: found all ${TARGETS_MAX} in use`);
  }

  /** Targets that have a slot, in the order in which they got it. */
  targets(): readonly Target[] {
    return Array.from(this.#entries.values(), ({ target }) => target);
  }

  /** Gives a slot back that was just released: what it was for goes on. */
  restore(entry: SlotEntry): void {
    this.#entries.set(entry.target.id, entry);
    this.#used.add(entry.slot);
  }

  release(targetId: TargetId): SlotEntry | undefined {
    const entry = this.#entries.get(targetId);
    if (entry === undefined) return undefined;
    this.#entries.delete(targetId);
    this.#used.delete(entry.slot);
    return entry;
  }
}
