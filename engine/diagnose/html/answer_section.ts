/**
 * The first screen: the answer, where all of the time went, and the findings.
 *
 * @module
 */

import {
  answerOf,
  describeCommand,
  describeEnd,
  describeNothing,
  describeShares,
  describeTargets,
  describeWindow,
  titleOf,
} from "../answer.ts";
import { HTML_FINDINGS_MAX, HTML_STACK_FRAMES_MAX } from "../../api/limits.ts";
import type { Finding } from "../finding.ts";
import { formatCount, formatShare } from "../format.ts";
import { type Report, worstSeverity } from "../report.ts";
import { describeEvidence } from "../text_report.ts";
import { type Markup, markup } from "./markup.ts";
import { stateBar, stateName } from "./parts.ts";
import { PAGE_STATES, stateAmounts } from "./states.ts";

/** A state below this share of the time is left out of the first picture's key. */
const KEY_SHARE_MIN = 0.001;

/** Yields who was looked at, and the choice of theme. */
export function renderTop(report: Report): Markup {
  return markup`<header class="top"><div class="what"><p class="brand">podtrace diagnose</p>
<p class="target">${describeTargets(report)}</p><p class="window">${describeWindow(report)}</p></div>
<button type="button" class="theme" id="theme" aria-label="Theme: as the system">Auto</button></header>
`;
}

/** Yields the answer in one sentence, and all of the time as one bar. */
export function renderAnswer(report: Report): Markup {
  const worst = worstSeverity(report);
  const isGrave = worst !== undefined && worst !== "info";
  const lines = [describeEnd(report), describeCommand(report)].filter((line) => line !== undefined);
  const answer = report.emptyReason === undefined
    ? answerOf(report).replace(/:$/, "")
    : describeNothing(report.emptyReason);
  return markup`<section class="answer is-${isGrave ? worst : "calm"}" id="answer" aria-label="Answer">
<h1>${answer}</h1>${lines.map((line) => markup`<p class="end">${line}</p>`)}
${report.emptyReason === undefined && renderWhole(report)}</section>
`;
}

function renderWhole(report: Report): Markup {
  const amounts = stateAmounts(report.timeLedger.sums);
  const totalMs = amounts.reduce((sum, ms) => sum + ms, 0);
  const named = PAGE_STATES.flatMap((state, index) => {
    const share = totalMs > 0 ? (amounts[index] ?? 0) / totalMs : 0;
    return share >= KEY_SHARE_MIN ? [markup`<li>${stateName(state)} <b>${formatShare(share)}</b></li>`] : [];
  });
  return markup`<div class="whole">${stateBar(amounts, totalMs)}<ul class="key">${named}</ul>
<p class="note">All threads together: ${describeShares(report)}.</p></div>`;
}

/** Yields the findings above info in full, the others one line each, and what was not found. */
export function renderFindings(report: Report): Markup {
  const grave = report.findings.filter(({ severity }) => severity !== "info");
  const mild = report.findings.filter(({ severity }) => severity === "info");
  const shown = grave.slice(0, HTML_FINDINGS_MAX);
  const hiddenCount = grave.length - shown.length + Math.max(0, mild.length - HTML_FINDINGS_MAX);
  return markup`<section id="findings" aria-label="Findings">
${shown.length > 0 && markup`<ol class="findings">${shown.map((finding) => renderFinding(report, finding))}</ol>`}
${
    mild.length > 0 && markup`<ul class="mild">${
      mild.slice(0, HTML_FINDINGS_MAX).map((finding) =>
        markup`<li class="is-info"><span class="chip">info</span> <code>${finding.id}</code> ${
          titleOf(report, finding)
        }</li>`
      )
    }</ul>`
  }
${
    hiddenCount > 0 &&
    markup`<p class="note">and ${formatCount(hiddenCount, "more finding")}, all of them in the JSON report</p>`
  }
${renderAbsences(report)}</section>
`;
}

function renderFinding(report: Report, finding: Finding): Markup {
  const { evidence, consequences, severity } = finding;
  const stacks = evidence.userStacks ?? [];
  const totalMs = evidence.waits?.totalMs ?? 0;
  return markup`<li><article class="finding is-${severity}">
<p class="head"><span class="chip">${severity}</span><code>${finding.id}</code>${
    finding.share > 0 && markup`<span class="share">${formatShare(finding.share)} of the non-idle time</span>`
  }</p>
<h3>${titleOf(report, finding)}</h3>
<p class="next"><b>Next</b> ${finding.nextStep}</p>
<ul class="evidence">${describeEvidence(evidence).map((line) => markup`<li>${line}</li>`)}</ul>
${
    consequences.length > 0 &&
    markup`<ul class="so">${consequences.slice(0, HTML_FINDINGS_MAX).map((line) => markup`<li>${line}</li>`)}</ul>`
  }${
    stacks.length > 0 &&
    markup`<details><summary>Where in the program</summary>${
      stacks.map((stack) => renderStack(stack.frames, totalMs > 0 ? stack.totalMs / totalMs : 0))
    }</details>`
  }</article></li>`;
}

/** Yields one stack, innermost frame first. */
export function renderStack(frames: readonly string[], share: number): Markup {
  const shown = frames.slice(0, HTML_STACK_FRAMES_MAX);
  const hiddenCount = frames.length - shown.length;
  return markup`<div class="stack"><p>${formatShare(share)} of it in</p><ol>${
    shown.map((frame) => markup`<li>${frame}</li>`)
  }${hiddenCount > 0 && markup`<li>and ${formatCount(hiddenCount, "more frame")}</li>`}</ol></div>`;
}

function renderAbsences({ absences }: Report): Markup {
  return markup`${
    absences.absent.length > 0 && markup`<p class="note">Not seen at all: ${absences.absent.join(", ")}.</p>`
  }${
    absences.withheld.map(({ statement, reason }) =>
      markup`<p class="note">Not said: \u201c${statement}\u201d, because ${reason}.</p>`
    )
  }`;
}
