/**
 * `descriptor-limit`: a process that has nearly as many descriptors open as it
 * may have, or was refused more.
 *
 * Wrong for programs that open all they may on purpose (some proxies do): they
 * are told at warning, not above, unless a call failed for it.
 *
 * @module
 */

import type { FileMeasurement } from "../../api/file_measurements.ts";
import type { ProcessResourceMeasurement } from "../../api/resource_measurements.ts";
import { type TargetFacts, threadNameOf } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { formatCount, formatShare } from "../format.ts";

/** Of the limit. */
const USED_SHARE_MIN = 0.90;

/** Errors that say so: of the process, of the machine. */
const ERRORS: ReadonlySet<string> = new Set(["EMFILE", "ENFILE"]);

export function descriptorLimit(facts: TargetFacts): readonly Finding[] {
  return facts.processResources.flatMap((resources) => {
    const refusedCount = refusalsOf(facts.fileOperations, resources.processId);
    const used = resources.fdCountEnd ?? resources.fdCountBegin;
    const { fdLimit } = resources;
    const share = used === undefined || fdLimit === undefined || fdLimit === 0 ? 0 : used / fdLimit;
    if (refusedCount === 0 && share < USED_SHARE_MIN) return [];
    return [toFinding(facts, { resources, refusedCount, share })];
  });
}

function toFinding(
  facts: TargetFacts,
  found: { resources: ProcessResourceMeasurement; refusedCount: number; share: number },
): Finding {
  const { resources, refusedCount, share } = found;
  const { processId, fdCountBegin, fdCountEnd, fdLimit } = resources;
  const name = `${threadNameOf(facts, { processId, threadId: processId }).command} (${processId})`;
  const used = fdCountEnd ?? fdCountBegin;
  const known = used !== undefined && fdLimit !== undefined;
  const growth = fdCountBegin !== undefined && fdCountEnd !== undefined ? fdCountEnd - fdCountBegin : 0;
  return {
    id: "descriptor-limit",
    targetId: facts.targetId,
    severity: refusedCount > 0 ? "error" : "warning",
    title: refusedCount > 0
      ? `${name} was refused descriptors ${formatCount(refusedCount, "time")}${
        known ? ` at ${used} of ${fdLimit} open` : ""
      }.`
      : `${name} has ${used} of ${fdLimit} descriptors open, ${formatShare(share)}.`,
    evidence: {
      object: name,
      notes: [
        ...(known ? [`${used} open at the end of the window, the soft limit is ${fdLimit}`] : []),
        ...(growth > 0 ? [`${growth} more than at its beginning`] : []),
      ],
    },
    consequences: [],
    nextStep: growth > 0
      ? `Look for descriptors that are not closed (ls -l /proc/${processId}/fd), then raise RLIMIT_NOFILE.`
      : `Raise RLIMIT_NOFILE of ${name} (ulimit -n, LimitNOFILE=), or bound its connections.`,
    explainedMs: 0,
    share: 0,
  };
}

function refusalsOf(operations: readonly FileMeasurement[], processId: number): number {
  return operations.filter((entry) => entry.processId === processId)
    .flatMap(({ errors }) => errors)
    .filter(({ name }) => ERRORS.has(name))
    .reduce((total, { count }) => total + count, 0);
}
