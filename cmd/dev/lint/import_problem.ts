/**
 * Whether one import is allowed, decided from two paths and two tables.
 *
 * @module
 */

import { DOORS, IMPORTABLE_DATA, isTestFile, isWithin, type Room, roomOf } from "./rooms.ts";

/** Yields the path that a relative `specifier` in `importer` means, or `undefined` when it leaves the tree. */
export function resolveRelative(importer: string, specifier: string): string | undefined {
  const parts = importer.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "." || part === "") continue;
    if (part !== "..") {
      parts.push(part);
    } else if (parts.pop() === undefined) {
      return undefined;
    }
  }
  return parts.join("/");
}

/** Yields `@scope/name` or `name` of a bare specifier, without any path below it. */
export function packageOf(specifier: string): string {
  const [first = "", second = ""] = specifier.split("/");
  return first.startsWith("@") ? `${first}/${second}` : first;
}

/**
 * Yields why a file may not import another one of ours, or `undefined` if it may.
 *
 * @param importer path from the root of the tree
 */
export function layerProblem(importer: string, specifier: string): string | undefined {
  const room = roomOf(importer);
  if (room === undefined) return undefined;
  const target = resolveRelative(importer, specifier);
  if (target === undefined) return `Cannot import ${specifier}: it lies outside the tree`;
  if (!target.endsWith(".ts")) {
    return isDataAllowed(target, room)
      ? undefined
      : `Cannot import ${target}: only ${dataPlaces(room)} may be read here`;
  }
  const targetRoom = roomOf(target);
  if (targetRoom === undefined) return `Cannot import ${target}: no room of cmd/dev/lint/rooms.ts covers it`;
  if (isTestFile(importer)) return testReachProblem(room, target);
  if (isTestFile(target)) return `Cannot import ${target}: a test is imported by nothing`;
  if (targetRoom === room || isReachable(room, { target, targetRoom })) return undefined;
  return `Cannot import ${target} from ${room.path}: it may import ${placesOf(room)}`;
}

/** Yields why a package or a `node:` module may not be imported here, or `undefined` if it may. */
export function doorProblem(importer: string, specifier: string): string | undefined {
  const scheme = /^([a-z]+):/.exec(specifier)?.[1];
  if (scheme !== undefined && scheme !== "node") {
    return `Cannot import ${specifier}: packages are imported by the bare name that deno.json pins`;
  }
  const name = packageOf(specifier);
  const door = DOORS.get(name);
  if (door !== undefined && isWithin(importer, door)) return undefined;
  if (scheme === undefined) {
    return door === undefined
      ? `Cannot import ${name}: it has no door in cmd/dev/lint/rooms.ts`
      : `Cannot import ${name} here: its one door is ${door}`;
  }
  return builtinProblem(importer, { name, door });
}

function builtinProblem(importer: string, module: { name: string; door: string | undefined }): string | undefined {
  const room = roomOf(importer);
  if (room === undefined) return undefined;
  const builtins = isTestFile(importer) ? ["*"] : room.builtins;
  if (builtins.includes(module.name.slice("node:".length))) return undefined;
  if (module.door !== undefined) return `Cannot import ${module.name} here: its one door is ${module.door}`;
  return builtins.includes("*")
    ? undefined
    : `Cannot import ${module.name} in ${room.path}: the room's builtins do not list it`;
}

/** Yields whether a specifier names a file of ours rather than a package. */
export function isRelative(specifier: string): boolean {
  return specifier.startsWith("./") || specifier.startsWith("../");
}

/** Tests reach all of their own house and what it stands on, but never upwards. */
function testReachProblem(room: Room, target: string): string | undefined {
  const house = `${room.path.split("/")[0]}/`;
  const isFree = house === "tests/" || room.imports.includes("*");
  const allowed = [house, "tests/", "bpf/generated/", ...(house === "engine/" ? [] : ["engine/"]), ...room.imports];
  if (isFree || allowed.some((place) => isWithin(target, place))) return undefined;
  return `Cannot import ${target} from a test in ${room.path}: tests reach ${allowed.join(", ")}`;
}

function isReachable(room: Room, reached: { target: string; targetRoom: Room }): boolean {
  if (room.imports.includes("*")) return true;
  return reached.targetRoom.isDevelopersOnly !== true && room.imports.some((place) => isWithin(reached.target, place));
}

function isDataAllowed(target: string, room: Room): boolean {
  return room.imports.includes("*") || IMPORTABLE_DATA.includes(target) || isWithin(target, room.path);
}

function dataPlaces(room: Room): string {
  return [...IMPORTABLE_DATA, room.path].join(" and ");
}

function placesOf(room: Room): string {
  return room.imports.length === 0 ? "nothing else of ours" : room.imports.join(", ");
}
