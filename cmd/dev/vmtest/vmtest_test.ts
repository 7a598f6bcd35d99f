import { assert } from "../../../tests/support/assert.ts";
import { parseGuestLines } from "./guest_lines.ts";
import { TRIED_KERNELS } from "./kernels.ts";
import { parseRequest } from "./vmtest.ts";

Deno.test("parseRequest() takes every kernel when none is named", () => {
  assert.deepEqual(parseRequest([]), { kernels: TRIED_KERNELS, keepFolder: undefined });
});

Deno.test("parseRequest() takes the kernels that are named, and where to keep logs", () => {
  const request = parseRequest(["6.12", "--keep", "logs", "5.10"]);
  assert.deepEqual(request?.kernels.map(({ name }) => name), ["6.12", "5.10"]);
  assert.equal(request?.keepFolder, "logs");
});

for (const args of [["4.19"], ["--keep"], ["6.1", "--fast"]]) {
  Deno.test(`parseRequest() makes nothing of ${args.join(" ")}`, () => {
    assert.equal(parseRequest(args), undefined);
  });
}

Deno.test("parseGuestLines() leaves out what a terminal adds and a line that was cut off", () => {
  const log = 'boot noise\r\n{"kind":"kernel","release":"6.1"}\r\n{"kind":"end"}\r\n{"kind":"scen';
  assert.deepEqual(parseGuestLines(log), [{ kind: "kernel", release: "6.1" }, { kind: "end" }]);
});
