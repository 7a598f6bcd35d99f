import { assert } from "../../../tests/support/assert.ts";
import { type GuestLine, parseGuestLines, parseOnlyVariable, toOnlyParameter, toOutcomes } from "./guest_lines.ts";
import { TRIED_KERNELS } from "./kernels.ts";
import { chooseScenarios, type ScenarioChoice, SCENARIOS, toLooks } from "./scenarios.ts";
import { parseRequest } from "./vmtest.ts";

Deno.test("parseRequest() takes every kernel when none is named", () => {
  assert.deepEqual(parseRequest([]), { kernels: TRIED_KERNELS, only: [], keepFolder: undefined });
});

Deno.test("parseRequest() takes the kernels that are named, and where to keep logs", () => {
  const request = parseRequest(["6.12", "--keep", "logs", "5.10"]);
  assert.deepEqual(request?.kernels.map(({ name }) => name), ["6.12", "5.10"]);
  assert.equal(request?.keepFolder, "logs");
});

Deno.test("parseRequest() takes several parts of names, and the guest gets them as they are", () => {
  const request = parseRequest(["--only", "Files, counted", "6.1", "--only", "50 %"]);
  assert.deepEqual(request?.only, ["files, counted", "50 %"]);
  const [name = "", value] = toOnlyParameter(request?.only ?? []).split("=");
  assert.doesNotMatch(value ?? " ", /\s/);
  assert.deepEqual(parseOnlyVariable((asked) => asked === name ? value : undefined), request?.only);
  assert.deepEqual(parseOnlyVariable(() => undefined), []);
});

Deno.test("chooseScenarios() yields all, or those with one of the parts, or one for a locked kernel", () => {
  const namesOf = (choice: ScenarioChoice) => chooseScenarios(choice).map(({ name }) => name);
  assert.equal(namesOf({ isLocked: false, only: [] }).length, SCENARIOS.length);
  assert.deepEqual(namesOf({ isLocked: false, only: ["idle", "compute"] }), ["what threads compute", "idle process"]);
  assert.deepEqual(namesOf({ isLocked: true, only: [] }), ["slow upstream in recv"]);
});

for (const args of [["4.19"], ["--keep"], ["6.1", "--fast"], ["--only"], ["--keep", "a", "--keep", "b"]]) {
  Deno.test(`parseRequest() makes nothing of ${args.join(" ")}`, () => {
    assert.equal(parseRequest(args), undefined);
  });
}

Deno.test("parseGuestLines() leaves out what a terminal adds and a line that was cut off", () => {
  const log = 'boot noise\r\n{"kind":"kernel","release":"6.1"}\r\n{"kind":"end"}\r\n{"kind":"scen';
  assert.deepEqual(parseGuestLines(log), [{ kind: "kernel", release: "6.1" }, { kind: "end" }]);
});

Deno.test("toLooks() puts together the processes of which findings alone are asked", () => {
  const looks = toLooks(SCENARIOS);
  assert.deepEqual(new Set(looks.flat()), new Set(SCENARIOS));
  assert.equal(looks.flat().length, SCENARIOS.length);
  const [together, ...others] = looks.filter(({ length }) => length > 1);
  assert.deepEqual(others, []);
  for (const { name, target, figureProblems, isAlone } of together ?? []) {
    assert.ok(target === "process" && figureProblems === undefined && isAlone !== true, name);
  }
  assert.deepEqual(toLooks([]), []);
});

Deno.test("toOutcomes() gives every scenario of a look its own findings, and a single one all of them", () => {
  const findings = [{ id: "a", target: "pid:1" }, { id: "b", target: "pid:2" }];
  const lineOf = (scenarios: readonly unknown[]): GuestLine => {
    const line: unknown = { kind: "look", scenarios, code: 0, said: "", report: { findings } };
    return line as GuestLine; // nothing else of it is looked at
  };
  const one = { name: "one", ready: {}, target: "pid:1" };
  const found = (lines: readonly GuestLine[]) =>
    toOutcomes(lines).map((line) =>
      line.kind === "scenario" ? [line.name, ...line.report?.findings.map(({ id }) => id) ?? []].join(" ") : line.kind
    );
  assert.deepEqual(found([lineOf([one, { ...one, name: "two", target: "pid:2" }]), { kind: "end" }]), [
    "one a",
    "two b",
    "end",
  ]);
  assert.deepEqual(found([lineOf([{ ...one, target: "" }])]), ["one a b"]);
});
