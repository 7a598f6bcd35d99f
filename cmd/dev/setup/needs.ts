/**
 * What building, testing and tracing need from the machine: data.
 *
 * @module
 */

/** One thing that must be there, and the Debian package that brings it. */
export interface Need {
  readonly kind: "command" | "header" | "library";
  /** The file's name: `clang`, `bpf/bpf_helpers.h`, `libbpf.so.1`. */
  readonly name: string;
  readonly debianPackage: string;
}

export const NEEDS: readonly Need[] = [
  { kind: "command", name: "clang", debianPackage: "clang" },
  { kind: "command", name: "llvm-strip", debianPackage: "llvm" },
  { kind: "command", name: "bpftool", debianPackage: "bpftool" },
  { kind: "library", name: "libbpf.so.1", debianPackage: "libbpf1" },
  { kind: "header", name: "bpf/bpf_helpers.h", debianPackage: "libbpf-dev" },
  { kind: "header", name: "linux/bpf.h", debianPackage: "linux-libc-dev" },
  { kind: "header", name: "stdio.h", debianPackage: "libc6-dev" },
];

/** What only the tests use. */
export const TEST_NEEDS: readonly Need[] = [
  { kind: "command", name: "chromium", debianPackage: "chromium" },
  { kind: "command", name: "nginx", debianPackage: "nginx-light" },
  { kind: "command", name: "postgres", debianPackage: "postgresql" },
  { kind: "command", name: "tc", debianPackage: "iproute2" },
];

/** What only the bench measures against. */
export const BENCH_NEEDS: readonly Need[] = [
  { kind: "command", name: "redis-server", debianPackage: "redis-server" },
  { kind: "command", name: "redis-benchmark", debianPackage: "redis-tools" },
];

/** Where root's commands lie even when a user's PATH does not say so. */
const SYSTEM_COMMAND_FOLDERS = [
  ...["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"],
  // Debian keeps the programs of a server of several versions out of PATH.
  ...["13", "14", "15", "16", "17"].map((version) => `/usr/lib/postgresql/${version}/bin`),
];

/** Yields every path at which `need` would be satisfied, on a machine of this architecture. */
export function candidatePaths(need: Need, machine: { pathVariable: string; arch: string }): readonly string[] {
  const triple = `${machine.arch}-linux-gnu`;
  const folders = {
    command: [...machine.pathVariable.split(":").filter((folder) => folder !== ""), ...SYSTEM_COMMAND_FOLDERS],
    header: ["/usr/include", `/usr/include/${triple}`, "/usr/local/include"],
    library: [`/usr/lib/${triple}`, `/lib/${triple}`, "/usr/lib64", "/usr/lib", "/usr/local/lib", "/usr/local/lib64"],
  }[need.kind];
  return [...new Set(folders)].map((folder) => `${folder}/${need.name}`);
}
