/**
 * What to trace and where it goes: plain data, replaced as a whole.
 *
 * @module
 */

import type { ExporterSpec } from "./bundle.ts";
import type { WaitClass } from "./measurements.ts";
import type { Plane } from "./plane.ts";
import type { CgroupId, EventKindMask, ExporterKey, ProcessId, RouteId, TargetId } from "./units.ts";

/** One traced pod, container, cgroup, process tree, or the whole system. */
export interface Target {
  /** Names it for as long as it is traced. */
  readonly id: TargetId;
  /** For people: "pid 4711 (redis-server)", "container 3f2a…". */
  readonly label: string;
  /** Threads in these cgroups and below belong to the target. */
  readonly cgroups: readonly TargetCgroup[];
  /** These processes and their descendants belong to the target. */
  readonly processIds: readonly ProcessId[];
  /** Those processes are traced from their next exec on: what they did before is not the target's. */
  readonly beginsAtExec?: true;
  /** Everything but podtrace itself. */
  readonly isSystemWide: boolean;
}

/** One cgroup of the v2 hierarchy. */
export interface TargetCgroup {
  /** Inode of its directory. */
  readonly id: CgroupId;
  /** Depth below the root of the v2 hierarchy, which is level 0. */
  readonly level: number;
  /** Absolute path in the host's view, for limits and pressure. */
  readonly path: string;
}

/** One destination: a PodTrace in the agent, the whole run in `diagnose`. */
export interface Route {
  /** Names it for as long as it runs. */
  readonly id: RouteId;
  /** Whose events it gets; keys of `TargetSet.targets`. */
  readonly targetIds: ReadonlySet<TargetId>;
  /** Which events it gets. */
  readonly kinds: EventKindMask;
  /** Where they go; a key of `TargetSet.exporters`. */
  readonly exporterKey: ExporterKey;
  /** Single waits at least this long become events. */
  readonly slowWaitMs: number;
  /** The same for classes of waits with a threshold of their own. */
  readonly slowWaitMsByClass?: Readonly<Partial<Record<WaitClass, number>>>;
  /** Single operations on files that succeed and take at least this long become events; failed ones always do. */
  readonly slowFileMs: number;
  /** Single responses at least this long become events; `SLOW_SOCKET_MS_DEFAULT` unless said. */
  readonly slowResponseMs?: number;
  /** Handshakes at least this long become events; `SLOW_SOCKET_MS_DEFAULT` unless said. */
  readonly slowConnectMs?: number;
  /** Whether a stack is taken with every wait. */
  readonly hasUserStacks: boolean;
  /** What is looked at for it. */
  readonly planes: ReadonlySet<Plane>;
}

/** An immutable snapshot with a revision. */
export interface TargetSet {
  /** Strictly increasing. */
  readonly revision: number;
  /** What is traced. */
  readonly targets: ReadonlyMap<TargetId, Target>;
  /** Who gets what. */
  readonly routes: readonly Route[];
  /** What the keys of routes stand for. */
  readonly exporters: ReadonlyMap<ExporterKey, ExporterSpec>;
}
