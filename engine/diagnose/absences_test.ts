import { assert } from "../../tests/support/assert.ts";
import { toAbsences } from "./absences.ts";
import { buildExit, buildFacts, FILE, type WorldSketch } from "./test_measurements.ts";

const QUIET: WorldSketch = {
  processes: [{ processId: 100, command: "shop", threads: [{ threadId: 100, onCpuMs: 10 }] }],
};

Deno.test("toAbsences() tells everything that was looked for and not found", () => {
  assert.deepEqual(toAbsences([buildFacts(QUIET)]), {
    absent: [
      "network waits",
      "disk waits",
      "lock waits",
      "pipe waits",
      "major page faults",
      "stopped threads",
      "throttling",
      "failed children",
    ],
    withheld: [],
  });
});

Deno.test("toAbsences() does not tell of what was found, however little", () => {
  const world: WorldSketch = {
    processes: [{
      processId: 100,
      command: "shop",
      threads: [{ threadId: 100, waits: [{ waitClass: "diskRead", object: FILE, count: 1, eachMs: 0.01 }] }],
    }],
  };
  const { absent } = toAbsences([buildFacts(world, [buildExit({ exitCode: 1 })])]);
  assert.ok(!absent.includes("disk waits"));
  assert.ok(!absent.includes("failed children"));
});

Deno.test("toAbsences() withholds, with the reason, what a category cannot vouch for", () => {
  const facts = buildFacts({
    ...QUIET,
    completeness: {
      waits: { verdict: "partial", percent: 99.9, reason: "map_full 1" },
      lifecycle: { verdict: "blind", reason: "no provider for sched_process_exit" },
    },
  });
  const { absent, withheld } = toAbsences([facts]);
  assert.deepEqual(absent, ["throttling"]);
  assert.deepEqual(
    withheld.find(({ statement }) => statement === "no disk waits")?.reason,
    "waits is PARTIAL 99.9%: map_full 1",
  );
  assert.deepEqual(
    withheld.find(({ statement }) => statement === "no failed children")?.reason,
    "lifecycle is BLIND: no provider for sched_process_exit",
  );
});

Deno.test("toAbsences() says nothing when there is no target", () => {
  assert.deepEqual(toAbsences([]), { absent: [], withheld: [] });
});

Deno.test("toAbsences() speaks of what was asked about alone", () => {
  const facts = [buildFacts({ processes: [{ processId: 100, command: "shop", threads: [] }] })];
  assert.ok(toAbsences(facts).absent.includes("network waits"));
  const { absent } = toAbsences(facts, { categories: new Set(["net", "cpu"]) });
  assert.deepEqual(absent, ["network waits", "throttling"]);
});
