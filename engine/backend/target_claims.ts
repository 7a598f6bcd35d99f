/**
 * Whether a set of targets can be traced together: a thread belongs to one of
 * them, the innermost, so no two may claim the same group or process. Pure.
 *
 * @module
 */

import { EngineError } from "../api/errors.ts";
import { CGROUP_LEVELS_MAX, TARGET_CGROUPS_MAX, TARGET_PROCESSES_MAX, TARGETS_MAX } from "../api/limits.ts";
import type { Target } from "../api/target.ts";
import { sanitizeText } from "../api/text.ts";

/**
 * Refuses what the kernel's tables cannot tell apart or hold.
 *
 * @param targets all that are to be in force, earlier ones first
 * @throws {EngineError} `target_refused`, one line
 */
export function refuseImpossibleTargets(targets: readonly Target[]): void {
  if (targets.length > TARGETS_MAX) {
    throw refused(`Cannot trace ${targets.length} targets at a time: wanted at most ${TARGETS_MAX}`);
  }
  refuseTooMany(targets, { what: "cgroups", max: TARGET_CGROUPS_MAX, of: (target) => target.cgroups });
  refuseTooMany(targets, { what: "processes", max: TARGET_PROCESSES_MAX, of: (target) => target.processIds });
  const claims = new Map<string, Target>();
  for (const target of targets) {
    for (const { path, level } of target.cgroups) {
      if (level < CGROUP_LEVELS_MAX) continue;
      throw refused(
        `Cannot trace ${labelOf(target)}: cgroup ${sanitizeText(path)} lies ${level} levels deep, ` +
          `wanted fewer than ${CGROUP_LEVELS_MAX}`,
      );
    }
    for (const [key, what] of claimsOf(target)) {
      const holder = claims.get(key);
      if (holder !== undefined && holder !== target) {
        throw refused(
          `Cannot trace ${labelOf(target)} beside ${labelOf(holder)}: both are ${what}, ` +
            "wanted each thread in one target",
        );
      }
      claims.set(key, target);
    }
  }
}

function* claimsOf(target: Target): Generator<readonly [key: string, what: string]> {
  for (const { id, path } of target.cgroups) yield [`cgroup ${id}`, `cgroup ${sanitizeText(path)}`];
  for (const processId of target.processIds) yield [`process ${processId}`, `process ${processId}`];
  if (target.isSystemWide) yield ["system", "the whole system"];
}

function refuseTooMany(
  targets: readonly Target[],
  table: { what: string; max: number; of: (target: Target) => readonly unknown[] },
): void {
  const count = targets.reduce((total, target) => total + table.of(target).length, 0);
  if (count > table.max) {
    throw refused(`Cannot trace ${count} ${table.what} by name at a time: wanted at most ${table.max}`);
  }
}

function labelOf(target: Target): string {
  return sanitizeText(target.label);
}

function refused(message: string): EngineError {
  return new EngineError("target_refused", message);
}
