/**
 * `oom-kill`: processes the kernel killed for want of memory.
 *
 * Never wrong: the kernel says of each that it chose it. What it held is told
 * where the kernel shows the choice itself and not only the victim's end.
 *
 * @module
 */

import type { CgroupResourceMeasurement, OomKillMeasurement } from "../../api/resource_measurements.ts";
import type { TargetFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { formatBytes, formatCount, formatList, formatTimeOfDay } from "../format.ts";

const VICTIMS_NAMED_MAX = 3;

export function oomKill(facts: TargetFacts): readonly Finding[] {
  const [first] = facts.oomKills;
  if (first === undefined) return [];
  const count = facts.oomKills.length;
  const victims = facts.oomKills.map(({ command, processId }) => `${command} (${processId})`);
  const group = facts.cgroupResources.find(({ memory }) => memory?.limitBytes !== undefined);
  return [{
    id: "oom-kill",
    targetId: facts.targetId,
    severity: "critical",
    title: `The kernel killed ${formatList(victims, { itemsMax: VICTIMS_NAMED_MAX })} for want of memory.`,
    evidence: {
      object: first.command,
      notes: [
        `${formatCount(count, "kill")}, the first at ${formatTimeOfDay(first.atWallMs)}`,
        ...facts.oomKills.slice(0, VICTIMS_NAMED_MAX).flatMap(describeVictim),
        ...(group === undefined ? [] : describeGroup(group)),
      ],
    },
    consequences: [],
    nextStep: group === undefined
      ? `Find out what ${first.command} needs its memory for; the machine as a whole, or a group above, had none left.`
      : `Raise the memory limit of ${
        group.memory?.path ?? group.path
      }, or find out what ${first.command} needs its memory for.`,
    explainedMs: 0,
    share: 0,
  }];
}

function describeVictim({ command, memory }: OomKillMeasurement): readonly string[] {
  if (memory === undefined) return [];
  return [
    `${command} held ${formatBytes(memory.anonymousBytes)} of its own, ${formatBytes(memory.fileBytes)} of files, ` +
    `${formatBytes(memory.sharedBytes)} shared`,
  ];
}

function describeGroup({ path, memory }: CgroupResourceMeasurement): readonly string[] {
  if (memory?.limitBytes === undefined) return [];
  const used = memory.usageBytes === undefined ? "" : `, ${formatBytes(memory.usageBytes)} in use at the end`;
  return [`the limit of ${memory.path ?? path} is ${formatBytes(memory.limitBytes)}${used}`];
}
