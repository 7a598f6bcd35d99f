import { assert } from "../../../tests/support/assert.ts";
import { RULE_IDS } from "../finding.ts";

const PAGE = new URL("../../../docs/findings.md", import.meta.url);

/** What everybody wants to know of a finding at 3 a.m. */
const ANSWERS = ["**Fires**", "**Wrong when**", "**Do**"];

Deno.test("docs/findings.md has one paragraph for every rule, in order, and for no other", async () => {
  const page = (await Deno.readTextFile(PAGE)).replaceAll("\n", " ");
  const sections = page.split(/ ## `(?=[a-z-]+` )/).slice(1);
  assert.deepEqual(sections.map((section) => section.slice(0, section.indexOf("`"))), RULE_IDS);
  const incomplete = sections.flatMap((section) =>
    ANSWERS.filter((answer) => !section.includes(answer)).map((answer) => `${section.split("`")[0]}: ${answer}`)
  );
  assert.deepEqual(incomplete, []);
});
