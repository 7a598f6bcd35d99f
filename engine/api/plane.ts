/**
 * Planes: what can be looked at, each with hooks of its own, from cheap to dear.
 *
 * @module
 */

/** Every plane, in the order reports use. */
export const PLANES = ["time", "sockets", "memory", "files", "profile"] as const;

/** One of them. The time plane is always in force: the others find their threads in its table. */
export type Plane = (typeof PLANES)[number];

/** What is looked at unless something else is asked for: everything whose cost nobody notices. */
export const DEFAULT_PLANES: ReadonlySet<Plane> = new Set<Plane>(["time", "sockets", "memory"]);

/** Why a category whose plane no route asked for is blind. */
export const NOT_ASKED_FOR = "not asked for";
