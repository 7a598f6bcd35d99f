/**
 * The regression corpus and the demo's recording: replayed on any machine,
 * without rights, they find what they found.
 *
 * @module
 */

import { machineTraces, recordingText, SHIPPED_RECORDING } from "../../cmd/dev/demo/neutral_recording.ts";
import { CORPUS_FOLDER, GOLDEN_FOLDER, recordingNames, replayFindings } from "../../cmd/dev/recordings.ts";
import { assert } from "../support/assert.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

Deno.test("there is a recording for every golden file and a golden file for every recording", () => {
  const goldens = [...Deno.readDirSync(`${ROOT}${GOLDEN_FOLDER}`)].map(({ name }) => name.replace(/\.json$/, ""));
  assert.ok(recordingNames().length >= 5);
  assert.deepEqual(goldens.toSorted(), recordingNames());
});

for (const name of recordingNames()) {
  Deno.test(`the recording ${name} still finds what it found`, async () => {
    const golden = JSON.parse(Deno.readTextFileSync(`${ROOT}${GOLDEN_FOLDER}/${name}.json`));
    assert.deepEqual(await replayFindings(name), golden);
  });
}

Deno.test("no committed recording says where it was made", () => {
  const paths = [SHIPPED_RECORDING.pathname, ...recordingNames().map((name) => `${ROOT}${CORPUS_FOLDER}/${name}.rec`)];
  for (const path of paths) {
    const bytes = Deno.readFileSync(path);
    assert.ok(bytes.length <= 300 * 1024, path);
    assert.deepEqual(machineTraces(recordingText(bytes), [ROOT.slice(0, -1)]), [], path);
  }
});

Deno.test("the demo's recording names its three troubles, where nothing may be traced", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", `${ROOT}cmd/dev/main.ts`, "demo", "--replay"],
    stdin: "null",
  }).output();
  const output = new TextDecoder().decode(stdout);
  assert.equal(code, 0, `${output}${new TextDecoder().decode(stderr)}`);
  assert.match(output, /named: slow upstream 127\.0\.0\.1:\d+ yes; fsync of [a-z/.]+ yes; lock held by [a-z-]+ yes/);
});
