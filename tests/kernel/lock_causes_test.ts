/**
 * Waits for locks are given to what each holder did with the lock: never all to
 * one of several, never to who was not there.
 *
 * @module
 */

import type { Measurements } from "../../engine/api/measurements.ts";
import type { Finding } from "../../engine/diagnose/finding.ts";
import { assert } from "../support/assert.ts";
import { type FixtureSettings, numberOf, startFixture, type Statement } from "../support/fixture_programs.ts";
import { kernelTest } from "../support/kernel.ts";
import { findingsIn } from "../support/report_findings.ts";
import { processTarget, Tracing, TRACING_REQUIREMENTS } from "../support/tracing.ts";

const DURATION_MS_MAX = 120_000;
const WINDOW_MS = 2000;

/** Both holders keep the lock alike; which of them gets it how often is the scheduler's. */
const SHARE_MIN = 0.15;

kernelTest(
  "a lock that one thread keeps over calls to a peer and another over naps is divided between them",
  { requires: TRACING_REQUIREMENTS },
  async () => {
    const { measured, findings, ready } = await lookAt({ holder: "upstream", hold_ms: 30, nap_hold_ms: 27 });
    const peer = findings.find(({ id }) => id === "slow-peer");
    const lock = findings.find(({ id }) => id === "lock-contention");
    assert.ok(peer !== undefined && lock !== undefined, findings.map(({ title }) => title).join("\n"));
    assert.ok(peer.title.includes(`127.0.0.1:${numberOf(ready, "upstream_port")}`), peer.title);
    assert.match(lock.title, /held by napper \(\d+\), itself asleep in clock_nanosleep/);

    const waitedMs = (waitClass: string) =>
      measured.waits.filter((wait) => wait.waitClass === waitClass).reduce((sum, wait) => sum + wait.totalMs, 0);
    const lockMs = waitedMs("lock");
    const lockMsOfPeer = peer.explainedMs - waitedMs("network");
    for (const ms of [lock.explainedMs, lockMsOfPeer]) assert.ok(ms >= SHARE_MIN * lockMs, `${ms} of ${lockMs} ms`);
    assert.ok(lock.explainedMs + lockMsOfPeer <= 1.001 * lockMs, "no more than was waited");
    const [consequence = ""] = peer.consequences;
    assert.match(consequence, /held by flusher/);
    assert.doesNotMatch(consequence.slice(0, consequence.indexOf(" waited ")), /flusher/);
  },
);

/** Traces the lock's program for a window. */
async function lookAt(
  settings: FixtureSettings,
): Promise<{ measured: Measurements; findings: readonly Finding[]; ready: Statement }> {
  await using fixture = await startFixture("lock_holder", { duration_ms: DURATION_MS_MAX, ...settings });
  await using tracing = await Tracing.start([processTarget(fixture.processId)]);
  await tracing.lasts(WINDOW_MS);
  const measured = await tracing.finish();
  return { measured, findings: findingsIn(measured, tracing.events), ready: fixture.ready };
}
