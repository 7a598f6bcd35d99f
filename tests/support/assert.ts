/**
 * The one door to assertions; a connected build may swap another library in
 * here and nowhere else.
 *
 * @module
 */

export { strict as assert } from "node:assert";
