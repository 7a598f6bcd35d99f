/**
 * Every section of the report, in the order in which they are told.
 *
 * Not here, because nothing sees what they would be made from: DNS, HTTP,
 * connection pools, FastCGI and traffic between pods. Stacks stand with the
 * waits they belong to.
 *
 * @module
 */

import type { FilterCategory } from "../../api/filter.ts";
import type { Category, Completeness } from "../../api/measurements.ts";
import { incompletenessNotes } from "../facts.ts";
import { COLUMNS, wrapText } from "../text_layout.ts";
import { burstFigures, renderBursts } from "./bursts.ts";
import { cgroupScopeFigures, renderCgroupScope } from "./cgroup_scope.ts";
import { cgroupResourceFigures, renderCgroupResources } from "./cgroup_resources.ts";
import { connectionPatternFigures, renderConnectionPatterns } from "./connection_patterns.ts";
import { connectionFigures, renderConnections } from "./connections.ts";
import { cpuFigures, renderCpu } from "./cpu.ts";
import { cpuByProcessFigures, renderCpuByProcess } from "./cpu_by_process.ts";
import { errorCorrelationFigures, renderErrorCorrelation } from "./error_correlation.ts";
import { fileSystemFigures, renderFileSystem } from "./file_system.ts";
import { memoryFigures, renderMemory } from "./memory.ts";
import { networkPatternFigures, renderNetworkPattern } from "./network_pattern.ts";
import { peerFigures, renderPeers } from "./peers.ts";
import { processActivityFigures, renderProcessActivity } from "./process_activity.ts";
import { processResourceFigures, renderProcessResources } from "./process_resources.ts";
import { processSyscallFigures, renderProcessSyscalls } from "./process_syscalls.ts";
import { renderResourceLimits, resourceLimitFigures } from "./resource_limits.ts";
import type { FiguresOf, SectionId, SectionInput } from "./section_input.ts";
import { renderTcp, tcpFigures } from "./tcp.ts";
import { renderTimeline, timelineFigures } from "./timeline.ts";
import { renderUdp, udpFigures } from "./udp.ts";

/** Every section that has something to tell. */
export type ReportSections = { readonly [Id in SectionId]?: FiguresOf<Id> };

interface SectionSpec<Id extends SectionId> {
  readonly title: string;
  readonly category: FilterCategory;
  /** What it is made from: where one of them is partial, its figures are lower bounds. */
  readonly reads: readonly Category[];
  readonly figures: (input: SectionInput) => FiguresOf<Id> | undefined;
  /** Lines without indent. */
  readonly render: (figures: FiguresOf<Id>) => readonly string[];
}

const SECTIONS: { readonly [Id in SectionId]: SectionSpec<Id> } = {
  cgroup_scope: {
    title: "Cgroup Scope",
    category: "time",
    reads: [],
    figures: cgroupScopeFigures,
    render: renderCgroupScope,
  },
  tcp: {
    title: "TCP Statistics",
    category: "net",
    reads: ["connections", "transfers"],
    figures: tcpFigures,
    render: renderTcp,
  },
  connections: {
    title: "Connection Statistics",
    category: "net",
    reads: ["connections"],
    figures: connectionFigures,
    render: renderConnections,
  },
  filesystem: {
    title: "File System Statistics",
    category: "fs",
    reads: ["waits", "files"],
    figures: fileSystemFigures,
    render: renderFileSystem,
  },
  udp: { title: "UDP Statistics", category: "net", reads: ["transfers"], figures: udpFigures, render: renderUdp },
  cpu: {
    title: "CPU Statistics",
    category: "cpu",
    reads: ["scheduling", "waits"],
    figures: cpuFigures,
    render: renderCpu,
  },
  memory: {
    title: "Memory Statistics",
    category: "mem",
    reads: ["memory"],
    figures: memoryFigures,
    render: renderMemory,
  },
  resource_limits: {
    title: "Resource Limits",
    category: "mem",
    reads: [],
    figures: resourceLimitFigures,
    render: renderResourceLimits,
  },
  cgroup_resources: {
    title: "Cgroup Resources",
    category: "mem",
    reads: [],
    figures: cgroupResourceFigures,
    render: renderCgroupResources,
  },
  process_resources: {
    title: "Process Resources",
    category: "mem",
    reads: ["memory"],
    figures: processResourceFigures,
    render: renderProcessResources,
  },
  cpu_by_process: {
    title: "CPU Usage by Process",
    category: "cpu",
    reads: ["scheduling"],
    figures: cpuByProcessFigures,
    render: renderCpuByProcess,
  },
  process_syscalls: {
    title: "Process and Syscall Activity",
    category: "proc",
    reads: ["lifecycle", "files"],
    figures: processSyscallFigures,
    render: renderProcessSyscalls,
  },
  process_activity: {
    title: "Process Activity",
    category: "proc",
    reads: ["waits", "lifecycle"],
    figures: processActivityFigures,
    render: renderProcessActivity,
  },
  timeline: {
    title: "Activity Timeline",
    category: "time",
    reads: ["slowWaits", "lifecycle", "socketEvents", "slowFiles"],
    figures: timelineFigures,
    render: renderTimeline,
  },
  bursts: {
    title: "Activity Bursts",
    category: "time",
    reads: ["slowWaits", "lifecycle", "socketEvents", "slowFiles"],
    figures: burstFigures,
    render: renderBursts,
  },
  connection_patterns: {
    title: "Connection Patterns",
    category: "net",
    reads: ["connections"],
    figures: connectionPatternFigures,
    render: renderConnectionPatterns,
  },
  network_pattern: {
    title: "Network I/O Pattern",
    category: "net",
    reads: ["transfers"],
    figures: networkPatternFigures,
    render: renderNetworkPattern,
  },
  peers: {
    title: "Connection Correlation",
    category: "net",
    reads: ["connections", "transfers"],
    figures: peerFigures,
    render: renderPeers,
  },
  error_correlation: {
    title: "Error Correlation & Root Cause Analysis",
    category: "proc",
    reads: ["connections", "transfers", "lifecycle", "files"],
    figures: errorCorrelationFigures,
    render: renderErrorCorrelation,
  },
};

const SECTION_IDS = Object.keys(SECTIONS) as readonly SectionId[];

/** Yields every section that has something to tell, of `categories` only where that is given. */
export function toSections(
  input: SectionInput,
  options: { readonly categories?: ReadonlySet<FilterCategory> | undefined } = {},
): ReportSections {
  const { categories } = options;
  const wanted = SECTION_IDS.filter((id) => categories === undefined || categories.has(SECTIONS[id].category));
  return Object.fromEntries(
    wanted.map((id) => [id, SECTIONS[id].figures(input)] as const).filter(([, figures]) => figures !== undefined),
  );
}

/** One section as lines. */
export interface ToldSection {
  readonly id: SectionId;
  readonly title: string;
  /** Without indent but for lines that belong to the one before; then why they are lower bounds. */
  readonly lines: readonly string[];
}

/** Yields every section that has something to tell as lines, in order. */
export function toldSections(
  sections: ReportSections,
  completeness: Readonly<Record<Category, Completeness>>,
): readonly ToldSection[] {
  return SECTION_IDS.flatMap((id) => {
    const lines = renderSection(id, sections);
    if (lines.length === 0) return [];
    const notes = incompletenessNotes({ completeness }, SECTIONS[id].reads);
    return [{ id, title: SECTIONS[id].title, lines: [...lines, ...notes] }];
  });
}

/** Yields the lines of every section, one section after the other with a blank line between. */
export function renderSections(
  sections: ReportSections,
  given: { readonly completeness: Readonly<Record<Category, Completeness>>; readonly columns?: number },
): readonly string[] {
  const { completeness, columns = COLUMNS } = given;
  const blocks = toldSections(sections, completeness).map(({ title, lines }) => [
    `${title}:`,
    ...lines.flatMap((line) =>
      line.startsWith(" ")
        ? wrapText(line.trimStart(), { first: "    ", indent: 6, columns })
        : wrapText(line, { first: "  ", indent: 4, columns })
    ),
  ]);
  return blocks.flatMap((lines, index) => index === 0 ? lines : ["", ...lines]);
}

function renderSection<Id extends SectionId>(id: Id, sections: ReportSections): readonly string[] {
  const figures: FiguresOf<Id> | undefined = sections[id];
  const spec: SectionSpec<Id> = SECTIONS[id];
  return figures === undefined ? [] : spec.render(figures);
}
