/**
 * What each category has to tell, as the text report tells it, and tables of
 * what processes and cgroups have and use.
 *
 * @module
 */

import { HTML_CGROUP_ROWS_MAX, HTML_PROCESS_ROWS_MAX } from "../../api/limits.ts";
import { formatBytes, formatCount } from "../format.ts";
import type { Report } from "../report.ts";
import { toldSections } from "../sections/all_sections.ts";
import { describeCgroup } from "../sections/cgroup_resources.ts";
import { describeChange } from "../sections/process_resources.ts";
import type { FiguresOf, SectionId } from "../sections/section_input.ts";
import { type Markup, markup } from "./markup.ts";
import { formatNumber, section } from "./parts.ts";
import { plainTable } from "./tables_section.ts";

/** Told by tables of their own. */
const TABLED: ReadonlySet<SectionId> = new Set<SectionId>(["peers", "cgroup_resources", "process_resources"]);

/** Yields one card per section; nothing where none has anything to tell. */
export function renderFigures({ sections, books }: Report): Markup | undefined {
  const told = toldSections(sections, books.completeness).filter(({ id }) => !TABLED.has(id));
  if (told.length === 0) return undefined;
  return section(
    { id: "figures", title: "Figures by category" },
    markup`<div class="cards">${
      told.map(({ title, lines }) =>
        markup`<article class="card"><h3>${title}</h3><ul class="lines">${
          lines.map((line) => markup`<li>${line.trimStart()}</li>`)
        }</ul></article>`
      )
    }</div>`,
  );
}

/** Yields descriptors, threads, faults and memory by process, and use against limits by cgroup. */
export function renderResources({ sections }: Report): Markup | undefined {
  const { process_resources: processes, cgroup_resources: cgroups } = sections;
  if (processes === undefined && cgroups === undefined) return undefined;
  return section({
    id: "resources",
    title: "What it has and uses",
    note: "Where a figure changed in the window both are shown, the one at the begin first.",
  }, [processes && renderProcesses(processes), cgroups && renderCgroups(cgroups)]);
}

function renderProcesses({ processes, omitted }: FiguresOf<"process_resources">): Markup {
  const shown = processes.slice(0, HTML_PROCESS_ROWS_MAX);
  const hiddenCount = processes.length - shown.length + omitted;
  const rows = shown.map((row) => [
    `${row.name} (${row.pid})`,
    describeChange(row.resident_bytes_begin, row.resident_bytes_end, formatBytes) ?? "",
    describeChange(row.descriptors_begin, row.descriptors_end, formatNumber) ?? "",
    row.descriptor_limit === undefined ? "" : formatNumber(row.descriptor_limit),
    describeChange(row.threads_begin, row.threads_end, formatNumber) ?? "",
    formatNumber(row.threads_started),
    formatNumber(row.minor_faults),
    formatNumber(row.major_faults),
  ]);
  return markup`${
    plainTable(
      ["process", "memory", "descriptors", "their limit", "threads", "started", "minor faults", "major faults"],
      rows,
    )
  }${hiddenCount > 0 && markup`<p class="note">and ${formatCount(hiddenCount, "more process", "more processes")}</p>`}`;
}

function renderCgroups({ cgroups, omitted }: FiguresOf<"cgroup_resources">): Markup {
  const shown = cgroups.slice(0, HTML_CGROUP_ROWS_MAX);
  const hiddenCount = cgroups.length - shown.length + omitted;
  return markup`<div class="cards">${
    shown.map((row) =>
      markup`<article class="card"><h3>${row.path}</h3><ul class="lines">${
        describeCgroup(row).map((line) => markup`<li>${line}</li>`)
      }</ul></article>`
    )
  }</div>${hiddenCount > 0 && markup`<p class="note">and ${formatCount(hiddenCount, "more cgroup")}</p>`}`;
}
