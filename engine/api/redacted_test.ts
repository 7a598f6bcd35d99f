import { inspect } from "node:util";
import { assert } from "../../tests/support/assert.ts";
import { Redacted } from "./redacted.ts";

Deno.test("Redacted prints, inspects and serialises as ***, and yields its secret only when asked", () => {
  const token = new Redacted("hunter2");
  const printed = [
    `${token}`,
    String(token),
    "" + token,
    JSON.stringify({ token, list: [token] }),
    Deno.inspect({ token }, { depth: 9, showHidden: true }),
    inspect({ token }, { depth: 9, showHidden: true }),
    JSON.stringify(structuredClone({ ...token })),
  ];
  for (const text of printed) assert.ok(!text.includes("hunter2"), text);
  assert.equal(printed[0], "***");
  assert.equal(token.reveal(), "hunter2");
});
