import { assert } from "./assert.ts";
import { kernelTest } from "./kernel.ts";
import { SKIP_FILE_VARIABLE, type SkipRecord } from "./kernel_requirements.ts";

/** Runs `source` as a test file in a process without any capability, though still as the same user. */
async function runWithoutCapabilities(source: string, env: Record<string, string>) {
  const folder = Deno.makeTempDirSync({ prefix: "podtrace_kernel_test_" });
  try {
    Deno.writeTextFileSync(`${folder}/a_test.ts`, source);
    const skipPath = `${folder}/skips.jsonl`;
    Deno.writeTextFileSync(skipPath, "");
    const { code, stdout, stderr } = await new Deno.Command("setpriv", {
      args: [
        "--bounding-set=-all",
        "--inh-caps=-all",
        "--",
        Deno.execPath(),
        "test",
        "--allow-all",
        "--no-check",
        "--no-config",
        `${folder}/a_test.ts`,
      ],
      env: { NO_COLOR: "1", [SKIP_FILE_VARIABLE]: skipPath, ...env },
    }).output();
    const decoder = new TextDecoder();
    const records = Deno.readTextFileSync(skipPath).split("\n").filter((line) => line !== "");
    return {
      code,
      output: decoder.decode(stdout) + decoder.decode(stderr),
      skips: records.map((line) => JSON.parse(line) as SkipRecord),
    };
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

const SOURCE = `
import { kernelTest } from "${new URL("./kernel.ts", import.meta.url).href}";
kernelTest("needs rights", { requires: ["bpf_capability"] }, () => { throw new Error("it ran"); });
kernelTest("needs nothing", {}, () => {});
`;

kernelTest(
  "kernelTest() skips with a typed record when rights are missing outside CI",
  { requires: ["bpf_capability"] },
  async () => {
    const { code, output, skips } = await runWithoutCapabilities(SOURCE, { CI: "" });
    assert.equal(code, 0, output);
    assert.match(output, /1 passed.* 0 failed.* 1 ignored/);
    assert.deepEqual(skips.map(({ testName, reason }) => [testName, reason.kind, reason.requirement]), [
      ["needs rights", "rights_missing", "bpf_capability"],
    ]);
  },
);

kernelTest(
  "kernelTest() fails when rights are missing in CI",
  { requires: ["bpf_capability"] },
  async () => {
    const { code, output, skips } = await runWithoutCapabilities(SOURCE, { CI: "true" });
    assert.equal(code, 1, output);
    assert.match(output, /Cannot run a kernel test in CI: it requires bpf_capability/);
    assert.match(output, /1 passed.* 1 failed/);
    assert.deepEqual(skips, []);
  },
);
