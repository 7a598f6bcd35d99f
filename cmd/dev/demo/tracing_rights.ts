/**
 * Whether this process may trace at all, from what /proc says.
 *
 * @module
 */

/** Bits of CapEff (include/uapi/linux/capability.h). */
const CAP_SYS_ADMIN = 21n;
const CAP_PERFMON = 38n;
const CAP_BPF = 39n;

export interface TracingFacts {
  /** Contents of /proc/self/status. */
  readonly status: string;
  readonly hasKernelTypes: boolean;
}

/** One sentence, with what to do, when tracing cannot work; `undefined` when nothing stands against it. */
export function tracingObstacle(facts: TracingFacts): string | undefined {
  const mask = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(facts.status)?.[1] ?? "0"}`);
  const has = (bit: bigint): boolean => (mask >> bit & 1n) === 1n;
  if (!has(CAP_SYS_ADMIN) && !(has(CAP_BPF) && has(CAP_PERFMON))) {
    return "tracing needs CAP_BPF and CAP_PERFMON, and this user has not both; run it as root, for example with sudo";
  }
  if (!facts.hasKernelTypes) {
    return "this kernel has no /sys/kernel/btf/vmlinux; run it on one built with CONFIG_DEBUG_INFO_BTF";
  }
  return undefined;
}
