/**
 * Every rule has a test that proves it on the real kernel, and one in which it is silent.
 *
 * @module
 */

import { RULE_IDS } from "../engine/diagnose/finding.ts";
import { assert } from "./support/assert.ts";
import { RULE_PROOFS } from "./support/rule_proofs.ts";

const LIST_TESTS = new URL("support/list_tests.ts", import.meta.url).pathname;
const KERNEL_FOLDER = new URL("kernel/", import.meta.url).pathname;

Deno.test("every rule is proved by a kernel test that is there and says its name, and has a quiet counterpart", async () => {
  const proofs = RULE_IDS.map((id) => ({ id, ...RULE_PROOFS[id] }));
  const files = [...new Set(proofs.flatMap(({ trouble, quiet }) => [trouble.file, quiet.file]))];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", LIST_TESTS, ...files.map((file) => KERNEL_FOLDER + file)],
    clearEnv: true, // a skip is counted where the test is run, not here
    env: { PATH: Deno.env.get("PATH") ?? "", HOME: Deno.env.get("HOME") ?? "/" },
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  const found: Record<string, readonly string[]> = JSON.parse(new TextDecoder().decode(stdout));
  const isThere = ({ file, test }: { file: string; test: string }) => found[KERNEL_FOLDER + file]?.includes(test);

  const objections = proofs.flatMap(({ id, trouble, quiet }) => [
    ...(trouble.test.includes(id) ? [] : [`the proof of ${id} does not say its name: ${trouble.test}`]),
    ...[trouble, quiet].flatMap((proof) => isThere(proof) ? [] : [`${id}: no ${proof.file} "${proof.test}"`]),
  ]);
  assert.deepEqual(objections, []);
  assert.deepEqual(new Set(Object.keys(RULE_PROOFS)), new Set(RULE_IDS));
});
