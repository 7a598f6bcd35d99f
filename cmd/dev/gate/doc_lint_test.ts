import { assert } from "../../../tests/support/assert.ts";
import { runCommand } from "../run_command.ts";
import { docProblems } from "./doc_lint.ts";

/** Yields what deno says about the documentation of a module that holds `source`. */
async function lintDocumentation(source: string): Promise<readonly string[]> {
  const folder = Deno.makeTempDirSync({ prefix: "podtrace_doc_" });
  try {
    Deno.writeTextFileSync(`${folder}/a.ts`, source);
    const options = { cwd: folder, env: { NO_COLOR: "1" }, output: "capture" } as const;
    const { output } = await runCommand(Deno.execPath(), { args: ["doc", "--lint", "a.ts"], ...options });
    return docProblems(output).map((problem) => problem.replace(/^.*\/(?=a\.ts)/, ""));
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("docProblems() wants a comment on functions and classes, not on types and their members", async () => {
  const source = [
    `export function f(): void {}`,
    `export async function g(): Promise<void> {}`,
    `export class A {`,
    `  b = 1;`,
    `}`,
    `export interface C {`,
    `  readonly d: number;`,
    `}`,
    `export type E = number;`,
    `/** Yields nothing. */`,
    `export function h(): void {}`,
  ].join("\n");
  const problems = await lintDocumentation(`${source}\n`);
  assert.deepEqual(problems.map((problem) => problem.split(":")[1]), ["1", "2", "3"]);
});

Deno.test("docProblems() reports a private type that a public one shows", async () => {
  const source =
    "interface Hidden {\n  a: number;\n}\n/** Yields it. */\nexport function f(): Hidden {\n  return { a: 1 };\n}\n";
  const problems = await lintDocumentation(source);
  assert.equal(problems.length, 1);
  assert.match(problems[0] ?? "", /^a\.ts:5:1: error\[private-type-ref\]: .*'Hidden'/);
});

Deno.test("docProblems() lets a brand keep its symbol to itself", async () => {
  const source = "declare const brand: unique symbol;\n/** A brand. */\nexport type B = number & { [brand]: true };\n";
  assert.deepEqual(await lintDocumentation(source), []);
});

Deno.test("docProblems() lets a type be inferred from a schema", async () => {
  const source = "declare namespace z {\n  export type infer<T> = T;\n}\nconst schema = 1;\n" +
    "/** Inferred. */\nexport type A = z.infer<typeof schema>;\n";
  assert.deepEqual(await lintDocumentation(source), []);
});

Deno.test("docProblems() yields nothing when deno reports nothing", () => {
  assert.deepEqual(docProblems("Checked 3 files\n"), []);
});
