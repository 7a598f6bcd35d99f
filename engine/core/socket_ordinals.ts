/**
 * Small numbers in place of kernel addresses.
 *
 * @module
 */

/** Sockets remembered; each is some 100 bytes. */
const SOCKETS_MAX = 16_384;

/**
 * Numbers sockets from 1 in the order they are first asked about. What the
 * kernel knows a bound unix socket by is the address of its name: that must
 * never be shown, since it tells where the kernel lies in memory. An ordinal
 * says as much within one run, and a recording yields the same ones again.
 */
export class SocketOrdinals {
  readonly #socketsMax: number;
  readonly #ordinals = new Map<bigint, number>();
  #lastOrdinal = 0;

  constructor(options: { socketsMax?: number } = {}) {
    this.#socketsMax = options.socketsMax ?? SOCKETS_MAX;
  }

  /** Yields the number of `address`; beyond the limit the oldest is forgotten, and gets a new one if it is met again. */
  ordinalOf(address: bigint): number {
    const known = this.#ordinals.get(address);
    if (known !== undefined) return known;
    this.#ordinals.set(address, ++this.#lastOrdinal);
    if (this.#ordinals.size > this.#socketsMax) {
      const oldest = this.#ordinals.keys().next();
      if (oldest.done !== true) this.#ordinals.delete(oldest.value);
    }
    return this.#lastOrdinal;
  }
}
