/**
 * User stacks on demand: the functions that wait are named when stacks were
 * asked for, and no stack is taken when not.
 *
 * @module
 */

import { USER_STACKS_MAX } from "../../engine/api/limits.ts";
import { openHostView, openLibbpfBackend, readBpfObjectFile, resolveProcess } from "../../engine/mod.ts";
import { assert } from "../support/assert.ts";
import { numberOf, startFixture } from "../support/fixture_programs.ts";
import { kernelTest } from "../support/kernel.ts";
import type { KernelRequirement } from "../support/kernel_requirements.ts";

const REQUIREMENTS: readonly KernelRequirement[] = ["bpf_capability", "btf", "ring_buffer", "clang"];

const MAIN = new URL("../../main.ts", import.meta.url);

interface UserStack {
  readonly totalMs: number;
  readonly count: number;
  readonly frames: readonly string[];
}

interface WaitOfReport {
  readonly class: string;
  readonly systemCall?: string;
  readonly figures: { readonly totalMs: number; readonly count: number };
  readonly userStacks?: readonly UserStack[];
}

interface Report {
  readonly findings: readonly {
    readonly id: string;
    readonly evidence: { readonly userStacks?: readonly UserStack[] };
  }[];
  readonly timeLedger: { readonly waits: readonly WaitOfReport[] };
}

async function diagnose(processId: number, ...options: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", MAIN.pathname, "diagnose", "--pid", String(processId), "--duration", "1500ms", ...options],
    stdin: "null",
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

function functionsOf(stack: UserStack | undefined): readonly string[] {
  return (stack?.frames ?? []).map((frame) => frame.slice(0, frame.lastIndexOf("+")));
}

kernelTest(
  "diagnose --stacks names the functions that wait, dearest first",
  { requires: REQUIREMENTS },
  async () => {
    await using fixture = await startFixture("call_paths", { duration_ms: 30_000, delay_ms: 10 });

    const report: Report = JSON.parse(await diagnose(fixture.processId, "--stacks", "-o", "json"));
    const reads = report.timeLedger.waits.filter((wait) => wait.class === "pipe");
    assert.equal(reads.length, 1, "two callers of one pipe are one row");
    const [dearest, second] = reads[0]?.userStacks ?? [];
    // The frame above the C library's may be missing where that was built without frame pointers.
    assert.ok(functionsOf(dearest).includes("load_prices"), JSON.stringify(reads));
    assert.ok(functionsOf(second).includes("load_orders"), JSON.stringify(reads));
    for (const stack of [dearest, second]) {
      assert.match(stack?.frames[0] ?? "", /read\+0x[0-9a-f]+$/, "the innermost function is the C library's read");
      assert.ok(functionsOf(stack).includes("main"));
    }
    // 30 ms against 10 ms per turn.
    const ratio = (dearest?.totalMs ?? 0) / (second?.totalMs ?? 0);
    assert.ok(ratio > 1.5 && ratio < 4.5, `expected about 3, got ${ratio}`);
    const finding = report.findings.find((candidate) => candidate.id === "pipe-wait");
    assert.deepEqual(finding?.evidence.userStacks, reads[0]?.userStacks);

    const text = await diagnose(fixture.processId, "--stacks");
    assert.match(text, /^ {4}[\d.]+% in \w*read\+0x[0-9a-f]+ < .*\bload_prices\+0x/m);
  },
);

interface ProfileOfReport {
  readonly stacks: {
    readonly parts: readonly {
      readonly part: string;
      readonly count: number;
      readonly stacks: readonly { readonly share: number; readonly frames: readonly { readonly text: string }[] }[];
    }[];
    readonly foldedOnCpu: readonly string[];
  };
  readonly ledger: { readonly categories: { readonly samples: { readonly seen: number; readonly residual: number } } };
  readonly timeLedger: { readonly total: { readonly onCpuMs: number } };
}

kernelTest("diagnose --stacks says what a program computes, by shares", { requires: REQUIREMENTS }, async () => {
  await using fixture = await startFixture("hot_paths", { duration_ms: 30_000 });

  const report: ProfileOfReport = JSON.parse(await diagnose(fixture.processId, "--stacks", "-o", "json"));
  const text = await diagnose(fixture.processId, "--stacks");
  const truth = await fixture.finish();
  const [computing] = report.stacks.parts;
  assert.equal(computing?.part, "computing");
  const shareOf = (name: string) =>
    (computing?.stacks ?? []).filter(({ frames }) => frames[0]?.text === name)
      .reduce((total, { share }) => total + share, 0);
  // Its own CPU clock says what is expected; a sample is one of some 100, so that the share is off by some per cent.
  const prices = numberOf(truth, "prices_ms");
  const expected = prices / (prices + numberOf(truth, "orders_ms"));
  assert.ok(Math.abs(shareOf("parse_prices") - expected) < 0.2, JSON.stringify(report.stacks));
  assert.ok(shareOf("parse_prices") + shareOf("parse_orders") > 0.9, JSON.stringify(report.stacks));
  assert.ok(report.stacks.foldedOnCpu.some((line) => /^hot_paths;.*;main;parse_prices \d+$/.test(line)));
  // As many as its time on CPUs has 99ths of a second, within what the clock of an emulated machine drops.
  const wanted = report.timeLedger.total.onCpuMs * 99 / 1000;
  const count = computing?.count ?? 0;
  assert.ok(count > wanted / 2 && count < wanted * 1.2 + 3, `${count} samples, expected about ${wanted}`);
  assert.equal(report.ledger.categories.samples.residual, 0);

  assert.match(text, /^HOTTEST STACKS.*\n {2}computing: about [\d.]+ s, \d+ samples at 99 a second and CPU$/m);
  assert.match(text, /^ {4,6}[\d.]+% {2}parse_(prices|orders) < main\b/m);
});

kernelTest("no CPU is sampled unless stacks are asked for", { requires: REQUIREMENTS }, async () => {
  await using fixture = await startFixture("hot_paths", { duration_ms: 30_000 });
  const report = JSON.parse(await diagnose(fixture.processId, "-o", "json"));
  assert.equal(report.ledger.categories.samples.seen, 0);
  assert.deepEqual(report.completeness.samples, { verdict: "blind", reason: "not asked for" });
  assert.equal(report.stacks, undefined);
});

/** Yields the stacks the kernel holds, and those its wait rows name, after a fixture's whole life. */
async function stacksTaken(options: { hasUserStacks: boolean }) {
  const host = openHostView();
  await using backend = await openLibbpfBackend({
    host,
    objectBytes: await readBpfObjectFile(),
    ownProcessId: host.procFs.ownProcessId() ?? Deno.pid,
  });

  await using fixture = await startFixture("call_paths", { duration_ms: 1000, delay_ms: 10 });
  const { target } = resolveProcess(fixture.processId, host);
  backend.applyTargets({
    added: [target],
    removed: [],
    slowWaitMs: undefined,
    slowFileMs: undefined,
    hasUserStacks: options.hasUserStacks,
    planes: new Set(),
  });
  const truth = await fixture.ended();
  const rows: { stackId: number; count: number }[] = [];
  backend.readAggregates({
    wait: (view) => rows.push({ stackId: view.key().stackId, count: view.count }),
    chain: () => {},
    thread: () => {},
    file: () => {},
    sample: () => {},
    process: () => {},
  });
  const held = Array.from({ length: USER_STACKS_MAX }, (_, stackId) => backend.userStack(stackId))
    .filter((addresses) => addresses.length > 0);
  return { truth, rows, held };
}

kernelTest("a backend takes no user stack unless it is asked to", { requires: REQUIREMENTS }, async () => {
  const without = await stacksTaken({ hasUserStacks: false });
  assert.ok(without.rows.some((row) => row.count >= 5), "its waits were counted");
  assert.deepEqual(without.rows.filter((row) => row.stackId >= 0), []);
  assert.deepEqual(without.held, []);

  const asked = await stacksTaken({ hasUserStacks: true });
  assert.ok(numberOf(asked.truth, "orders_count") > 5);
  assert.ok(asked.rows.filter((row) => row.stackId >= 0).length >= 2, JSON.stringify(asked.rows));
  assert.ok(asked.held.length >= 2);
});
