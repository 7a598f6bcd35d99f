import { assert } from "./support/assert.ts";
import { fileProblems, kindOf, linkTargets, mentionedDenoVersions, mentionedTasks } from "./support/tidy_rules.ts";

const ROOT = new URL("../", import.meta.url).pathname;

/** What git ignores, for a tree that was unpacked without its history. */
const IGNORED_FOLDERS: ReadonlySet<string> = new Set([".git", "coverage", "dist", "node_modules"]);

/** A larger file needs a reason to be in the history. */
const FILE_BYTES_MAX = 1024 * 1024;

/** Yields every file that is tracked or about to be, from the root of the tree. */
function treePaths(): readonly string[] {
  if (!exists(".git")) return [...walk("")].toSorted();
  // The tree may belong to another user than the one who runs the tests.
  const args = ["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const { success, stdout, stderr } = new Deno.Command("git", { args, cwd: ROOT }).outputSync();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).split("\0").filter((path) => path !== "" && exists(path));
}

function* walk(folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(`${ROOT}${folder}`)) {
    const path = `${folder}${entry.name}`;
    if (!entry.isDirectory) yield path;
    else if (!IGNORED_FOLDERS.has(path)) yield* walk(`${path}/`);
  }
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(`${ROOT}${path}`);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

const read = (path: string) => Deno.readTextFileSync(`${ROOT}${path}`);

function taskNames(): readonly string[] {
  const config: unknown = JSON.parse(read("deno.json"));
  assert.ok(typeof config === "object" && config !== null && "tasks" in config);
  return Object.keys(config.tasks ?? {});
}

Deno.test("every file of the tree is tidy", () => {
  const paths = treePaths();
  assert.ok(paths.includes("deno.json"), "the list of files is not that of this tree");
  const problems = paths.flatMap((path) => fileProblems({ path, text: read(path) }).map((one) => `${path}: ${one}`));
  assert.deepEqual(problems, []);
});

Deno.test("no file of the tree is large", () => {
  const large = treePaths().filter((path) => Deno.lstatSync(`${ROOT}${path}`).size > FILE_BYTES_MAX);
  assert.deepEqual(large, []);
});

Deno.test("every link in the documents leads to a file of the tree", () => {
  const broken = treePaths().filter((path) => kindOf(path) === "markdown").flatMap((path) => {
    const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/") + 1) : "";
    return linkTargets(read(path)).filter((target) => !exists(`${folder}${target}`)).map((target) =>
      `${path}: ${target}`
    );
  });
  assert.deepEqual(broken, []);
});

Deno.test("every command of the documents is a task, and every task stands in CONTRIBUTING.md", () => {
  const tasks = taskNames();
  const unknown = treePaths().filter((path) => kindOf(path) === "markdown" || path === ".ci/run").flatMap((path) =>
    mentionedTasks(read(path)).filter((name) => !tasks.includes(name)).map((name) => `${path}: ${name}`)
  );
  assert.deepEqual(unknown, []);
  const described = mentionedTasks(read("CONTRIBUTING.md"));
  assert.deepEqual(tasks.filter((name) => !described.includes(name)), []);
});

Deno.test("CI runs the test command of README.md, with the Deno that runs this test", () => {
  const command = /^npx .* task test$/m.exec(read("README.md"))?.[0];
  assert.ok(command !== undefined, "README.md shows no test command");
  assert.ok(read(".ci/run").trimEnd().endsWith(`exec ${command}`), `.ci/run does not end with ${command}`);
  assert.equal((Deno.lstatSync(`${ROOT}.ci/run`).mode ?? 0) & 0o111, 0o111);
  const versions = ["README.md", "CONTRIBUTING.md", ".ci/run"].flatMap((path) => mentionedDenoVersions(read(path)));
  assert.deepEqual(new Set(versions), new Set([Deno.version.deno]));
});
