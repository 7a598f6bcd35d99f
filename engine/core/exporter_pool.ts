/**
 * Exporter instances, shared by key and counted; the last release disposes.
 *
 * @module
 */

import type { ExporterSpec } from "../api/bundle.ts";
import type { Exporter, ExporterFactories } from "../api/exporter.ts";
import type { ExporterKey } from "../api/units.ts";
import { invariant } from "./invariant.ts";

/** One share in an exporter. */
export interface ExporterLease {
  readonly exporter: Exporter;
  /** Gives the share back; yields the disposal when it was the last. Idempotent. */
  release(): Promise<void>;
}

interface Shared {
  readonly exporter: Exporter;
  leaseCount: number;
}

export class ExporterPool {
  readonly #factories: ExporterFactories;
  readonly #shared = new Map<ExporterKey, Shared>();

  constructor(factories: ExporterFactories) {
    this.#factories = factories;
  }

  /** Yields a share of the exporter called `key`, made from `spec` when nobody holds one. Throws what a factory throws. */
  acquire(key: ExporterKey, spec: ExporterSpec): ExporterLease {
    let shared = this.#shared.get(key);
    if (shared === undefined) {
      shared = { exporter: this.#factories[spec.type](spec), leaseCount: 0 };
      this.#shared.set(key, shared);
    }
    shared.leaseCount++;
    return this.#leaseOf(key, shared);
  }

  get exporterCount(): number {
    return this.#shared.size;
  }

  #leaseOf(key: ExporterKey, shared: Shared): ExporterLease {
    let isHeld = true;
    return {
      exporter: shared.exporter,
      release: async () => {
        if (!isHeld) return;
        isHeld = false;
        shared.leaseCount--;
        invariant(shared.leaseCount >= 0, `Expected exporter ${key} to be held, got ${shared.leaseCount} leases`);
        if (shared.leaseCount > 0) return;
        this.#shared.delete(key);
        await shared.exporter[Symbol.asyncDispose]();
      },
    };
  }
}
