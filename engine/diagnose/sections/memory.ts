/**
 * Page faults, resident memory, and who was killed for want of memory.
 *
 * @module
 */

import { formatBytes, formatCount, formatTimeOfDay, formatWallTime } from "../format.ts";
import { type FiguresOf, rateOf, type SectionInput, sumOf } from "./section_input.ts";

const VICTIMS_SHOWN_MAX = 5;

/** `undefined`: there was nothing to count. */
export function memoryFigures({ measurements }: SectionInput): FiguresOf<"memory"> | undefined {
  const { processResources: resources, oomKills } = measurements;
  const minor = sumOf(resources, (entry) => entry.minorFaultCount);
  const major = sumOf(resources, (entry) => entry.majorFaultCount);
  if (minor + major + oomKills.length === 0) return undefined;
  const residentBegin = knownSum(resources.map((entry) => entry.residentBytesBegin));
  const residentEnd = knownSum(resources.map((entry) => entry.residentBytesEnd));
  return {
    minor_faults: minor,
    major_faults: major,
    faults_per_second: rateOf(minor + major, measurements),
    resident_bytes_begin: residentBegin,
    resident_bytes_end: residentEnd,
    oom_kills: oomKills.map((kill) => ({
      at: formatWallTime(kill.atWallMs),
      pid: kill.processId,
      name: kill.command,
      resident_bytes: kill.memory === undefined
        ? undefined
        : kill.memory.anonymousBytes + kill.memory.fileBytes + kill.memory.sharedBytes,
    })),
  };
}

/** `undefined`: nobody could tell of any. */
function knownSum(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : sumOf(known, (value) => value);
}

export function renderMemory(figures: FiguresOf<"memory">): readonly string[] {
  const { resident_bytes_begin: begin, resident_bytes_end: end, oom_kills: kills } = figures;
  const shown = kills.slice(0, VICTIMS_SHOWN_MAX).map(({ at, pid, name, resident_bytes }) =>
    `OOM kill: ${name} (${pid}) at ${formatTimeOfDay(Date.parse(at))}` +
    (resident_bytes === undefined ? "" : `, ${formatBytes(resident_bytes)} resident`)
  );
  return [
    `Page faults: ${figures.minor_faults} minor, ${figures.major_faults} major (${
      figures.faults_per_second.toFixed(1)
    }/s)`,
    ...(end === undefined ? [] : [
      `Resident memory: ${begin === undefined ? "" : `${formatBytes(begin)} at the begin, `}${
        formatBytes(end)
      } at the end`,
    ]),
    ...shown,
    ...(kills.length > shown.length ? [`and ${formatCount(kills.length - shown.length, "more OOM kill")}`] : []),
  ];
}
