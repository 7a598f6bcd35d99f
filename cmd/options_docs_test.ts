import { assert } from "../tests/support/assert.ts";
import { parseCommandLine } from "./args.ts";

const HELP_BLOCK = /^```text\n([\s\S]*?)^```$/gm;
const OPTION = /(?<![\w-])--[a-z][a-z-]*/g;

/** A line of help that offers an option; examples hold the options of others. */
const OFFER = /^ +(?:-\w, )?(--[a-z-]+)/gm;

const document = await Deno.readTextFile(new URL("../docs/cli.md", import.meta.url));

function helpOf(...argv: readonly string[]): string {
  const parsed = parseCommandLine([...argv, "--help"]);
  if (parsed.kind !== "help") throw new Error(`expected help, got ${JSON.stringify(parsed)}`);
  return parsed.text;
}

function optionsIn(text: string): ReadonlySet<string> {
  return new Set(text.match(OPTION));
}

/** What every command line has; there is nothing to explain. */
const SELF_EXPLANATORY = ["--help", "--version"];

Deno.test("docs/cli.md shows the help of podtrace and of its commands, word for word", () => {
  const blocks = Array.from(document.matchAll(HELP_BLOCK), ([, block]) => block);
  assert.deepEqual(blocks, [helpOf(), helpOf("diagnose"), helpOf("doctor"), helpOf("completion")]);
});

Deno.test("docs/cli.md explains every option of the help beside showing it", () => {
  const explained = optionsIn(document.replaceAll(HELP_BLOCK, ""));
  const offered = Array.from(helpOf("diagnose").matchAll(OFFER), ([, option = ""]) => option);
  const missing = offered.filter((option) => !explained.has(option));
  assert.deepEqual(missing.sort(), SELF_EXPLANATORY);
});

Deno.test("docs/cli.md names no option that is neither in the help nor reserved", () => {
  const offered = optionsIn(helpOf() + helpOf("diagnose") + helpOf("doctor"));
  for (const option of [...optionsIn(document)].filter((name) => !offered.has(name))) {
    const parsed = parseCommandLine(["diagnose", option, "x"]);
    assert.match(parsed.kind === "usage" ? parsed.message : "accepted", /^Cannot use /, option);
  }
});
