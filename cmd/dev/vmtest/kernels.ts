/**
 * The kernels the object is tried on: data.
 *
 * @module
 */

import type { Category } from "../../../engine/api/measurements.ts";
import type { Lockdown } from "../../../engine/mod.ts";

/** One kernel, as Debian packages it for virtual machines. */
export interface TriedKernel {
  /** Major and minor version, and how far it is locked. */
  readonly name: string;
  /** A boot parameter; absent: nothing is locked. */
  readonly lockdown?: Exclude<Lockdown, "none">;
  /** Debian's release that carries it. */
  readonly suite: string;
  /** The program that has to serve each hook; hooks that are not listed are served by their first. */
  readonly providers: Readonly<Record<string, string>>;
  /** What the report has to say it cannot see there; everything else must be complete. */
  readonly blindCategories: readonly Category[];
}

/** Nothing this kernel has can serve the hook. */
export const NO_PROVIDER = "none";

/** Without the tracepoint of the fault itself. */
const PAGE_FAULT_PROVIDER = "mm_filemap_add_to_page_cache";

/** Without the tracepoints of the socket layer, which came with 6.3: the protocols' own functions, by fexit. */
const TRANSFER_PROVIDERS = { socket_send: "inet_sendmsg", socket_receive: "inet_recvmsg" };

/** Oldest first. */
export const TRIED_KERNELS: readonly TriedKernel[] = [
  {
    name: "5.10",
    suite: "bullseye",
    // The tracepoint carries the previous state from 5.18.
    providers: {
      sched_switch: "sched_switch_by_task_state",
      page_fault: PAGE_FAULT_PROVIDER,
      ...TRANSFER_PROVIDERS,
    },
    blindCategories: [],
  },
  {
    name: "6.1",
    suite: "bookworm",
    providers: { page_fault: PAGE_FAULT_PROVIDER, ...TRANSFER_PROVIDERS },
    blindCategories: [],
  },
  { name: "6.12", suite: "trixie", providers: {}, blindCategories: [] },
  { name: "6.12-integrity", suite: "trixie", lockdown: "integrity", providers: {}, blindCategories: [] },
  { name: "6.12-confidentiality", suite: "trixie", lockdown: "confidentiality", providers: {}, blindCategories: [] },
];
