/**
 * Whether one use of a global is allowed, decided from the file's path.
 *
 * @module
 */

import type { GlobalUse } from "./global_uses.ts";
import { FOREIGN_ROOM, isWithin, natureOf, POINTER_ROOM } from "./rooms.ts";

type Use = Pick<GlobalUse, "path" | "call" | "isType">;

/** What no engine code may touch: it would hide time, chance, waiting, settings or output. */
const GUARDED_GLOBALS: ReadonlyMap<string, string> = new Map([
  ["console", "logging comes in through a parameter"],
  ["alert", "logging comes in through a parameter"],
  ["performance", "time comes in through a Clock"],
  ["setTimeout", "waiting comes in through a parameter"],
  ["setInterval", "waiting comes in through a parameter"],
  ["setImmediate", "waiting comes in through a parameter"],
  ["Date.now", "time comes in through a Clock"],
  ["Math.random", "randomness comes in through a seeded generator"],
  ["crypto.getRandomValues", "randomness comes in through a seeded generator"],
  ["crypto.randomUUID", "randomness comes in through a seeded generator"],
  ["process", "processes and settings belong to cmd/"],
  ["Deno.env", "settings are read in cmd/ and come in as parameters"],
  ["Deno.args", "settings are read in cmd/ and come in as parameters"],
  ["Deno.exit", "only cmd/ ends the process"],
  ["Deno.addSignalListener", "only cmd/ listens for signals"],
]);

/** What a pure room may not touch besides. */
const PURE_GLOBALS: ReadonlySet<string> = new Set([
  "Deno",
  "fetch",
  "WebSocket",
  "Worker",
  "crypto",
  "localStorage",
  "sessionStorage",
  "caches",
  "queueMicrotask",
  "navigator",
]);

/** Types of raw pointers and of the libraries they come from. */
const POINTER_TYPE = /^(Pointer|DynamicLibrary|Foreign|Native|StaticForeign)/;

/** Globals that must be looked at; the plugin skips every other identifier. */
export const WATCHED_GLOBALS: ReadonlySet<string> = new Set([
  ...[...GUARDED_GLOBALS.keys(), ...PURE_GLOBALS].map((name) => name.split(".")[0] ?? name),
  "globalThis",
  "self",
  "window",
]);

/** Yields why foreign calls and raw memory are not spoken of in `path`, or `undefined` if this use is fine. */
export function foreignProblem(path: string, use: Use): string | undefined {
  if (isWithin(path, FOREIGN_ROOM)) return undefined;
  const [root, name] = use.path;
  if (root === "globalThis" && (name === undefined || name === "*")) {
    return `Cannot hand globalThis around: name what is used, so that it can be seen`;
  }
  if (root !== "Deno") return undefined;
  if (name === undefined || name === "*") return `Cannot hand Deno around: name what is used, so that it can be seen`;
  if (name === "dlopen" || name.startsWith("Unsafe")) {
    return `Cannot use Deno.${name} here: foreign calls and raw memory live in ${FOREIGN_ROOM}`;
  }
  if (POINTER_TYPE.test(name) && !isWithin(path, POINTER_ROOM)) {
    return `Cannot speak of Deno.${name} here: pointers stay below ${POINTER_ROOM}`;
  }
  return undefined;
}

/** Yields why this use of a global is not allowed in `path`, or `undefined` if it is. */
export function effectProblem(path: string, use: Use): string | undefined {
  const nature = natureOf(path);
  if (nature === undefined || nature === "shell" || use.isType) return undefined;
  const [root = ""] = use.path;
  if (readsClock(use)) return `Cannot use ${root} to read the clock here: time comes in through a Clock`;
  const guarded = guardedReason(use.path);
  if (guarded !== undefined) return `Cannot use ${use.path.join(".")} here: ${guarded}`;
  if (nature === "pure" && PURE_GLOBALS.has(root)) return `Cannot use ${use.path.join(".")} here: this room is pure`;
  return undefined;
}

function readsClock(use: Use): boolean {
  return use.path.length === 1 && use.path[0] === "Date" && use.call === "without_arguments";
}

/** A name that cannot be read from the source counts as the forbidden one. */
function guardedReason(path: readonly string[]): string | undefined {
  const [root = "", name] = path;
  const whole = GUARDED_GLOBALS.get(root);
  if (whole !== undefined || name === undefined) return whole;
  if (name !== "*") return GUARDED_GLOBALS.get(`${root}.${name}`);
  return [...GUARDED_GLOBALS].find(([key]) => key.startsWith(`${root}.`))?.[1];
}
