/**
 * The page's tables: waits, peers, single events.
 *
 * @module
 */

import { openAtEnd } from "../open_connections.ts";
import { errnoName } from "../../api/errno_name.ts";
import type { TraceEvent } from "../../api/events.ts";
import { HTML_EVENT_ROWS_MAX, HTML_PEER_ROWS_MAX, HTML_STACK_ROWS_MAX, HTML_WAIT_ROWS_MAX } from "../../api/limits.ts";
import { IDLE_WAIT_CLASSES } from "../../api/measurements.ts";
import type { PeerMeasurement } from "../../api/socket_measurements.ts";
import { durationMsOf, endMsOf } from "../event_log.ts";
import { formatBytes, formatCount, formatMs, formatTimeOfDay } from "../format.ts";
import { percentileMsMax } from "../histogram.ts";
import type { Report } from "../report.ts";
import { sumCounts } from "../sections/section_input.ts";
import { dearestStacks } from "../stacks.ts";
import { foldChildren, nameOfLine, type WaitLine } from "../text_time_ledger.ts";
import type { WaitGroup } from "../time_ledger.ts";
import { describeObject, WAIT_CLASS_NAMES } from "../wait_object.ts";
import { renderStack } from "./answer_section.ts";
import { timeOfDay } from "./course_section.ts";
import { type Markup, markup, type MarkupValue } from "./markup.ts";
import {
  bucketText,
  figureCell,
  formatDuration,
  formatNumber,
  moreButton,
  section,
  sortHead,
  sparkHistogram,
  stateName,
} from "./parts.ts";
import { type PageState, toPageState } from "./states.ts";

interface Latency {
  readonly count: number;
  readonly totalMs: number;
  readonly longestMs: number;
  readonly buckets: readonly number[];
}

const LATENCY_HEADS = ["count", "total", "mean", "p50", "p95", "p99", "longest"] as const;

/** Yields what threads waited for, most time first. */
export function renderWaits(report: Report): Markup {
  const isIdle = (wait: WaitGroup) => IDLE_WAIT_CLASSES.has(wait.waitClass);
  const waits = [
    ...foldChildren(report.timeLedger.waits.filter((wait) => !isIdle(wait))),
    ...foldChildren(report.timeLedger.waits.filter(isIdle)),
  ];
  if (waits.length === 0) return section({ id: "waits", title: "Waits" }, markup`<p>No waits were recorded.</p>`);
  const shown = waits.slice(0, HTML_WAIT_ROWS_MAX);
  const hidden = waits.slice(HTML_WAIT_ROWS_MAX);
  const hiddenMs = hidden.reduce((sum, { wait }) => sum + wait.figures.totalMs, 0);
  return section({
    id: "waits",
    title: "Waits",
    note:
      "By process, object and system call; idle ones last. Percentiles come from buckets that double, so they are " +
      "upper bounds.",
  }, [
    renderTable({
      id: "waits-table",
      heads: [
        sortHead("wait", { isText: true }),
        markup`<th scope="col">distribution</th>`,
        ...LATENCY_HEADS.map((head) => sortHead(head, { isSorted: head === "total" })),
      ],
      rows: shown.map(renderWait),
    }),
    hidden.length > 0 &&
    markup`<p class="note">and ${formatCount(hidden.length, "more wait")} of less time, ${
      formatMs(hiddenMs)
    } together</p>`,
  ]);
}

function renderTable(
  given: { readonly id: string; readonly heads: readonly Markup[]; readonly rows: readonly Markup[] },
): Markup {
  return markup`<div class="controls"><label>Filter <input type="search" data-filters="${given.id}" autocomplete="off" spellcheck="false"></label><output class="count" data-counts="${given.id}"></output></div>
<table class="rows" id="${given.id}"><thead><tr>${given.heads}</tr></thead><tbody>${given.rows}</tbody></table>${
    moreButton(given.id)
  }`;
}

function renderWait(line: WaitLine, rank: number): Markup {
  const { wait } = line;
  const object = nameOfLine(line);
  const { process, figures, waker, waitClass, threadCount } = wait;
  const endedBy = waker === undefined || waker.threadId === 0
    ? ""
    : `, mostly ended by ${waker.command} (${waker.threadId})`;
  const who = `${process.command} (${process.processId}), ${formatCount(threadCount, "thread")}${endedBy}`;
  const stacks = rank < HTML_STACK_ROWS_MAX ? dearestStacks(wait.rows) : [];
  const notes = [
    ...(figures.longestEndWallMs === undefined
      ? []
      : [`The longest ended at ${formatTimeOfDay(figures.longestEndWallMs)}.`]),
    ...(figures.openMs > 0 ? [`${formatMs(figures.openMs)} were still going on at the end.`] : []),
  ].join(" ");
  return markup`<tr><th scope="row" class="subject" data-sort="${object}">${
    stateName(toPageState(waitClass), WAIT_CLASS_NAMES[waitClass])
  } ${
    wait.systemCall && markup`<code>${wait.systemCall}</code> `
  }<b class="object">${object}</b><details><summary>${who}</summary>${renderHistogram(wait.buckets)}${
    notes !== "" && markup`<p class="note">${notes}</p>`
  }${
    stacks.map((stack) => renderStack(stack.frames, figures.totalMs > 0 ? stack.totalMs / figures.totalMs : 0))
  }</details></th>${latencyCells({ ...figures, buckets: wait.buckets })}</tr>`;
}

/** The page's script draws it when its row is opened. */
function renderHistogram(buckets: readonly number[]): Markup {
  return markup`<div class="histogram" data-buckets="${bucketText(buckets)}"></div>`;
}

function latencyCells({ count, totalMs, longestMs, buckets }: Latency): readonly Markup[] {
  const percentile = (percent: number) => percentileMsMax(buckets, percent, { longestMs });
  const bound = (label: string, ms: number | undefined) =>
    ms === undefined ? figureCell(label, "", -1) : figureCell(label, formatDuration(ms), ms);
  return [
    markup`<td class="picture" data-label="distribution">${sparkHistogram(buckets)}</td>`,
    figureCell("count", formatNumber(count), count),
    figureCell("total", formatDuration(totalMs), totalMs),
    figureCell("mean", count > 0 ? formatDuration(totalMs / count) : "", count > 0 ? totalMs / count : -1),
    bound("p50", percentile(50)),
    bound("p95", percentile(95)),
    bound("p99", percentile(99)),
    figureCell("longest", count > 0 ? formatDuration(longestMs) : "", longestMs),
  ];
}

/** Yields who was talked to; nothing where no socket was seen. */
export function renderPeers(report: Report): Markup | undefined {
  const { peers } = report;
  if (peers.length === 0) return undefined;
  const shown = peers.slice(0, HTML_PEER_ROWS_MAX);
  const hiddenCount = peers.length - shown.length;
  const mostMs = shown.reduce((max, { responses }) => Math.max(max, responses.totalMs), 0);
  return section({
    id: "peers",
    title: "Peers",
    note: "A response is from the first send to the first receive after it where we are the client, and from the " +
      "first receive to the first send where we serve.",
  }, [
    renderTable({
      id: "peers-table",
      heads: [
        sortHead("peer", { isText: true }),
        markup`<th scope="col">responses</th>`,
        ...LATENCY_HEADS.map((head) => sortHead(head, { isSorted: head === "total" })),
        ...["sent", "received", "failed"].map((head) => sortHead(head)),
      ],
      rows: shown.map((peer) => renderPeer(report, { peer, mostMs })),
    }),
    hiddenCount > 0 && markup`<p class="note">and ${formatCount(hiddenCount, "more peer")}</p>`,
  ]);
}

function renderPeer(report: Report, { peer, mostMs }: { peer: PeerMeasurement; mostMs: number }): Markup {
  const { responses, connects, sends, receives } = peer;
  const failedCount = sends.failedCount + receives.failedCount + connects.failedCount;
  const command = report.commands.get(peer.processId) ?? "?";
  const name = peer.endpoint === undefined ? "sockets not told apart" : describeObject(peer.endpoint);
  const part = mostMs > 0 ? responses.totalMs / mostMs * 100 : 0;
  return markup`<tr><th scope="row" class="subject" data-sort="${name}"><span class="state">${
    peer.role === "client" ? "asks" : "serves"
  }</span> <b class="object">${name}</b><svg class="share" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"><rect class="s-network" width="${
    part.toFixed(2)
  }" height="4"/></svg><details><summary>${command} (${peer.processId})</summary>${
    renderHistogram(responses.buckets)
  }<ul class="lines">${describePeer(peer).map((line) => markup`<li>${line}</li>`)}</ul></details></th>${
    latencyCells({
      count: responses.count,
      totalMs: responses.totalMs,
      longestMs: responses.maxMs,
      buckets: responses.buckets,
    })
  }${figureCell("sent", formatBytes(sends.byteCount), sends.byteCount)}${
    figureCell("received", formatBytes(receives.byteCount), receives.byteCount)
  }${figureCell("failed", formatNumber(failedCount), failedCount)}</tr>`;
}

function describePeer(peer: PeerMeasurement): readonly string[] {
  const { connects, roundTrip, sends, receives } = peer;
  const failures = Object.entries(sumCounts([sends.errors, receives.errors, connects.failures]));
  const openCount = openAtEnd(peer);
  const lines: readonly (string | false)[] = [
    connects.attemptCount > 0 &&
    `${formatCount(connects.attemptCount, "connect")}, ${connects.establishedCount} established, ` +
      `${connects.failedCount} failed, ${connects.pendingCount} undecided`,
    connects.handshakes.count > 0 &&
    `handshakes ${formatDuration(connects.handshakes.totalMs / connects.handshakes.count)} on average, longest ${
      formatDuration(connects.handshakes.maxMs)
    }`,
    failures.length > 0 && `errors: ${failures.map(([name, count]) => `${name} ${count}`).join(", ")}`,
    openCount !== undefined && peer.acceptCount + peer.closeCount + openCount > 0 &&
    `${peer.acceptCount} accepted, ${peer.closeCount} closed, ${openCount} open at the end`,
    openCount === undefined && peer.acceptCount > 0 && `${peer.acceptCount} accepted`,
    peer.retransmitCount > 0 && `${formatCount(peer.retransmitCount, "segment")} sent again`,
    peer.resetReceivedCount + peer.resetSentCount > 0 &&
    `${peer.resetReceivedCount} reset by the other side, ${peer.resetSentCount} by ours`,
    roundTrip !== undefined &&
    `round trip ${formatDuration(roundTrip.minMs)} to ${formatDuration(roundTrip.maxMs)}, last ${
      formatDuration(roundTrip.lastMs)
    }`,
    peer.unmeasuredResponseCount > 0 &&
    `${formatCount(peer.unmeasuredResponseCount, "exchange")} overlapped and could not be measured`,
  ];
  return lines.filter((line) => line !== false);
}

/** Yields single events: failures and the longest first; nothing where none were kept. */
export function renderEvents(report: Report): Markup | undefined {
  const { listing } = report;
  if (listing === undefined) return undefined;
  const { events, omittedShorterCount, omittedLaterCount } = listing;
  const ranked = events.toSorted((first, second) => rankOf(second) - rankOf(first) || endMsOf(first) - endMsOf(second));
  const shown = ranked.slice(0, HTML_EVENT_ROWS_MAX);
  const hiddenCount = events.length - shown.length + omittedShorterCount + omittedLaterCount;
  return section({
    id: "events",
    title: "Single events",
    note: `Failures first, then the longest. Shorter ones are in the figures above${
      hiddenCount > 0 ? `; ${formatNumber(hiddenCount)} recorded ones are not listed` : ""
    }.`,
  }, [
    events.length === 0 ? markup`<p>None were recorded.</p>` : renderTable({
      id: "events-table",
      heads: [
        sortHead("event", { isText: true }),
        sortHead("who", { isText: true }),
        sortHead("duration"),
        sortHead("ended at"),
      ],
      rows: shown.map((event) => renderEvent(report, event)),
    }),
  ]);
}

/** Failures before everything, then by duration; what merely happened comes last. */
function rankOf(event: TraceEvent): number {
  const isFailure = describeFailure(event) !== undefined;
  return (isFailure ? 1e12 : 0) + (durationMsOf(event) ?? -1);
}

function describeFailure(event: TraceEvent): string | undefined {
  switch (event.kind) {
    case "exit":
      if (!event.processEnded) return undefined;
      return event.signal > 0 ? `signal ${event.signal}` : event.exitCode > 0 ? `exit ${event.exitCode}` : undefined;
    case "connect":
      return event.error;
    case "transferFailure":
      return `${event.direction} failed: ${event.error}`;
    case "oomKill":
      return "killed, out of memory";
    case "file":
      return event.errno === 0 ? undefined : errnoName(event.errno);
    default:
      return undefined;
  }
}

function renderEvent(report: Report, event: TraceEvent): Markup {
  const durationMs = durationMsOf(event);
  const failure = describeFailure(event);
  const { state, what, object } = describeEvent(event);
  return markup`<tr data-at="${(endMsOf(event) - report.window.beginMs).toFixed(1)}" data-lasted="${
    (durationMs ?? 0).toFixed(1)
  }"><th scope="row" class="subject" data-sort="${what} ${object}">${
    state === undefined ? markup`<span class="state">${what}</span>` : markup`${stateName(state)} <code>${what}</code>`
  } <b class="object">${object}</b>${
    failure !== undefined && markup` <span class="failure">${failure}</span>`
  }</th><td data-label="who" data-sort="${whoOf(report, event)}">${whoOf(report, event)}</td>${
    durationMs === undefined
      ? figureCell("duration", "", -1)
      : figureCell("duration", formatDuration(durationMs), durationMs)
  }${figureCell("ended at", timeOfDay(report, endMsOf(event)), endMsOf(event))}</tr>`;
}

function describeEvent(
  event: TraceEvent,
): { readonly state: PageState | undefined; readonly what: string; readonly object: string } {
  switch (event.kind) {
    case "wait":
      return {
        state: toPageState(event.waitClass),
        what: event.systemCall ?? "",
        object: describeObject(event.object),
      };
    case "file":
      return { state: undefined, what: event.operation, object: describeObject(event.object) };
    case "fork":
      return { state: undefined, what: "fork", object: `${event.command} (${event.childThreadId})` };
    case "exec":
      return { state: undefined, what: "exec", object: event.path };
    case "exit":
      return { state: undefined, what: event.processEnded ? "end of process" : "end of thread", object: event.command };
    case "oomKill":
      return { state: undefined, what: "kill", object: event.command };
    case "transferFailure":
      return { state: undefined, what: event.direction, object: describeObject(event.endpoint) };
    default:
      return { state: undefined, what: event.kind, object: describeObject(event.endpoint) };
  }
}

function whoOf(report: Report, event: TraceEvent): string {
  const processId = event.kind === "fork" ? event.parentProcessId : event.processId;
  const command = report.commands.get(processId) ?? ("command" in event ? event.command : "?");
  return `${command} (${"threadId" in event ? event.threadId : processId})`;
}

/** Yields a plain table, for figures that nobody sorts. */
export function plainTable(
  heads: readonly string[],
  rows: readonly (readonly MarkupValue[])[],
): Markup {
  return markup`<table class="rows plain"><thead><tr>${
    heads.map((head, index) => markup`<th scope="col"${index > 0 && markup` class="num"`}>${head}</th>`)
  }</tr></thead><tbody>${
    rows.map((cells) =>
      markup`<tr>${
        cells.map((cell, index) =>
          index === 0
            ? markup`<th scope="row" class="subject">${cell}</th>`
            : markup`<td class="num" data-label="${heads[index]}">${cell}</td>`
        )
      }</tr>`
    )
  }</tbody></table>`;
}
