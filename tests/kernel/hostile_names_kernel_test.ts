/**
 * Incident 7 for real: a program, its file and its cgroup with names that want
 * to steer the terminal of whoever looks at them.
 *
 * @module
 */

import { buildFixture } from "../support/fixture_programs.ts";
import { StartedProgram } from "../../cmd/dev/demo/started_program.ts";
import { assert } from "../support/assert.ts";
import { kernelTest } from "../support/kernel.ts";
import { TRACING_REQUIREMENTS } from "../support/tracing.ts";
import { makeNestedCgroups, moveProcess } from "../support/v2_cgroup.ts";

const MAIN = new URL("../../main.ts", import.meta.url);
const NAME = "\x1b[2J\x9b\u202eevil\r\n\x07";

/** What must not reach a terminal; line ends are the renderer's own. */
// deno-lint-ignore no-control-regex -- these are what must not appear
const STEERING = /[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/u;

async function podtrace(args: readonly string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", MAIN.pathname, ...args],
    stdin: "null",
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out: out ?? "", err: err ?? "" };
}

kernelTest(
  "incident 7: whatever a program, its file and its cgroup are called, no report steers a terminal",
  { requires: [...TRACING_REQUIREMENTS, "cgroup_v2", "root"] },
  async () => {
    const folder = await Deno.makeTempDir({ prefix: "podtrace-test-" });
    const program = `${folder}/${NAME}`;
    await Deno.copyFile(await buildFixture("fsync_log"), program);
    await Deno.chmod(program, 0o755);
    await using groups = await makeNestedCgroups();
    const group = `${groups.outer}/\x1b]0;owned\x07\u202e`;
    await Deno.mkdir(group);
    try {
      const settings = ["duration_ms=60000", `path=${folder}/${NAME}.log`];
      await using running = await StartedProgram.start(program, { arguments: settings });
      const processId = Number(running.ready["pid"]);
      await moveProcess(processId, group);
      const comm = await Deno.readTextFile(`/proc/${processId}/comm`);
      assert.match(comm, STEERING, "the kernel takes such a name");

      for (const format of ["text", "json", "csv", "html"]) {
        const target = format === "json" ? ["--pid", String(processId)] : ["--cgroup", group];
        const look = ["diagnose", ...target, "--duration", "700ms", "--stacks", "-o", format];
        const { code, out, err } = await podtrace(look);
        assert.equal(code, 0, err);
        assert.doesNotMatch(out, STEERING, format);
        assert.doesNotMatch(err, STEERING, format);
        assert.ok(out.includes("evil"), `${format}: the name is told, written out`);
      }
      const { out } = await podtrace(["diagnose", "--pid", String(processId), "--now"]);
      assert.doesNotMatch(out, STEERING);
      const gone = await podtrace(["diagnose", "--cgroup", `${group}/gone\x1b[31m`, "--duration", "1s"]);
      assert.equal(gone.code, 1);
      assert.doesNotMatch(gone.err, STEERING);
      assert.equal(gone.err.trim().split("\n").length, 1, gone.err);
      await moveProcess(processId, groups.root);
    } finally {
      await Deno.remove(group);
      await Deno.remove(folder, { recursive: true });
    }
  },
);
