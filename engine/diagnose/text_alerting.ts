/**
 * What became of the alerts, as text.
 *
 * @module
 */

import type { AlertingReceipt, SinkReceipt } from "../api/alerts.ts";
import { formatCount } from "./format.ts";
import { COLUMNS, wrapText } from "./text_layout.ts";

/** Yields the section's lines; none where no alerts are told. */
export function renderAlerting(receipt: AlertingReceipt | undefined, columns = COLUMNS): readonly string[] {
  if (receipt === undefined) return [];
  const { offeredCount, belowSeverityCount, duplicateCount, rateLimitedCount } = receipt;
  const untold = [
    [belowSeverityCount, "too mild"],
    [duplicateCount, "told already"],
    [rateLimitedCount, "over the rate limit"],
  ] as const;
  const reasons = untold.filter(([count]) => count > 0).map(([count, reason]) => `${count} ${reason}`);
  const toldCount = offeredCount - belowSeverityCount - duplicateCount - rateLimitedCount;
  return [
    "ALERTS",
    ...wrapText(
      `${formatCount(offeredCount, "finding")}, ${toldCount} told${
        reasons.length === 0 ? "" : `, ${reasons.join(", ")}`
      }`,
      { first: "  ", columns },
    ),
    ...receipt.sinks.flatMap((sink) => wrapText(describeSink(sink), { first: "  ", indent: 4, columns })),
  ];
}

/** Yields "webhook at alerts.example.com: 2 of 3 delivered, 1 failed (answered 500)". */
export function describeSink(sink: SinkReceipt): string {
  const { deliveredCount, failedCount, queueFullCount, abandonedCount, waitingCount } = sink;
  const total = deliveredCount + failedCount + queueFullCount + abandonedCount + waitingCount;
  const losses = ([
    [failedCount, "failed"],
    [queueFullCount, "without room in the queue"],
    [abandonedCount, "abandoned at the end"],
  ] as const).filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  const why = losses.length > 0 && sink.lastProblem !== undefined ? ` (${sink.lastProblem})` : "";
  const retries = sink.retryCount > 0 ? [`${sink.retryCount} repeated`] : [];
  const what = [`${deliveredCount} of ${total} delivered`, ...retries, ...losses].join(", ");
  return `${sink.sink} at ${sink.host}: ${what}${why}`;
}
