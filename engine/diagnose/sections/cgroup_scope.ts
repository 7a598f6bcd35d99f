/**
 * Which cgroups were looked at.
 *
 * @module
 */

import { formatMs } from "../format.ts";
import type { FiguresOf, SectionInput } from "./section_input.ts";

const GROUPS_MAX = 1000;
const GROUPS_SHOWN_MAX = 3;

/** `undefined`: no target lies in a cgroup of its own. */
export function cgroupScopeFigures({ measurements }: SectionInput): FiguresOf<"cgroup_scope"> | undefined {
  const { cgroups } = measurements;
  if (cgroups.length === 0) return undefined;
  return {
    distinct: new Set(cgroups.map(({ path }) => path)).size,
    cgroups: cgroups.slice(0, GROUPS_MAX).map((group) => ({
      target: group.targetId,
      path: group.path,
      cpu_limit: group.cpuLimit,
      cpu_usage_ms: group.cpuUsageMs,
    })),
  };
}

export function renderCgroupScope(figures: FiguresOf<"cgroup_scope">): readonly string[] {
  return [
    `Distinct cgroups: ${figures.distinct}`,
    ...figures.cgroups.slice(0, GROUPS_SHOWN_MAX).map(({ path, cpu_limit, cpu_usage_ms }) =>
      [
        path,
        ...(cpu_limit === undefined ? [] : [`limit ${cpu_limit.toFixed(2)} CPUs`]),
        ...(cpu_usage_ms === undefined ? [] : [`used ${formatMs(cpu_usage_ms)}`]),
      ].join(", ")
    ),
  ];
}
