import { assert } from "../../../tests/support/assert.ts";
import { doorProblem, layerProblem, packageOf, resolveRelative } from "./import_problem.ts";
import { natureOf, roomOf, ROOMS } from "./rooms.ts";

/** One representative file per row of the table. */
const FILES = {
  main: "main.ts",
  cmd: "cmd/args.ts",
  dev: "cmd/dev/main.ts",
  mod: "engine/mod.ts",
  api: "engine/api/events.ts",
  errors: "engine/api/errors.ts",
  core: "engine/core/router.ts",
  backend: "engine/backend/ring_reader.ts",
  ffi: "engine/ffi/libc.ts",
  btf: "engine/btf/btf.ts",
  host: "engine/host/cgroups.ts",
  symbols: "engine/symbols/elf_image.ts",
  protocols: "engine/protocols/http.ts",
  recording: "engine/recording/recording_tape.ts",
  diagnose: "engine/diagnose/rules.ts",
  pageScript: "engine/diagnose/page_script/main.ts",
  alerting: "engine/alerting/sink.ts",
  k8s: "k8s/client/transport.ts",
  k8sApi: "k8s/api/podtrace.ts",
  generated: "bpf/generated/layout.ts",
  tests: "tests/support/assert.ts",
} as const;

type FileName = keyof typeof FILES;

const EVERY = Object.keys(FILES) as FileName[];

/** Who may import whom, besides files of the same room. */
const REACH: Readonly<Record<FileName, readonly FileName[]>> = {
  main: ["cmd"],
  cmd: ["mod", "api", "errors", "k8s", "k8sApi"],
  dev: EVERY,
  mod: [
    "api",
    "errors",
    "core",
    "backend",
    "ffi",
    "btf",
    "host",
    "symbols",
    "protocols",
    "recording",
    "diagnose",
    "pageScript",
    "alerting",
  ],
  api: [],
  errors: [],
  core: ["api", "errors"],
  backend: ["api", "errors", "btf", "ffi", "host", "recording", "generated"],
  ffi: ["errors"],
  btf: ["api", "errors"],
  host: ["api", "errors", "symbols"],
  symbols: ["api", "errors"],
  protocols: ["api", "errors"],
  recording: ["api", "errors"],
  diagnose: ["api", "errors"],
  pageScript: [],
  alerting: ["api", "errors"],
  k8s: ["api", "errors"],
  k8sApi: [],
  generated: ["api", "errors"],
  tests: EVERY,
};

function specifierTo(importer: string, target: string): string {
  return `${"../".repeat(importer.split("/").length - 1) || "./"}${target}`;
}

for (const importer of EVERY) {
  Deno.test(`layerProblem() lets ${FILES[importer]} import what its row says and nothing else`, () => {
    const reached = EVERY.filter((target) =>
      roomOf(FILES[target]) !== roomOf(FILES[importer]) &&
      layerProblem(FILES[importer], specifierTo(FILES[importer], FILES[target])) === undefined
    );
    const expected = REACH[importer].filter((target) => roomOf(FILES[target]) !== roomOf(FILES[importer]));
    assert.deepEqual(reached.toSorted(), expected.toSorted());
  });
}

Deno.test("ROOMS has one representative file per row", () => {
  const covered = new Set(Object.values(FILES).map((path) => roomOf(path)?.path));
  assert.deepEqual([...covered].toSorted(), ROOMS.map((room) => room.path).toSorted());
});

Deno.test("layerProblem() lets a test reach its own house, what that stands on and the test support", () => {
  const cases: [string, string, boolean][] = [
    ["engine/diagnose/rules_test.ts", "../../tests/support/assert.ts", true],
    ["engine/diagnose/rules_test.ts", "../core/router.ts", true],
    ["engine/backend/load_test.ts", "../../bpf/generated/layout.ts", true],
    ["cmd/diagnose/run_test.ts", "../../engine/backend/ring_reader.ts", true],
    ["engine/core/router_test.ts", "../../cmd/args.ts", false],
    ["engine/core/router_test.ts", "../../k8s/api/podtrace.ts", false],
    ["k8s/api/podtrace_test.ts", "../../cmd/args.ts", false],
    ["tests/kernel/loss_test.ts", "../../cmd/dev/main.ts", true],
  ];
  for (const [importer, specifier, isAllowed] of cases) {
    assert.equal(layerProblem(importer, specifier) === undefined, isAllowed, `${importer} -> ${specifier}`);
  }
});

Deno.test("layerProblem() refuses tests as imports, files outside the tree and rooms that do not exist", () => {
  assert.match(layerProblem("engine/core/a.ts", "./b_test.ts") ?? "", /a test is imported by nothing/);
  assert.match(layerProblem("cmd/a.ts", "../../b.ts") ?? "", /outside the tree/);
  assert.match(layerProblem("cmd/a.ts", "../lib/b.ts") ?? "", /no room/);
});

Deno.test("layerProblem() lets code read deno.json and the data of its own room only", () => {
  assert.equal(layerProblem("cmd/version.ts", "../deno.json"), undefined);
  assert.equal(layerProblem("engine/diagnose/a.ts", "./schema.json"), undefined);
  assert.match(layerProblem("engine/diagnose/a.ts", "../host/b.json") ?? "", /only deno\.json/);
});

Deno.test("resolveRelative() follows dots and stops at the root", () => {
  assert.equal(resolveRelative("a/b/c.ts", "./d.ts"), "a/b/d.ts");
  assert.equal(resolveRelative("a/b/c.ts", "../../d.ts"), "d.ts");
  assert.equal(resolveRelative("a/b/c.ts", "../../../d.ts"), undefined);
});

Deno.test("packageOf() yields the name without the path below it", () => {
  assert.equal(packageOf("zod"), "zod");
  assert.equal(packageOf("ajv/dist/2020.js"), "ajv");
  assert.equal(packageOf("@scope/name/file"), "@scope/name");
});

Deno.test("doorProblem() opens a builtin's door to the rooms that list it too", () => {
  assert.equal(doorProblem("engine/core/invariant.ts", "node:assert"), undefined);
  assert.match(doorProblem("engine/host/a.ts", "node:assert") ?? "", /one door is tests/);
});

Deno.test("natureOf() calls plans pure and tests shells wherever they lie", () => {
  assert.equal(natureOf("k8s/operator/plan.ts"), "pure");
  assert.equal(natureOf("k8s/operator/apply.ts"), "guarded");
  assert.equal(natureOf("engine/api/units_test.ts"), "shell");
  assert.equal(natureOf("nowhere/a.ts"), undefined);
});
