import { assert } from "./assert.ts";
import { schemaProblems } from "./json_schema.ts";

const SCHEMA = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  properties: {
    name: { type: "string", minLength: 1 },
    pair: { type: "array", prefixItems: [{ type: "integer" }, { type: "boolean" }], items: false, minItems: 2 },
  },
  required: ["name"],
  additionalProperties: false,
};

Deno.test("schemaProblems() yields nothing when the value is valid", () => {
  assert.deepEqual(schemaProblems(SCHEMA, { name: "a", pair: [1, true] }), []);
});

Deno.test("schemaProblems() yields every violation with its place", () => {
  const problems = schemaProblems(SCHEMA, { name: "", pair: [1, 2], more: 0 });
  assert.deepEqual(problems.map((problem) => problem.split(":")[0]).toSorted(), ["/", "/name", "/pair/1"]);
});

Deno.test("schemaProblems() throws when the schema itself is wrong", () => {
  assert.throws(() => schemaProblems({ type: "objekt" }, {}), /type/);
  assert.throws(() => schemaProblems({ propertyes: {} }, {}), /unknown keyword/);
});
