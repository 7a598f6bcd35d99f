import { assert } from "../../../tests/support/assert.ts";
import type { Severity } from "../../api/severity.ts";
import { DEFAULT_THRESHOLDS, type RuleThresholds } from "../../api/thresholds.ts";
import type { TraceEvent } from "../../api/events.ts";
import type { TargetFacts } from "../facts.ts";
import { CATEGORY_OF_RULE, type Finding, RULE_IDS } from "../finding.ts";
import { toReport } from "../report.ts";
import { EventDigest } from "../event_digest.ts";
import { buildExit, buildFacts, buildMeasurements, FILE, PEER, type WaitSketch } from "../test_measurements.ts";
import { crashLoop } from "./crash_loop.ts";
import { diskStall } from "./disk_stall.ts";
import { slowPeer } from "./slow_peer.ts";

const world = (wait: WaitSketch) => ({
  processes: [{ processId: 100, command: "shop", threads: [{ threadId: 100, onCpuMs: 500, waits: [wait] }] }],
});

const ANSWERS_OF_40_MS = world({ waitClass: "network", object: PEER, systemCall: "recvfrom", count: 100, eachMs: 40 });
const READS_OF_3_MS = world({ waitClass: "diskRead", object: FILE, systemCall: "read", count: 1000, eachMs: 3 });

/** Six of ten children fail. */
const CHILDREN: readonly TraceEvent[] = Array.from(
  { length: 10 },
  (_, index) => buildExit({ processId: 900 + index, exitCode: index < 6 ? 7 : 0 }),
);

interface Row {
  readonly rule: (facts: TargetFacts) => readonly Finding[];
  readonly facts: (thresholds: RuleThresholds) => TargetFacts;
  readonly given: Partial<RuleThresholds>;
  readonly severity: Severity | undefined;
}

const TABLE: readonly Row[] = [
  { rule: slowPeer, given: {}, severity: "critical", facts: peers },
  { rule: slowPeer, given: { slowPeerMs: 40 }, severity: "critical", facts: peers },
  { rule: slowPeer, given: { slowPeerMs: 100 }, severity: "info", facts: peers },
  { rule: slowPeer, given: { slowPeerMs: 0 }, severity: "critical", facts: peers },
  { rule: diskStall, given: {}, severity: "critical", facts: reads },
  { rule: diskStall, given: { slowReadMs: 10 }, severity: "info", facts: reads },
  { rule: crashLoop, given: {}, severity: "error", facts: children },
  { rule: crashLoop, given: { errorPercent: 60 }, severity: "error", facts: children },
  { rule: crashLoop, given: { errorPercent: 61 }, severity: undefined, facts: children },
];

function peers(thresholds: RuleThresholds): TargetFacts {
  return buildFacts(ANSWERS_OF_40_MS, [], { thresholds });
}

function reads(thresholds: RuleThresholds): TargetFacts {
  return buildFacts(READS_OF_3_MS, [], { thresholds });
}

function children(thresholds: RuleThresholds): TargetFacts {
  return buildFacts({ processes: [{ processId: 100, command: "shop", threads: [] }] }, CHILDREN, { thresholds });
}

for (const { rule, facts, given, severity } of TABLE) {
  Deno.test(`${rule.name} with ${JSON.stringify(given)} yields ${severity ?? "nothing"}`, () => {
    const [finding] = rule(facts({ ...DEFAULT_THRESHOLDS, ...given }));
    assert.equal(finding?.severity, severity);
  });
}

Deno.test("toReport() tells the findings of the categories that were asked about", () => {
  const digest = new EventDigest();
  for (const event of CHILDREN) digest.add(event);
  const measurements = buildMeasurements(ANSWERS_OF_40_MS);
  const idsOf = (categories: Parameters<typeof toReport>[1]["categories"]) =>
    toReport({ measurements, digest: digest.summary() }, { targetLabels: new Map(), categories }).findings
      .map(({ id }) => id);
  const all = idsOf(undefined);
  assert.ok(all.includes("slow-peer") && all.includes("crash-loop"), all.join());
  assert.deepEqual(idsOf(new Set(["net"])), ["slow-peer"]);
  assert.deepEqual(idsOf(new Set(["proc", "lock"])), ["crash-loop"]);
  assert.deepEqual(idsOf(new Set(["cpu"])), []);
});

Deno.test("CATEGORY_OF_RULE has a row for every rule", () => {
  assert.deepEqual(Object.keys(CATEGORY_OF_RULE).sort(), [...RULE_IDS].sort());
});
