/**
 * The one door to JSON Schema validation (draft 2020-12).
 *
 * @module
 */

import { Ajv2020 } from "ajv/dist/2020.js";

/**
 * Yields what in `value` breaks `schema`, one line per violation with its JSON
 * pointer; empty when the value is valid.
 *
 * @throws {Error} If `schema` itself is not a valid draft 2020-12 schema
 */
export function schemaProblems(schema: object, value: unknown): readonly string[] {
  const validate = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true }).compile(schema);
  if (validate(value)) return [];
  return (validate.errors ?? []).map((problem) => {
    const place = problem.instancePath === "" ? "/" : problem.instancePath;
    return `${place}: ${problem.message ?? problem.keyword} ${JSON.stringify(problem.params)}`;
  });
}
