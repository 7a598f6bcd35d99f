/**
 * The house as a table: every room, what it may import, what it may touch.
 *
 * Adding a folder to the tree means adding a row here; a file that no row
 * covers is a lint error.
 *
 * @module
 */

/**
 * What a room may reach besides its imports.
 *
 * - `pure`: nothing; no I/O, clock, randomness, logging.
 * - `guarded`: the system, but time, waiting, randomness, settings and logging come in as parameters.
 * - `shell`: everything; processes, developer tools and tests live here.
 */
export type RoomNature = "pure" | "guarded" | "shell";

export interface Room {
  /** A folder with its trailing slash, or one file; relative to the root of the tree. */
  readonly path: string;
  readonly nature: RoomNature;
  /** Paths of rooms whose files may be imported, besides the room's own. `*`: any. */
  readonly imports: readonly string[];
  /** `node:` modules, without the prefix. `*`: any that has no door. */
  readonly builtins: readonly string[];
  /** Never part of the product: only rooms that may import `*` see it. */
  readonly isDevelopersOnly?: true;
}

const API = "engine/api/";

/** The longest matching path decides, so the order carries no meaning. */
export const ROOMS: readonly Room[] = [
  { path: "main.ts", nature: "shell", imports: ["cmd/"], builtins: [] },
  { path: "cmd/", nature: "shell", imports: ["engine/mod.ts", API, "k8s/"], builtins: ["*"] },
  { path: "cmd/dev/", nature: "shell", imports: ["*"], builtins: ["*"], isDevelopersOnly: true },
  { path: "engine/mod.ts", nature: "guarded", imports: ["engine/"], builtins: [] },
  { path: API, nature: "pure", imports: [], builtins: [] },
  { path: "engine/core/", nature: "guarded", imports: [API], builtins: ["assert"] },
  {
    path: "engine/backend/",
    nature: "guarded",
    imports: [API, "engine/btf/", "engine/ffi/", "engine/host/", "engine/recording/", "bpf/generated/"],
    builtins: [],
  },
  {
    path: "engine/ffi/",
    nature: "guarded",
    imports: ["engine/api/errno_name.ts", "engine/api/errors.ts"],
    builtins: [],
  },
  { path: "engine/btf/", nature: "pure", imports: [API], builtins: [] },
  { path: "engine/host/", nature: "guarded", imports: [API, "engine/symbols/"], builtins: ["fs"] },
  { path: "engine/symbols/", nature: "pure", imports: [API], builtins: [] },
  { path: "engine/protocols/", nature: "pure", imports: [API], builtins: [] },
  { path: "engine/recording/", nature: "guarded", imports: [API], builtins: ["zlib"] },
  { path: "engine/diagnose/", nature: "pure", imports: [API], builtins: [] },
  // Runs in the reader's browser: `generate` bundles it.
  {
    path: "engine/diagnose/page_script/",
    nature: "pure",
    imports: ["engine/diagnose/html/chart_paths.ts"],
    builtins: [],
  },
  { path: "engine/alerting/", nature: "guarded", imports: [API], builtins: ["dns"] },
  { path: "k8s/", nature: "guarded", imports: [API], builtins: [] },
  { path: "k8s/api/", nature: "pure", imports: [], builtins: [] },
  { path: "bpf/generated/", nature: "pure", imports: [API], builtins: [] },
  { path: "tests/", nature: "shell", imports: ["*"], builtins: ["*"], isDevelopersOnly: true },
];

/**
 * The one importer of each third-party package; a path that ends with a slash
 * is a folder. A `node:` module with a door is open to the rooms that list it too.
 */
export const DOORS: ReadonlyMap<string, string> = new Map([
  ["ajv", "tests/support/json_schema.ts"],
  ["commander", "cmd/args.ts"],
  ["fast-check", "tests/support/property.ts"],
  ["node:assert", "tests/support/assert.ts"],
  ["zod", "engine/diagnose/report_schema.ts"],
]);

/** Files other than TypeScript that a room's code may import. */
export const IMPORTABLE_DATA: readonly string[] = ["deno.json"];

/** The only room that may open libraries and touch memory that is not ours. */
export const FOREIGN_ROOM = "engine/ffi/";

/** The only other room in which the type of a raw pointer may be spoken of. */
export const POINTER_ROOM = "engine/backend/";

/** Yields whether `path` lies in the folder `place`, or is the file `place`. */
export function isWithin(path: string, place: string): boolean {
  return place.endsWith("/") ? path.startsWith(place) : path === place;
}

/** Yields the room that holds `path`, or `undefined` where the table has none. */
export function roomOf(path: string): Room | undefined {
  return ROOMS
    .filter((room) => isWithin(path, room.path))
    .toSorted((a, b) => b.path.length - a.path.length)[0];
}

/** Yields whether `path` is a test that lies beside the code it tests. */
export function isTestFile(path: string): boolean {
  return path.endsWith("_test.ts");
}

/** Yields what the code in `path` may touch; every `plan.ts` is pure wherever it lies. */
export function natureOf(path: string): RoomNature | undefined {
  const room = roomOf(path);
  if (room === undefined) return undefined;
  if (isTestFile(path)) return "shell";
  return path.endsWith("/plan.ts") ? "pure" : room.nature;
}
