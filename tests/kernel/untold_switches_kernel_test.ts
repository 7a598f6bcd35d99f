/**
 * Machines that do not tell of every switch: the test machine tells nobody when
 * threads of its first process leave a CPU. Elsewhere this holds all the more.
 *
 * @module
 */

import { LibbpfAccess } from "../../engine/backend/libbpf_access.ts";
import { LibbpfBackend } from "../../engine/backend/libbpf_backend.ts";
import { HOOKS, toHookPlans } from "../../engine/backend/hooks.ts";
import { attachBpfObject } from "../../engine/backend/object_loader.ts";
import { openRing } from "../../engine/backend/ring_reader.ts";
import { RunTimeSampler } from "../../engine/backend/run_time_sampler.ts";
import type { ThreadAccount } from "../../engine/api/tracer_backend.ts";
import { openLibbpf } from "../../engine/ffi/libbpf.ts";
import { openLibc } from "../../engine/ffi/libc.ts";
import { WaitSet } from "../../engine/ffi/wait_set.ts";
import { openHostView, readBpfObjectFile, systemWideTarget } from "../../engine/mod.ts";
import { PT_THREAD, PT_THREAD_STATE } from "../../bpf/generated/layout.ts";
import { assert } from "../support/assert.ts";
import { startFixture } from "../support/fixture_programs.ts";
import { kernelTest } from "../support/kernel.ts";
import { assertTimeAddsUp, holdsOnce, readStealMs, sumOf } from "../support/ledger_checks.ts";
import { processTarget, Tracing, TRACING_REQUIREMENTS } from "../support/tracing.ts";
import { until } from "../support/until.ts";

const REQUIRES = { requires: TRACING_REQUIREMENTS };
const WINDOW_MS = 3000;

/** Ticks, late switches, and the ends of the window. */
const SLACK_MS = 100;

/** What the scheduler has charged the threads of the first process so far (Documentation/scheduler/sched-stats.rst). */
function chargedMs(): number {
  return sumOf(Deno.readDirSync("/proc/1/task"), ({ name }) => {
    const [chargedNs = "0"] = Deno.readTextFileSync(`/proc/1/task/${name}/schedstat`).split(" ");
    return Number(chargedNs) / 1e6;
  });
}

kernelTest("the first process is not on a CPU for longer than the scheduler charges it", REQUIRES, async () => {
  await holdsOnce(async () => {
    const beforeMs = chargedMs() + readStealMs();
    await using tracing = await Tracing.start([systemWideTarget()]);
    await tracing.lasts(WINDOW_MS);
    const measurements = await tracing.finish();
    const allowedMs = chargedMs() + readStealMs() - beforeMs;

    assertTimeAddsUp(measurements);
    const threads = measurements.threads.filter(({ processId }) => processId === 1);
    const onCpuMs = sumOf(threads, (thread) => thread.onCpuMs);
    assert.ok(onCpuMs <= allowedMs * 1.05 + SLACK_MS, `${onCpuMs} ms on a CPU, charged ${allowedMs} ms`);
  });
});

const AWAY_MS = 500;

/** Makes the row of a thread say that it came onto its CPU AWAY_MS earlier, and left it and came back untold since. */
function forgeAbsence(row: Uint8Array<ArrayBuffer>): void {
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength);
  const { offsets } = PT_THREAD;
  for (const at of [offsets.beginNs, offsets.sinceNs]) {
    view.setBigUint64(at, view.getBigUint64(at, true) - BigInt(AWAY_MS * 1e6), true);
  }
  view.setUint32(offsets.switchMark, view.getUint32(offsets.switchMark, true) - 1, true);
}

/** A backend whose tables the test can write. */
async function openWritableBackend() {
  await using owners = new AsyncDisposableStack();
  const libc = owners.use(openLibc());
  const library = owners.use(openLibbpf(libc));
  const hooks = toHookPlans(HOOKS);
  const attached = owners.use(attachBpfObject(library, await readBpfObjectFile(), { name: "podtrace", hooks }));
  const access = new LibbpfAccess({
    libc,
    library,
    attached,
    hooks: HOOKS,
    lifecycleRing: owners.use(openRing(libc, attached.object.map("lifecycle_ring"))),
    dataRing: owners.use(openRing(libc, attached.object.map("data_ring"))),
    waitSet: owners.use(new WaitSet(libc)),
    sampler: owners.use(new RunTimeSampler({ enable: () => new DisposableStack(), read: () => new Map() })),
    host: openHostView(),
    owners: owners.move(),
  });
  return { access, backend: new LibbpfBackend(access, { ownProcessId: Deno.pid, pageBytes: libc.pageBytes() }) };
}

kernelTest("a switch off a CPU and the one back, both untold, are no time on it", REQUIRES, async () => {
  await using fixture = await startFixture("cpu_hogs", { duration_ms: 120_000, threads: 6 });
  await holdsOnce(async () => {
    const { access, backend } = await openWritableBackend();
    await using _backend = backend;
    const planes = new Set(["time"] as const);
    const asked = { slowWaitMs: undefined, slowFileMs: undefined, hasUserStacks: false, planes };
    backend.applyTargets({ added: [processTarget(fixture.processId)], removed: [], ...asked });
    const threads = access.table("threads");
    const keys: Uint8Array<ArrayBuffer>[] = [];
    threads.lookupBatch((all, _values, count) => {
      for (let index = 0; index < count; index++) {
        keys.push(new Uint8Array(all.buffer, all.byteOffset + index * 8, 8).slice());
      }
    });
    const wordOf = (row: Uint8Array<ArrayBuffer> | undefined, offset: number) =>
      row === undefined ? 0 : new DataView(row.buffer, row.byteOffset).getUint32(offset, true);
    // A switch between reading and writing spoils the look, which is then made anew.
    let forged: { readonly key: Uint8Array<ArrayBuffer>; readonly switchCount: number } | undefined;
    await until(() => {
      for (const key of keys) {
        const row = threads.lookup(key);
        if (row === undefined || wordOf(row, PT_THREAD.offsets.state) !== PT_THREAD_STATE.RUNNING) continue;
        forgeAbsence(row);
        threads.update(key, row);
        forged = { key, switchCount: wordOf(row, PT_THREAD.offsets.switchCount) };
      }
      return forged !== undefined;
    }, { what: "a thread is on a CPU" });
    await until(
      () =>
        forged !== undefined && wordOf(threads.lookup(forged.key), PT_THREAD.offsets.switchCount) > forged.switchCount,
      {
        what: "it left the CPU since",
        timeoutMs: 60_000,
      },
    );
    backend.closeWindow();
    const accounts: ThreadAccount[] = [];
    const ignore = () => {};
    backend.readAggregates({
      wait: ignore,
      chain: ignore,
      file: ignore,
      sample: ignore,
      process: ignore,
      thread: (account) => accounts.push(account),
    });
    const onCpuMs = sumOf(accounts, (account) => account.onCpuMs);
    const chargedMs = sumOf(accounts, (account) => account.kernelOnCpuMs ?? 0);
    const sumMs = sumOf(accounts, (account) => account.runnableMs + account.throttledMs + account.blockedMs) + onCpuMs;
    const lifeMs = sumOf(accounts, (account) => account.endMs - account.beginMs);
    assert.ok(Math.abs(onCpuMs - chargedMs) < AWAY_MS / 4, `${onCpuMs} ms on a CPU, charged ${chargedMs} ms`);
    assert.ok(Math.abs(sumMs - lifeMs) < 1e-3, `${sumMs} of ${lifeMs} ms`);
    const blockedMs = sumOf(accounts, (account) => account.blockedMs);
    assert.ok(blockedMs > AWAY_MS / 2, `${blockedMs} ms blocked, in nobody knows what`);
  });
});
