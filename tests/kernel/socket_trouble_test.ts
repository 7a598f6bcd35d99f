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

/** On a machine short of CPUs anybody may wait for one. */
const ALWAYS_POSSIBLE = "cpu-wait";

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

for (const { name, settings, id, besides = [], isInfo, duration = "2s" } of TROUBLES) {
  kernelTest(`diagnose finds ${id} in ${name}`, { requires: TRACING_REQUIREMENTS }, async () => {
    await using fixture = await startFixture("troubled_peer", { duration_ms: DURATION_MS_MAX, ...settings });

    const findings = await diagnose(fixture.processId, duration);
    const told = JSON.stringify(findings, undefined, 2);
    const finding = findings.find((candidate) => candidate.id === id);
    assert.ok(finding !== undefined, `no ${id} in ${told}`);
    assert.ok(finding.title.includes(`${numberOf(fixture.ready, "upstream_port")}`), finding.title);
    const grave = findings.filter(({ severity }) => severity !== "info").map((candidate) => candidate.id);
    const isExplained = isInfo === true || (id === "slow-service" && grave.includes(ALWAYS_POSSIBLE));
    if (!isExplained) assert.ok(grave.includes(id), `${id} is info in ${told}`);
    assert.deepEqual(grave.filter((other) => ![id, ALWAYS_POSSIBLE, ...besides].includes(other)), [], told);
  });
}

for (const as of ["client", "server"]) {
  kernelTest(`diagnose finds nothing of sockets in a healthy ${as}`, { requires: TRACING_REQUIREMENTS }, async () => {
    const settings = { duration_ms: DURATION_MS_MAX, trouble: "none", as };
    await using fixture = await startFixture("troubled_peer", settings);

    const findings = await diagnose(fixture.processId, "2s");
    const grave = findings.filter(({ id, severity }) => severity !== "info" && id !== ALWAYS_POSSIBLE);
    assert.deepEqual(grave, []);
  });
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
