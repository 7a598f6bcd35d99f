/**
 * Every rule of sockets against a real planted trouble: `podtrace diagnose` is
 * run as its user runs it, on the client's side or on the server's.
 *
 * @module
 */

import { assert } from "../support/assert.ts";
import { type FixtureSettings, numberOf, startFixture } from "../support/fixture_programs.ts";
import { kernelTest } from "../support/kernel.ts";
import { TRACING_REQUIREMENTS } from "../support/tracing.ts";

const MAIN = new URL("../../main.ts", import.meta.url);

/** Longer than any of these tests; they end their programs themselves. */
const DURATION_MS_MAX = 120_000;

/** On a machine short of CPUs anybody may wait for one; the planted program opens a connection for every request. */
const ALWAYS_POSSIBLE: ReadonlySet<string> = new Set(["cpu-wait", "connection-churn"]);

interface Finding {
  readonly id: string;
  readonly severity: string;
  readonly title: string;
}

interface Trouble {
  readonly name: string;
  readonly settings: FixtureSettings;
  readonly id: string;
  /** Consequences that are findings of their own. */
  readonly besides?: readonly string[];
  /** Told as info where another finding explains it. */
  readonly isInfo?: true;
  readonly duration?: string;
}

const TROUBLES: readonly Trouble[] = [
  { name: "a peer at which nobody listens", settings: { trouble: "refused" }, id: "connection-failures" },
  { name: "a program without a local port left", settings: { trouble: "ports" }, id: "port-exhaustion" },
  { name: "a peer that resets every connection", settings: { trouble: "reset" }, id: "connection-resets" },
  {
    name: "a way on which segments get lost",
    settings: { trouble: "lossy" },
    id: "retransmits",
    besides: ["slow-peer", "slow-responses"],
    duration: "4s",
  },
  { name: "a slow peer nobody waits for", settings: { trouble: "slow" }, id: "slow-responses", besides: ["slow-peer"] },
  {
    name: "a peer whose queue is full",
    settings: { trouble: "crowded" },
    id: "slow-handshake",
    besides: ["slow-peer"],
    isInfo: true,
    duration: "5s",
  },
  {
    name: "a service that does not accept fast enough",
    settings: { trouble: "crowded", as: "server", callers: 4 },
    id: "listen-overflow",
    duration: "3s",
  },
  {
    name: "a service that computes for its answers",
    settings: { trouble: "busy", as: "server" },
    id: "slow-service",
  },
];

/** A machine short of CPUs makes anybody wait, for a peer on the same machine too; a mistake of ours shows every time. */
const LOOKS_MAX = 5;

for (const trouble of TROUBLES) {
  kernelTest(`diagnose finds ${trouble.id} in ${trouble.name}`, { requires: TRACING_REQUIREMENTS }, async () => {
    const { settings, duration = "2s" } = trouble;
    await using fixture = await startFixture("troubled_peer", { duration_ms: DURATION_MS_MAX, ...settings });

    const port = String(numberOf(fixture.ready, "upstream_port"));
    await assertSoon(async () => objectionsTo(await diagnose(fixture.processId, duration), { trouble, port }));
  });
}

for (const as of ["client", "server"]) {
  kernelTest(`diagnose finds nothing of sockets in a healthy ${as}`, { requires: TRACING_REQUIREMENTS }, async () => {
    const settings = { duration_ms: DURATION_MS_MAX, trouble: "none", as };
    await using fixture = await startFixture("troubled_peer", settings);

    await assertSoon(async () => gravely(await diagnose(fixture.processId, "2s")).map(({ title }) => title));
  });
}

/** Yields what is wrong with the findings; nothing when the trouble is told, and nothing is made up beside it. */
function objectionsTo(
  findings: readonly Finding[],
  { trouble, port }: { readonly trouble: Trouble; readonly port: string },
): readonly string[] {
  const { id, besides = [], isInfo } = trouble;
  const told = findings.map(({ severity, title }) => `${severity} ${title}`).join(" ");
  const finding = findings.find((candidate) => candidate.id === id);
  if (finding === undefined || !finding.title.includes(port)) return [`no ${id} at ${port} in: ${told}`];
  // A service that is short of CPUs has a better explanation for being slow.
  const isExplained = isInfo === true || (id === "slow-service" && told.includes("Waiting for a CPU"));
  return [
    ...(finding.severity === "info" && !isExplained ? [`${id} is info in: ${told}`] : []),
    ...gravely(findings).filter((other) => ![id, ...besides].includes(other.id)).map(({ title }) => title),
  ];
}

function gravely(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ id, severity }) => severity !== "info" && !ALWAYS_POSSIBLE.has(id));
}

/** Holds when one of some looks has nothing to object to. */
async function assertSoon(look: () => Promise<readonly string[]>): Promise<void> {
  for (let count = 1; count < LOOKS_MAX; count++) if ((await look()).length === 0) return;
  assert.deepEqual(await look(), []);
}

/** Findings of a look at a process; its books balance. */
async function diagnose(processId: number, duration: string): Promise<readonly Finding[]> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", MAIN.pathname, "diagnose", "--pid", String(processId), "--duration", duration, "-o", "json"],
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert.notEqual(text, "", new TextDecoder().decode(stderr));
  const report: { findings: readonly Finding[]; ledger: { residual: number } } = JSON.parse(text);
  assert.equal(report.ledger.residual, 0);
  return report.findings;
}
