import { assert } from "../../../tests/support/assert.ts";
import { createPlugin } from "./plugin.ts";

const ROOT = "/tree/";

/** Yields the diagnostics of `source` in the file `path`, as `rule: message`. */
function lint(path: string, source: string): string[] {
  return Deno.lint.runPlugin(createPlugin(ROOT), `${ROOT}${path}`, source)
    .map((diagnostic) => `${diagnostic.id.replace("podtrace/", "")}: ${diagnostic.message}`);
}

/** Checks that `source` breaks exactly the rule `rule`, once, with a message that matches. */
function assertBreaks(rule: string, message: RegExp, at: { path: string; source: string }): void {
  const found = lint(at.path, at.source);
  assert.equal(found.length, 1, `${at.path}: ${at.source}\n${found.join("\n")}`);
  assert.match(found[0] ?? "", new RegExp(`^${rule}: `));
  assert.match(found[0] ?? "", message);
}

Deno.test("layers covers imports in every form when they go the wrong way", () => {
  const path = "engine/core/router.ts";
  const message = /engine\/backend\/ring\.ts from engine\/core\/: it may import engine\/api\//;
  for (
    const source of [
      `import { a } from "../backend/ring.ts";\na();`,
      `import type { A } from "../backend/ring.ts";\nexport type B = A;`,
      `import "../backend/ring.ts";`,
      `export { a } from "../backend/ring.ts";`,
      `export * from "../backend/ring.ts";`,
      `export const a = await import("../backend/ring.ts");`,
      `export type A = import("../backend/ring.ts").A;`,
      `export type A = typeof import("../backend/ring.ts");`,
    ]
  ) assertBreaks("layers", message, { path, source });
});

Deno.test("layers accepts imports that go the right way", () => {
  const source = `import type { A } from "../api/events.ts";\nexport type B = A;`;
  assert.deepEqual(lint("engine/core/router.ts", source), []);
});

Deno.test("layers reports a file when no room covers it", () => {
  assertBreaks("layers", /Cannot place scripts\/a\.ts/, { path: "scripts/a.ts", source: `export const a = 1;` });
  assertBreaks("layers", /Cannot place engine\/a\.ts/, { path: "engine/a.ts", source: `export const a = 1;` });
});

Deno.test("layers leaves files outside the tree alone", () => {
  assert.deepEqual(Deno.lint.runPlugin(createPlugin(ROOT), "/elsewhere/a.ts", `import "./b.ts";`), []);
});

Deno.test("doors refuses inline specifiers, strangers, second importers and names it cannot read", () => {
  const cases: [string, string, RegExp][] = [
    ["engine/core/a.ts", `import "npm:zod@4";`, /bare name/],
    ["engine/core/a.ts", `import "jsr:@std/assert";`, /bare name/],
    ["engine/core/a.ts", `import "https://example.com/a.ts";`, /bare name/],
    ["engine/core/a.ts", `import "lodash";`, /lodash: it has no door/],
    ["cmd/diagnose/a.ts", `import "zod";`, /one door is engine\/diagnose\/report_schema\.ts/],
    ["cmd/a_test.ts", `import "node:assert";`, /one door is tests\/support\/assert\.ts/],
    ["engine/diagnose/a.ts", `import "node:fs";`, /engine\/diagnose\/: the room's builtins/],
    ["cmd/a.ts", "const name = `a`;\nawait import(name);", /\*: it has no door/],
  ];
  for (const [path, source, message] of cases) assertBreaks("doors", message, { path, source });
});

Deno.test("doors accepts a package at its own door and builtins where they are listed", () => {
  assert.deepEqual(lint("engine/diagnose/report_schema.ts", `import * as z from "zod";\nexport { z };`), []);
  assert.deepEqual(lint("tests/support/json_schema.ts", `import "ajv/dist/2020.js";`), []);
  assert.deepEqual(lint("cmd/a.ts", `import "node:process";`), []);
});

Deno.test("foreign-memory finds every spelling when it stands outside engine/ffi", () => {
  const message = /foreign calls and raw memory live in engine\/ffi\//;
  for (
    const source of [
      `Deno.dlopen("libc.so.6", {});`,
      `Deno["dlopen"]("libc.so.6", {});`,
      `Deno?.dlopen("libc.so.6", {});`,
      `globalThis.Deno.dlopen("libc.so.6", {});`,
      `globalThis["Deno"]["dlopen"]("libc.so.6", {});`,
      `(Deno as { dlopen: unknown }).dlopen;`,
      `const { dlopen } = Deno;\ndlopen("libc.so.6", {});`,
      `const { dlopen: open } = Deno;\nopen("libc.so.6", {});`,
      `const { Deno: { dlopen } } = globalThis;\ndlopen("libc.so.6", {});`,
      `function f({ dlopen } = Deno) {\n  dlopen("libc.so.6", {});\n}\nf();`,
      `let dlopen;\n({ dlopen } = Deno);\ndlopen();`,
      `new Deno.UnsafePointerView(p);`,
      `class A extends Deno.UnsafeCallback {}`,
      `export type A = Deno.UnsafePointer;`,
      `export type A = typeof Deno.dlopen;`,
      `export function f(view: Deno.UnsafePointerView | undefined) {\n  return view;\n}`,
      `export const a = x satisfies Deno.UnsafeFnPointer;`,
    ]
  ) assertBreaks("foreign-memory", message, { path: "cmd/dev/a.ts", source });
});

Deno.test("foreign-memory refuses to hand Deno around, where its members cannot be seen", () => {
  const message = /Cannot hand (Deno|globalThis) around/;
  for (
    const source of [
      `const d = Deno;\nd.readTextFile("a");`,
      `open(Deno);`,
      `open({ Deno });`,
      `const { ...rest } = Deno;\nrest;`,
      `Deno[name]();`,
      `export type A = typeof Deno;`,
      `globalThis[name];`,
      `const g = globalThis;\ng;`,
    ]
  ) assertBreaks("foreign-memory", message, { path: "tests/a_test.ts", source });
});

Deno.test("foreign-memory keeps the types of pointers below the backend", () => {
  const source = `export function f(pointer: Deno.PointerObject) {\n  return pointer;\n}`;
  assert.deepEqual(lint("engine/backend/a.ts", source), []);
  assert.deepEqual(lint("engine/ffi/a.ts", source), []);
  assertBreaks("foreign-memory", /pointers stay below/, { path: "engine/core/a.ts", source });
});

Deno.test("foreign-memory accepts everything in engine/ffi and its tests", () => {
  const source = `const { dlopen } = Deno;\nnew Deno.UnsafePointerView(dlopen("a", {}));`;
  assert.deepEqual(lint("engine/ffi/a.ts", source), []);
  assert.deepEqual(lint("engine/ffi/a_test.ts", source), []);
});

Deno.test("foreign-memory is not fooled by names that only look alike", () => {
  const source = `export const a = { Deno: 1, dlopen: 2 };\na.Deno;\na.dlopen;\nDeno.readTextFileSync("a");`;
  assert.deepEqual(lint("cmd/a.ts", source), []);
});

const CLOCK_AND_CHANCE = [
  `console.log("a");`,
  `Date.now();`,
  `const { now } = Date;\nnow();`,
  `new Date();`,
  `Date();`,
  `Math.random();`,
  `Math["random"]();`,
  `Math[name]();`,
  `setTimeout(f, 1);`,
  `globalThis.setInterval(f, 1);`,
  `performance.now();`,
  `Deno.env.get("A");`,
  `const { env } = Deno;\nenv;`,
  `crypto.randomUUID();`,
];

Deno.test("effects refuses clock, chance, waiting, settings and logging in engine code", () => {
  for (const path of ["engine/core/a.ts", "engine/backend/a.ts", "engine/diagnose/a.ts", "k8s/client/a.ts"]) {
    for (const source of CLOCK_AND_CHANCE) assertBreaks("effects", /Cannot use/, { path, source });
  }
});

Deno.test("effects accepts the same in processes, developer tools and tests", () => {
  for (const path of ["cmd/a.ts", "cmd/dev/a.ts", "tests/a_test.ts", "engine/core/a_test.ts", "main.ts"]) {
    for (const source of CLOCK_AND_CHANCE) assert.deepEqual(lint(path, source), [], `${path}: ${source}`);
  }
});

Deno.test("effects refuses the system in pure rooms and plans, and accepts it elsewhere", () => {
  for (const source of [`Deno.readTextFileSync("a");`, `fetch("a");`, `crypto.subtle;`, `queueMicrotask(f);`]) {
    for (const path of ["engine/api/a.ts", "engine/btf/a.ts", "engine/diagnose/a.ts", "k8s/operator/plan.ts"]) {
      assertBreaks("effects", /this room is pure/, { path, source });
    }
    assert.deepEqual(lint("engine/host/a.ts", source), []);
  }
});

Deno.test("effects accepts dates made from a parameter, types, and names of the file's own", () => {
  for (
    const source of [
      `export const a = (ms: number) => new Date(ms).toISOString();`,
      `export const a = Date.UTC(2020, 1);`,
      `export const a = Math.max(1, 2);`,
      `export const isDate = (value: unknown) => value instanceof Date;`,
      `export type A = Date | Performance | typeof performance;`,
      `export function f(performance: { now(): number }) {\n  return performance.now();\n}`,
      `import { console } from "./log.ts";\nconsole.log();`,
      `export const a = { setTimeout: 1, console: 2 };\na.console;`,
      `export interface A {\n  fetch(process: number): void;\n  readonly console: string;\n}`,
    ]
  ) assert.deepEqual(lint("engine/diagnose/a.ts", source), [], source);
});

Deno.test("no-default-export refuses every form", () => {
  for (
    const source of [
      `export default 1;`,
      `export default function f() {}`,
      `const a = 1;\nexport { a as default };`,
      `export { default } from "./b.ts";`,
    ]
  ) assertBreaks("no-default-export", /give it a name/, { path: "cmd/a.ts", source });
});

Deno.test("ignore-reason wants the reason on the line", () => {
  const path = "cmd/a.ts";
  const good = `// deno-lint-ignore no-explicit-any -- the wire has no type\nexport let a: any;`;
  assert.deepEqual(lint(path, good), []);
  for (
    const source of [
      `// deno-lint-ignore no-explicit-any\nexport let a: any;`,
      `// deno-lint-ignore no-explicit-any --\nexport let a: any;`,
      `// deno-lint-ignore -- all of it\nexport let a: any;`,
      `// deno-lint-ignore-file no-explicit-any -- all of it\nexport let a: any;`,
      `// deno-fmt-ignore\nexport const a = 1;`,
      `// @ts-ignore -- because\nexport const a = 1;`,
      `// @ts-nocheck -- because\nexport const a = 1;`,
      `// @ts-expect-error\nexport const a = 1;`,
    ]
  ) assertBreaks("ignore-reason", /Cannot/, { path, source });
});
