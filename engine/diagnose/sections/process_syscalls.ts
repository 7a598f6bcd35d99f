/**
 * Processes and threads that came and went, and descriptors.
 *
 * @module
 */

import type { FileOperation } from "../../api/file_measurements.ts";
import { formatCount, formatList } from "../format.ts";
import { describeObject } from "../wait_object.ts";
import { countByName, type FiguresOf, rateOf, type SectionInput, sumOf } from "./section_input.ts";

const TOP_FILES_MAX = 5;
const FILES_MAX = 1000;

/** `undefined`: nothing came, went or was opened. */
export function processSyscallFigures(
  { measurements, digest }: SectionInput,
): FiguresOf<"process_syscalls"> | undefined {
  const { exec, fork, exit } = digest.counts;
  const { fileOperations } = measurements;
  const operations = (name: FileOperation) =>
    sumOf(fileOperations.filter(({ operation }) => operation === name), (entry) => entry.count);
  const hasFiles = fileOperations.length > 0;
  const opens = operations("open");
  const closes = operations("close");
  if (exec + fork + exit + opens + closes === 0) return undefined;
  return {
    execs: exec,
    forks: fork,
    exits: exit,
    execs_per_second: rateOf(exec, measurements),
    forks_per_second: rateOf(fork, measurements),
    ...(hasFiles
      ? { opens, closes, opens_per_second: rateOf(opens, measurements), top_opened: topOpened(measurements) }
      : {}),
    ...descriptorGrowth(measurements),
  };
}

/** Of the processes that were there all the while: what was opened and not closed. */
function descriptorGrowth({ processResources }: SectionInput["measurements"]): { descriptor_growth?: number } {
  const known = processResources.flatMap(({ fdCountBegin, fdCountEnd }) =>
    fdCountBegin === undefined || fdCountEnd === undefined ? [] : [fdCountEnd - fdCountBegin]
  );
  return known.length === 0 ? {} : { descriptor_growth: sumOf(known, (growth) => growth) };
}

function topOpened({ fileOperations }: SectionInput["measurements"]): { Target: string; Count: number }[] {
  const opened = fileOperations.filter(({ operation, object }) => operation === "open" && object.kind !== "none");
  const counts = countByName(opened, { name: ({ object }) => describeObject(object), count: ({ count }) => count });
  return counts.slice(0, FILES_MAX).map(([Target, Count]) => ({ Target, Count }));
}

export function renderProcessSyscalls(figures: FiguresOf<"process_syscalls">): readonly string[] {
  const { opens, closes, opens_per_second: openRate = 0, descriptor_growth: growth } = figures;
  const files = (figures.top_opened ?? []).map(({ Target, Count }) => `${Target} (${Count})`);
  return [
    `Execve calls: ${figures.execs} (${figures.execs_per_second.toFixed(1)}/s), fork events, threads included: ` +
    `${figures.forks} (${figures.forks_per_second.toFixed(1)}/s), exits: ${figures.exits}`,
    ...(opens === undefined || closes === undefined
      ? []
      : [`Open calls: ${opens} (${openRate.toFixed(1)}/s), close calls: ${closes}`]),
    ...(growth === undefined || growth <= 0 ? [] : [`Open descriptors grew by ${formatCount(growth, "descriptor")}`]),
    ...(files.length === 0 ? [] : [`Top opened files: ${formatList(files, { itemsMax: TOP_FILES_MAX })}`]),
  ];
}
