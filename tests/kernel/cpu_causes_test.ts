/**
 * Why a thread has no CPU: a limit, or others who want it too. Told once, as
 * what it is.
 *
 * @module
 */

import type { Finding } from "../../engine/diagnose/finding.ts";
import { assert } from "../support/assert.ts";
import { type FixtureSettings, startFixture } from "../support/fixture_programs.ts";
import { holdsOnce } from "../support/ledger_checks.ts";
import { kernelTest } from "../support/kernel.ts";
import { makeLimitedCgroup } from "../support/limited_cgroup.ts";
import { findingsIn } from "../support/report_findings.ts";
import { processTarget, Tracing, TRACING_REQUIREMENTS } from "../support/tracing.ts";

const REQUIRES = { requires: TRACING_REQUIREMENTS };
const DURATION_MS_MAX = 120_000;
const WINDOW_MS = 2000;

/** Somebody else may take the CPUs for a moment, so that not even the quota is used up. */
const LOOKS_MAX = 3;

/** So many wait for each CPU that each waits most of its life, though for little at a time. */
const THREADS_PER_CPU = 8;

kernelTest(
  "cpu-throttling alone is told of threads that work and sleep under a CPU limit",
  REQUIRES,
  () =>
    holdsOnce(async () => {
      const findings = await lookAt({ threads: 3, work_us: 5000, pause_us: 5000 }, { cpus: 0.2 });
      assert.deepEqual(findings.map(({ id }) => id), ["cpu-throttling"], findings.map(({ title }) => title).join("\n"));
    }, { looksMax: LOOKS_MAX }),
);

kernelTest(
  "cpu-wait is told of threads that sleep often and wait for a CPU most of the time, in small pieces",
  REQUIRES,
  () =>
    holdsOnce(async () => {
      const threads = THREADS_PER_CPU * navigator.hardwareConcurrency;
      const findings = await lookAt({ threads, work_us: 100, pause_us: 50 });
      assert.ok(findings.some(({ id }) => id === "cpu-wait"), findings.map(({ title }) => title).join("\n"));
    }, { looksMax: LOOKS_MAX }),
);

/** Yields what is told above info. */
async function lookAt(
  settings: FixtureSettings,
  options: { readonly cpus?: number } = {},
): Promise<readonly Finding[]> {
  await using limits = options.cpus === undefined ? undefined : await makeLimitedCgroup({ cpus: options.cpus });
  await using fixture = await startFixture("cpu_hogs", { duration_ms: DURATION_MS_MAX, ...settings });
  await limits?.add(fixture.processId);
  await using tracing = await Tracing.start([processTarget(fixture.processId)]);
  await tracing.lasts(WINDOW_MS);
  const measured = await tracing.finish();
  return findingsIn(measured, tracing.events).filter(({ severity }) => severity !== "info");
}
