import type { AlertingReceipt } from "../api/alerts.ts";
import { assert } from "../../tests/support/assert.ts";
import { renderAlerting } from "./text_alerting.ts";

const SINK: AlertingReceipt["sinks"][number] = {
  sink: "webhook",
  host: "alerts.example.com",
  deliveredCount: 2,
  failedCount: 0,
  queueFullCount: 0,
  abandonedCount: 0,
  waitingCount: 0,
  retryCount: 0,
  lastProblem: undefined,
};

Deno.test("renderAlerting() says nothing where no alerts are told", () => {
  assert.deepEqual(renderAlerting(undefined), []);
});

Deno.test("renderAlerting() accounts for every finding, and for every alert of every sink", () => {
  const receipt: AlertingReceipt = {
    offeredCount: 7,
    belowSeverityCount: 3,
    duplicateCount: 0,
    rateLimitedCount: 1,
    sinks: [
      { ...SINK, deliveredCount: 3, retryCount: 1, lastProblem: "answered 500" },
      {
        ...SINK,
        sink: "slack",
        host: "hooks.slack.com",
        deliveredCount: 1,
        failedCount: 1,
        abandonedCount: 1,
        lastProblem: "no answer within 10000 ms",
      },
    ],
  };
  assert.deepEqual(renderAlerting(receipt), [
    "ALERTS",
    "  7 findings, 3 told, 3 too mild, 1 over the rate limit",
    "  webhook at alerts.example.com: 3 of 3 delivered, 1 repeated",
    "  slack at hooks.slack.com: 1 of 3 delivered, 1 failed, 1 abandoned at the end (no answer within",
    "    10000 ms)",
  ]);
});
