/**
 * Container ids: how people write them, and how runtimes put them into the
 * names of cgroup directories. Only what matches exactly is an id; names that
 * merely contain one (monitors, helpers) are not.
 *
 * @module
 */

import { EngineError } from "../api/errors.ts";
import { sanitizeText } from "../api/text.ts";
import type { Brand } from "../api/units.ts";

/** A container id or the beginning of one: 12 to 64 lowercase hex digits. */
export type ContainerId = Brand<string, "ContainerId">;

/** Schemes the kubelet and the runtimes' own tools put before an id. */
const SCHEMES: ReadonlySet<string> = new Set(["containerd", "cri-o", "docker", "nerdctl", "podman", "runc"]);

const HEX_ID = /^[0-9a-f]{12,64}$/;

/**
 * What runtimes put before the id in a directory's name. `crio-conmon-` and
 * `libpod-conmon-` are monitors, not containers, and match none of these.
 */
const DIRECTORY_NAME =
  /^(?:(?:cri-containerd|crio|docker|libpod|libpod-payload|nerdctl)-)?([0-9a-f]{12,64})(?:\.scope)?$/;

/**
 * Yields the id in what a person typed.
 *
 * @param raw an id or its first 12 digits at least, with or without "containerd://" and the like
 * @throws {EngineError} `target_refused` for anything else
 */
export function toContainerId(raw: string): ContainerId {
  const match = /^(?:([a-z-]+):\/\/)?([^/]*)$/.exec(raw);
  const scheme = match?.[1];
  const id = match?.[2] ?? "";
  if (!HEX_ID.test(id) || (scheme !== undefined && !SCHEMES.has(scheme))) {
    throw new EngineError(
      "target_refused",
      `Cannot use "${sanitizeText(raw, { bytesMax: 96 })}" as a container id: ` +
        "wanted 12 to 64 lowercase hex digits, optionally after containerd://, cri-o://, docker:// or podman://",
    );
  }
  return id as ContainerId;
}

/** Yields the id in the name of one cgroup directory, if it is a container's. */
export function containerIdOfDirectory(name: string): ContainerId | undefined {
  return DIRECTORY_NAME.exec(name)?.[1] as ContainerId | undefined;
}

/** Yields the container ids in a cgroup path, outermost first: containers may nest. */
export function containerIdsInPath(path: string): readonly ContainerId[] {
  return path.split("/").map(containerIdOfDirectory).filter((id) => id !== undefined);
}

/**
 * Expands runc's systemd form `slice:prefix:name`, which containerd and CRI-O
 * report with the systemd driver, into a path: `a-b.slice:cri-containerd:ID`
 * is `a.slice/a-b.slice/cri-containerd-ID.scope`. An empty slice is
 * system.slice, `-.slice` the root (systemd.slice(5)). `undefined` when it is
 * not of that form.
 */
export function expandSystemdPath(text: string): string | undefined {
  const parts = text.split(":");
  const [slice, prefix, name] = parts;
  if (parts.length !== 3 || slice === undefined || prefix === undefined || !name || text.includes("/")) {
    return undefined;
  }
  const parents = expandSlice(slice === "" ? "system.slice" : slice);
  if (parents === undefined) return undefined;
  const unit = name.endsWith(".slice") ? name : `${prefix === "" ? "" : `${prefix}-`}${name}.scope`;
  return [...parents, unit].join("/");
}

/** `a-b-c.slice` lies in `a-b.slice` in `a.slice`. */
function expandSlice(slice: string): readonly string[] | undefined {
  if (slice === "-.slice") return [];
  if (!slice.endsWith(".slice")) return undefined;
  const words = slice.slice(0, -".slice".length).split("-");
  if (words.includes("") || words.includes("..")) return undefined;
  return words.map((_, index) => `${words.slice(0, index + 1).join("-")}.slice`);
}
