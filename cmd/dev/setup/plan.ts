/**
 * What `setup` will do, decided from what the machine is (pure).
 *
 * @module
 */

import type { Need } from "./needs.ts";

/** What `setup` looked at before it did anything. */
export interface MachineFacts {
  /** For example `Debian GNU/Linux 12 (bookworm)`. */
  readonly distributionName: string;
  readonly isDebianLike: boolean;
  readonly isRoot: boolean;
  readonly missing: readonly Need[];
  readonly tracefs: "mounted" | "unmounted" | "unsupported";
}

export type SetupStep =
  /** Nothing to do about it: `text` says what was found, or what a person has to do. */
  | { readonly kind: "say"; readonly text: string }
  | { readonly kind: "install"; readonly packages: readonly string[] }
  | { readonly kind: "mount_tracefs" }
  | { readonly kind: "generate" };

export const TRACEFS_PATH = "/sys/kernel/tracing";

/** Without these nothing can be generated; the rest is for tests and for tracing itself. */
const NEEDED_TO_GENERATE: ReadonlySet<string> = new Set([
  "clang",
  "llvm-strip",
  "bpf/bpf_helpers.h",
  "linux/bpf.h",
]);

/** Yields the steps in order; a machine that has everything gets only what must be done every time. */
export function planSetup(facts: MachineFacts, options: { readonly generate: boolean }): readonly SetupStep[] {
  return [packageStep(facts), tracefsStep(facts), ...(options.generate ? [generateStep(facts)] : [])];
}

function packageStep(facts: MachineFacts): SetupStep {
  if (facts.missing.length === 0) return { kind: "say", text: "every package is there" };
  const packages = [...new Set(facts.missing.map((need) => need.debianPackage))];
  if (canInstall(facts)) return { kind: "install", packages };
  const names = facts.missing.map((need) => need.name).join(", ");
  const advice = facts.isDebianLike
    ? `as root, run: apt-get install -y --no-install-recommends ${packages.join(" ")}`
    : `install them with the package manager of ${facts.distributionName} (Debian's packages are ${
      packages.join(", ")
    })`;
  return { kind: "say", text: `Cannot find ${names}: ${advice}` };
}

function tracefsStep(facts: MachineFacts): SetupStep {
  switch (facts.tracefs) {
    case "mounted":
      return { kind: "say", text: "tracefs is mounted" };
    case "unsupported":
      return { kind: "say", text: "Cannot mount tracefs: this kernel has none, so classic tracepoints stay off" };
    case "unmounted":
      return facts.isRoot
        ? { kind: "mount_tracefs" }
        : { kind: "say", text: `Cannot mount tracefs: as root, run: mount -t tracefs tracefs ${TRACEFS_PATH}` };
  }
}

function generateStep(facts: MachineFacts): SetupStep {
  const lacking = canInstall(facts) ? [] : whatGenerateLacks(facts);
  return lacking.length === 0
    ? { kind: "generate" }
    : { kind: "say", text: `Cannot generate: ${lacking.join(", ")} must be installed first` };
}

/** Yields the names of what is missing and without which nothing can be generated. */
export function whatGenerateLacks(facts: Pick<MachineFacts, "missing">): readonly string[] {
  return facts.missing.map((need) => need.name).filter((name) => NEEDED_TO_GENERATE.has(name));
}

function canInstall(facts: MachineFacts): boolean {
  return facts.isDebianLike && facts.isRoot;
}

/** Yields what /etc/os-release says that matters here. */
export function readDistribution(osRelease: string): { distributionName: string; isDebianLike: boolean } {
  const valueOf = (key: string) => {
    const line = osRelease.split("\n").find((candidate) => candidate.startsWith(`${key}=`));
    return line?.slice(key.length + 1).replace(/^"(.*)"$/, "$1") ?? "";
  };
  const families = [valueOf("ID"), ...valueOf("ID_LIKE").split(" ")];
  return {
    distributionName: valueOf("PRETTY_NAME") || valueOf("ID") || "this distribution",
    isDebianLike: families.includes("debian"),
  };
}

/** Yields the state of tracefs from /proc/filesystems and /proc/self/mountinfo. */
export function readTracefs(filesystems: string, mountInfo: string): MachineFacts["tracefs"] {
  const isMounted = mountInfo.split("\n").some((line) => {
    const [place = "", source = ""] = line.split(" - ");
    return source.startsWith("tracefs ") && place.split(" ")[4] === TRACEFS_PATH;
  });
  if (isMounted) return "mounted";
  return filesystems.split("\n").some((line) => line.split("\t").at(-1) === "tracefs") ? "unmounted" : "unsupported";
}
