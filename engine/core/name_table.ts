/**
 * Names of objects, learnt once per object and sanitised once, here.
 *
 * @module
 */

import { NAMES_MAX } from "../api/limits.ts";
import { sanitizeText } from "../api/text.ts";
import type { ObjectKey } from "../api/tracer_backend.ts";
import { OBJECT_KINDS, toObjectText } from "./wait_objects.ts";

/** What of a name record the table needs. */
export interface ObjectName {
  readonly object: ObjectKey;
  readonly components: readonly string[]; // leaf first, not sanitised
  readonly isTruncated: boolean;
}

/** At most `namesMax` names; the one learnt longest ago goes first. */
export class NameTable {
  readonly #namesMax: number;
  readonly #names = new Map<string, string>();
  #forgottenCount = 0;

  constructor(options: { namesMax?: number } = {}) {
    this.#namesMax = options.namesMax ?? NAMES_MAX;
  }

  /** Learns a name; a later one for the same object wins. */
  learn(name: ObjectName): void {
    const text = toNameText(name);
    if (text === undefined) return;
    const key = toObjectText(name.object);
    this.#names.delete(key);
    this.#names.set(key, text);
    if (this.#names.size <= this.#namesMax) return;
    for (const oldest of this.#names.keys()) {
      this.#names.delete(oldest);
      this.#forgottenCount++;
      break;
    }
  }

  nameOf(object: ObjectKey): string | undefined {
    return this.#names.get(toObjectText(object));
  }

  get nameCount(): number {
    return this.#names.size;
  }

  /** Names that had to go because the table was full. */
  get forgottenCount(): number {
    return this.#forgottenCount;
  }
}

/**
 * Yields the text of a name: for a file "/a/b/c" from its components, "…/b/c"
 * when the path began further up; `undefined` when there is nothing to show.
 */
export function toNameText(name: ObjectName): string | undefined {
  const components = name.components.filter((component) => component !== "" && component !== "/").reverse();
  if (components.length === 0) return name.components.includes("/") ? "/" : undefined;
  const joined = components.map((component) => sanitizeText(component)).join("/");
  // A path is as it was given: its end is cut, not its beginning, and it has one component.
  if (name.object.kind === OBJECT_KINDS.path) return name.isTruncated ? `${joined}…` : joined;
  if (name.isTruncated) return `…/${joined}`;
  return name.object.kind === OBJECT_KINDS.file ? `/${joined}` : joined;
}
