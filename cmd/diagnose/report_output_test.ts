import { assert } from "../../tests/support/assert.ts";
import { KeptOutput } from "../../tests/support/process_contexts.ts";
import { RunError } from "../run_error.ts";
import { openReportFile, stdoutReport } from "./report_output.ts";

/** A folder of the test's own. */
async function openFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir();
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map((entry) => entry.name).toSorted();
}

function modeOf(path: string): number {
  return (Deno.statSync(path).mode ?? 0) & 0o777;
}

Deno.test("openReportFile() delivers a whole file that only its owner may read, and leaves nothing else", async () => {
  await using folder = await openFolder();
  const path = `${folder.path}/report.json`;
  {
    await using output = await openReportFile(path);
    assert.ok(!namesIn(folder.path).includes("report.json"));
    const report = "ü".repeat(300_000);
    await output.deliver(report);
    assert.equal(await Deno.readTextFile(path), report);
  }
  assert.deepEqual(namesIn(folder.path), ["report.json"]);
  assert.equal(modeOf(path), 0o600);
});

Deno.test("openReportFile() keeps an older report until the new one is complete", async () => {
  await using folder = await openFolder();
  const path = `${folder.path}/report.json`;
  await Deno.writeTextFile(path, "older", { mode: 0o644 });
  {
    await using output = await openReportFile(path);
    assert.equal(await Deno.readTextFile(path), "older");
    await output.deliver("newer");
  }
  assert.equal(await Deno.readTextFile(path), "newer");
  assert.equal(modeOf(path), 0o600);
});

Deno.test("openReportFile() replaces what a link leads to, not the link", async () => {
  await using folder = await openFolder();
  await Deno.mkdir(`${folder.path}/real`);
  await Deno.writeTextFile(`${folder.path}/real/report`, "older");
  await Deno.symlink("real/report", `${folder.path}/link`);
  await using output = await openReportFile(`${folder.path}/link`);
  await output.deliver("newer");
  assert.ok((await Deno.lstat(`${folder.path}/link`)).isSymlink);
  assert.equal(await Deno.readTextFile(`${folder.path}/real/report`), "newer");
});

Deno.test("openReportFile() leaves the folder as it was when nothing is delivered", async () => {
  await using folder = await openFolder();
  const path = `${folder.path}/report.json`;
  await Deno.writeTextFile(path, "older");
  (await openReportFile(path))[Symbol.asyncDispose]();
  const abandoned = await openReportFile(path);
  abandoned.abandon();
  abandoned.abandon();
  await abandoned[Symbol.asyncDispose]();
  assert.deepEqual(namesIn(folder.path), ["report.json"]);
  assert.equal(await Deno.readTextFile(path), "older");
});

Deno.test("openReportFile() leaves nothing beside the file to whoever is killed before there is a report", async () => {
  await using folder = await openFolder();
  await using output = await openReportFile(`${folder.path}/report.json`);
  assert.deepEqual(namesIn(folder.path), []);
  await output.deliver("text");
  assert.deepEqual(namesIn(folder.path), ["report.json"]);
});

Deno.test("openReportFile() says in one line why no report could be written there", async () => {
  await using folder = await openFolder();
  await Deno.writeTextFile(`${folder.path}/file`, "text");
  const table: readonly (readonly [name: string, reason: string])[] = [
    ["", "it is a directory"],
    ["none/report.json", `there is no directory "${folder.path}/none"`],
    ["file/report.json", "Not a directory (os error 20)"],
  ];
  for (const [name, reason] of table) {
    const path = `${folder.path}/${name}`;
    await assert.rejects(openReportFile(path), (error) => {
      assert.ok(error instanceof RunError);
      assert.equal(error.message, `Cannot write the report to ${JSON.stringify(path)}: ${reason}`);
      return true;
    });
  }
  assert.deepEqual(namesIn(folder.path), ["file"]);
});

Deno.test("openReportFile() refuses a folder that lets nobody write", async () => {
  await assert.rejects(openReportFile("/proc/report.json"), (error) => {
    assert.ok(error instanceof RunError);
    assert.equal(error.message, 'Cannot write the report to "/proc/report.json": no files can be made in "/proc"');
    return true;
  });
});

Deno.test("openReportFile() writes straight to a device and never replaces it", async () => {
  {
    await using output = await openReportFile("/dev/null");
    await output.deliver("text");
  }
  assert.ok((await Deno.stat("/dev/null")).isCharDevice);
  await using full = await openReportFile("/dev/full");
  await assert.rejects(
    full.deliver("text"),
    new RunError('Cannot write the report to "/dev/full": No space left on device (os error 28)'),
  );
});

Deno.test("stdoutReport() hands the report to stdout as it is", async () => {
  const stdout = new KeptOutput();
  await using output = stdoutReport(stdout);
  await output.deliver("report\n");
  assert.equal(stdout.text, "report\n");
});
