/**
 * The measurements of a run that handed none over.
 *
 * @module
 */

import { CATEGORIES, type Category, type Measurements } from "../api/measurements.ts";

/** Yields measurements of nothing, at one moment of unix time, blind for every category because of `reason`. */
export function noMeasurements(reason: string, atWallMs: number): Measurements {
  return {
    isFinal: true,
    window: { beginMs: 0, endMs: 0, beginWallMs: atWallMs, endWallMs: atWallMs },
    threads: [],
    processes: [],
    waits: [],
    cpuSamples: [],
    lockChains: [],
    peers: [],
    connections: [],
    omittedConnectionCount: 0,
    listenQueues: [],
    cgroups: [],
    processResources: [],
    cgroupResources: [],
    oomKills: [],
    fileOperations: [],
    host: { cpuCount: 0, pressure: undefined },
    books: {
      ledger: perCategory({ seen: 0, filtered: 0, aggregated: 0, delivered: 0, dropped: {}, residual: 0 }),
      completeness: perCategory({ verdict: "blind", reason }),
      cost: {
        programs: [],
        runTimeNote: "nothing ran",
        hooks: [],
        recordCount: 0,
        recordBytes: 0,
        ownCpuMs: 0,
        ownMemoryBytes: 0,
        mapMemoryBytes: 0,
        targetCpuMs: 0,
      },
    },
  };
}

function perCategory<T>(entry: T): Record<Category, T> {
  // Object.fromEntries widens the keys; CATEGORIES has every one.
  return Object.fromEntries(CATEGORIES.map((category) => [category, entry])) as Record<Category, T>;
}
