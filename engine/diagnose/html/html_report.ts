/**
 * The report as one HTML file: it fetches nothing, works from a file, and is
 * read without its script too.
 *
 * @module
 */

import { describeTargets } from "../answer.ts";
import { PAGE_SCRIPT, PAGE_SCRIPT_HASH, PAGE_STYLE, PAGE_STYLE_HASH } from "../generated/page_assets.ts";
import { isTold, type Report } from "../report.ts";
import { renderAnswer, renderFindings, renderTop } from "./answer_section.ts";
import { renderCompleteness, renderCost, renderLimits } from "./books_section.ts";
import { renderCourse } from "./course_section.ts";
import { Markup, markup } from "./markup.ts";
import { renderFigures, renderResources } from "./figures_section.ts";
import { renderStackProfile } from "./stacks_section.ts";
import { renderEvents, renderPeers, renderWaits } from "./tables_section.ts";
import { renderThreads } from "./threads_section.ts";

/** Nothing but the very style and script of this page: not even markup that slipped in could run or fetch. */
const POLICY = `default-src 'none'; style-src '${PAGE_STYLE_HASH}'; script-src '${PAGE_SCRIPT_HASH}'; ` +
  "base-uri 'none'; form-action 'none'";

/** Yields the whole page. */
export function renderHtmlReport(report: Report): string {
  const sections = report.emptyReason === undefined ? sectionsOf(report) : [];
  const page = markup`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer"><meta name="color-scheme" content="light dark">
<title>podtrace: ${describeTargets(report)}</title>
<style>${new Markup(PAGE_STYLE)}</style></head>
<body><a class="skip" href="#answer">To the answer</a>
${renderTop(report)}<main>
${renderAnswer(report)}${renderContents(sections)}${sections.map(({ body }) => body)}
${renderCompleteness(report)}${renderCost(report)}</main>
<footer><p>All times of day are UTC.</p></footer>
<script>${new Markup(PAGE_SCRIPT)}</script>
</body></html>
`;
  return String(page);
}

interface Section {
  readonly id: string;
  readonly name: string;
  readonly body: Markup;
}

/** What the report was asked to tell and has something to tell of. */
function sectionsOf(report: Report): readonly Section[] {
  const hasTime = isTold(report.categories, "time");
  const candidates: readonly (readonly [id: string, name: string, body: Markup | false | undefined])[] = [
    ["findings", "Findings", renderFindings(report)],
    ["threads", "Time", hasTime && renderThreads(report)],
    ["course", "Over time", hasTime && renderCourse(report)],
    ["waits", "Waits", hasTime && renderWaits(report)],
    ["stacks", "Stacks", renderStackProfile(report)],
    ["peers", "Peers", isTold(report.categories, "net") && renderPeers(report)],
    ["events", "Events", renderEvents(report)],
    ["limits", "Limits", renderLimits(report)],
    ["resources", "Resources", renderResources(report)],
    ["figures", "Figures", renderFigures(report)],
  ];
  return candidates.flatMap(([id, name, body]) => body instanceof Markup ? [{ id, name, body }] : []);
}

function renderContents(sections: readonly Section[]): Markup {
  const entries = [...sections, { id: "completeness", name: "Completeness" }, { id: "cost", name: "Cost" }];
  return markup`<nav aria-label="Sections"><ul>${
    entries.map(({ id, name }) => markup`<li><a href="#${id}">${name}</a></li>`)
  }</ul></nav>
`;
}
