/**
 * What people read of an object, kept so that a record on a known object costs
 * no string.
 *
 * @module
 */

import type { WaitObject } from "../api/measurements.ts";
import type { ObjectKey } from "../api/tracer_backend.ts";
import { SocketOrdinals } from "./socket_ordinals.ts";
import { isSameObject, toWaitObject } from "./wait_objects.ts";

/** A power of two, in pairs: a pair is picked by the low bits of the hash. */
const PLACE_COUNT = 4096;

interface Place {
  readonly key: ObjectKey;
  readonly object: WaitObject;
}

/** Two places per hash, of which the older object leaves. Bounded, never wrong. */
export class ObjectCache {
  readonly #places: (Place | undefined)[] = new Array<Place | undefined>(PLACE_COUNT).fill(undefined);
  readonly #nameOf: (key: ObjectKey) => string | undefined;
  readonly #ordinals = new SocketOrdinals();

  /** @param nameOf where names come from; call `forget` when one changes */
  constructor(nameOf: (key: ObjectKey) => string | undefined) {
    this.#nameOf = nameOf;
  }

  objectOf(key: ObjectKey): WaitObject {
    const index = firstPlaceOf(key);
    const newer = this.#places[index];
    if (newer !== undefined && isSameObject(newer.key, key)) return newer.object;
    const older = this.#places[index + 1];
    if (older !== undefined && isSameObject(older.key, key)) return older.object;
    const object = toWaitObject(key, { name: this.#nameOf(key), ordinals: this.#ordinals });
    this.#places[index + 1] = newer;
    this.#places[index] = { key, object };
    return object;
  }

  /** Its name changed: the next look makes it anew. */
  forget(key: ObjectKey): void {
    const index = firstPlaceOf(key);
    this.#places[index] = undefined;
    this.#places[index + 1] = undefined;
  }
}

/**
 * Spreads every bit of the key over the low ones (the finaliser of MurmurHash3):
 * addresses of one network differ in the highest byte alone, inodes in the lowest.
 */
function firstPlaceOf(key: ObjectKey): number {
  let hash = Math.imul(key.lowLow, 0x9e3779b1) ^ Math.imul(key.lowHigh, 0x85ebca6b);
  hash ^= Math.imul(key.highLow ^ key.highHigh, 0xc2b2ae35) ^ Math.imul(key.port ^ (key.kind << 16), 0x27d4eb2f);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) & (PLACE_COUNT - 2);
}
