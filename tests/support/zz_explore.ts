import { type FixtureName, startFixture } from "./fixture_programs.ts";
import { processTarget, Tracing } from "./tracing.ts";
const [name, ...rest] = Deno.args;
const settings: Record<string, string> = {};
let win = 1000;
const mapSizes: Record<string, number> = {};
for (const r of rest) {
  const [k, v] = r.split("=");
  if (k === "win") win = Number(v);
  else if (k!.startsWith("map:")) mapSizes[k!.slice(4)] = Number(v);
  else settings[k!] = v!;
}
await using fx = await startFixture(name as FixtureName, { duration_ms: 20000, ...settings });
await using t = await Tracing.start([processTarget(fx.processId)], { mapSizes });
await t.lasts(win);
const m = await t.finish();
const sum = (f: (x: any) => number, xs: readonly any[]) => xs.reduce((a, x) => a + f(x), 0);
const maxRes = Math.max(...m.threads.map((x) => Math.abs(x.residualMs)));
console.log(
  "threads",
  m.threads.length,
  "living",
  m.threads.filter((x) => !x.exited).length,
  "maxResidual",
  maxRes,
  "departed",
  m.departed,
);
console.log("onCpu", sum((x) => x.onCpuMs, m.threads), "kernel", sum((x) => x.kernelOnCpuMs ?? 0, m.threads));
console.log(
  "runnable+thr",
  sum((x) => x.runnableMs + x.throttledMs, m.threads),
  "kernel",
  sum((x) => x.kernelRunDelayMs ?? 0, m.threads),
);
console.log(
  "blocked",
  sum((x) => x.blockedMs, m.threads),
  "waits",
  sum((x) => x.totalMs, m.waits),
  "waits count",
  sum((x) => x.count, m.waits),
  "rows",
  m.waits.length,
);
for (const [c, l] of Object.entries(m.books.ledger)) {
  console.log(c, JSON.stringify(l), JSON.stringify((m.books.completeness as any)[c]));
}
console.log("mapMem", m.books.cost.mapMemoryBytes, "cpu", m.books.cost.ownCpuMs, m.books.cost.targetCpuMs);
// per-thread mismatch
const byT = new Map<number, number>();
for (const w of m.waits) byT.set(w.threadId, (byT.get(w.threadId) ?? 0) + w.totalMs);
const bl = new Map<number, number>();
for (const x of m.threads) bl.set(x.threadId, (bl.get(x.threadId) ?? 0) + x.blockedMs);
let worst = 0, wid = 0;
for (const [id, v] of bl) {
  const d = Math.abs(v - (byT.get(id) ?? 0));
  if (d > worst) {
    worst = d;
    wid = id;
  }
}
console.log("worst blocked-vs-waits per thread", worst, wid, bl.get(wid), byT.get(wid));
for (const w of m.waits.filter((x) => x.threadId === wid)) {
  console.log("  ", w.waitClass, w.systemCall, w.count, w.totalMs, "open", w.openMs, JSON.stringify(w.object));
}
for (const th of m.threads.filter((x) => !x.exited).slice(0, 8)) {
  console.log(
    th.threadId,
    th.command,
    (th.endMs - th.beginMs).toFixed(1),
    "cpu",
    th.onCpuMs.toFixed(3),
    th.kernelOnCpuMs?.toFixed(3),
    "rq",
    th.runnableMs.toFixed(3),
    th.kernelRunDelayMs?.toFixed(3),
    "bl",
    th.blockedMs.toFixed(3),
  );
}
