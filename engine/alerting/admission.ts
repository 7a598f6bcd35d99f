/**
 * Which alerts are told: none twice within a while, and not too many a minute.
 *
 * @module
 */

import { ALERT_KEYS_MAX } from "../api/limits.ts";

const MINUTE_MS = 60_000;

/** Remembers what was told, for `windowMs`, at most `ALERT_KEYS_MAX` of it. */
export class ToldAlerts {
  readonly #windowMs: number;
  readonly #toldMs = new Map<string, number>(); // oldest first

  constructor(options: { windowMs: number }) {
    this.#windowMs = options.windowMs;
  }

  has(key: string, nowMs: number): boolean {
    const toldMs = this.#toldMs.get(key);
    return toldMs !== undefined && nowMs - toldMs < this.#windowMs;
  }

  remember(key: string, nowMs: number): void {
    this.#toldMs.delete(key);
    for (const [oldest, toldMs] of this.#toldMs) {
      if (this.#toldMs.size < ALERT_KEYS_MAX && nowMs - toldMs < this.#windowMs) break;
      this.#toldMs.delete(oldest);
    }
    this.#toldMs.set(key, nowMs);
  }

  /** Nobody heard of it: it may be told again. */
  forget(key: string): void {
    this.#toldMs.delete(key);
  }
}

/** Lets `countMax` through in any span of one minute. */
export class MinuteRate {
  readonly #countMax: number;
  #passedMs: number[] = []; // oldest first

  constructor(options: { countMax: number }) {
    this.#countMax = options.countMax;
  }

  /** Yields whether there is room now, and takes it. */
  tryPass(nowMs: number): boolean {
    const firstRecent = this.#passedMs.findIndex((passedMs) => nowMs - passedMs < MINUTE_MS);
    this.#passedMs = firstRecent < 0 ? [] : this.#passedMs.slice(firstRecent);
    if (this.#passedMs.length >= this.#countMax) return false;
    this.#passedMs.push(nowMs);
    return true;
  }
}
