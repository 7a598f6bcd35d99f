/**
 * Registers tests that need the real kernel: they run, or say with a typed
 * reason why they could not.
 *
 * @module
 */

import {
  type KernelFacts,
  type KernelRequirement,
  SKIP_FILE_VARIABLE,
  skippedName,
  skipReason,
  type SkipRecord,
  verdictOf,
} from "./kernel_requirements.ts";
import { findIoController } from "./limited_cgroup.ts";
import { findPostgresFolder } from "./postgres_server.ts";

/**
 * Registers the test `name`, to be run on the kernel of this machine.
 *
 * It is skipped only where `options.requires` names something this kernel
 * lacks; the skip is appended to the file that `PODTRACE_TEST_SKIPS` names, and
 * the gate counts it. Where only rights or set-up are missing it is skipped
 * too, but with `CI=true` it fails.
 */
export function kernelTest(
  name: string,
  options: { readonly requires?: readonly KernelRequirement[] },
  fn: (context: Deno.TestContext) => void | Promise<void>,
): void {
  const reason = skipReason(options.requires ?? [], readKernelFacts());
  const verdict = verdictOf(reason, { isCi: isCi() });
  if (reason === undefined || verdict === "run") {
    Deno.test(name, fn);
  } else if (verdict === "fail") {
    Deno.test(name, () => {
      throw new Error(`Cannot run a kernel test in CI: it requires ${reason.requirement}, found ${reason.found}`);
    });
  } else {
    const record = { testName: name, reason };
    recordSkip(record);
    Deno.test({ name: skippedName(record), ignore: true, fn });
  }
}

/** Reads what this machine offers to kernel tests. */
export function readKernelFacts(): KernelFacts {
  return {
    status: Deno.readTextFileSync("/proc/self/status"),
    filesystems: Deno.readTextFileSync("/proc/filesystems"),
    mountInfo: Deno.readTextFileSync("/proc/self/mountinfo"),
    release: Deno.osRelease(),
    hasVmlinuxBtf: exists("/sys/kernel/btf/vmlinux"),
    hasChromium: isInPath("chromium"),
    hasClang: isInPath("clang"),
    hasCompiledProgram: exists(new URL("../../dist/podtrace", import.meta.url).pathname),
    hasGo: isInPath("go"),
    hasIoController: findIoController(Deno.readTextFileSync("/proc/self/mountinfo")) !== undefined,
    hasNetworkTools: ["unshare", "nsenter", "ip", "tc"].every(isInPath),
    hasNginx: isInPath("nginx"),
    hasNode: isInPath("node"),
    hasPython: isInPath("python3"),
    hasPostgres: findPostgresFolder() !== undefined,
    hasRedis: isInPath("redis-server") && isInPath("redis-benchmark"),
  };
}

function recordSkip(record: SkipRecord): void {
  const path = Deno.env.get(SKIP_FILE_VARIABLE);
  if (path === undefined) return;
  Deno.writeTextFileSync(path, `${JSON.stringify(record)}\n`, { append: true });
}

function isCi(): boolean {
  return ["1", "true"].includes(Deno.env.get("CI") ?? "");
}

function isInPath(program: string): boolean {
  return (Deno.env.get("PATH") ?? "").split(":").some((folder) => exists(`${folder}/${program}`));
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}
