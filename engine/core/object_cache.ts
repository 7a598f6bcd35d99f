/**
 * What people read of an object, kept so that a record on a known object costs
 * no string.
 *
 * @module
 */

import type { WaitObject } from "../api/measurements.ts";
import type { ObjectKey } from "../api/tracer_backend.ts";
import { isSameObject, toWaitObject } from "./wait_objects.ts";

/** A power of two: places are picked by the low bits of the hash. */
const PLACE_COUNT = 4096;

interface Place {
  readonly key: ObjectKey;
  readonly object: WaitObject;
}

/** Direct mapped: one object per place, the newer one wins. Bounded, never wrong. */
export class ObjectCache {
  readonly #places: (Place | undefined)[] = new Array<Place | undefined>(PLACE_COUNT).fill(undefined);
  readonly #nameOf: (key: ObjectKey) => string | undefined;

  /** @param nameOf where names come from; call `forget` when one changes */
  constructor(nameOf: (key: ObjectKey) => string | undefined) {
    this.#nameOf = nameOf;
  }

  objectOf(key: ObjectKey): WaitObject {
    const index = placeOf(key);
    const place = this.#places[index];
    if (place !== undefined && isSameObject(place.key, key)) return place.object;
    const object = toWaitObject(key, this.#nameOf(key));
    this.#places[index] = { key, object };
    return object;
  }

  /** Its name changed: the next look makes it anew. */
  forget(key: ObjectKey): void {
    this.#places[placeOf(key)] = undefined;
  }
}

/** Multiply and fold, so that neighbouring inodes and ports spread. */
function placeOf(key: ObjectKey): number {
  let hash = Math.imul(key.lowLow, 0x9e3779b1) ^ Math.imul(key.lowHigh, 0x85ebca6b);
  hash ^= Math.imul(key.highLow ^ key.highHigh, 0xc2b2ae35) ^ Math.imul(key.port ^ (key.kind << 16), 0x27d4eb2f);
  return (hash ^ (hash >>> 15)) & (PLACE_COUNT - 1);
}
