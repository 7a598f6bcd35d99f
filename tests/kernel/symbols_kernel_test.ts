/**
 * Names of code addresses in real processes: programs and libraries as
 * compilers and linkers leave them, code made at run time, and files that were
 * put there to be misread.
 *
 * @module
 */

import type { StackFrame } from "../../engine/api/measurements.ts";
import { CLOCK, type Libc, openLibc } from "../../engine/ffi/libc.ts";
import { createHostReader, openHostView } from "../../engine/mod.ts";
import { assert } from "../support/assert.ts";
import { kernelTest } from "../support/kernel.ts";
import { until } from "../support/until.ts";

const LIBRARY_SOURCE = `
static __attribute__((noinline)) int hidden_function(int value) { return value * 7 + 3; }
__attribute__((noinline)) int shared_function(int value) { return hidden_function(value) - 1; }
void *hidden_address(void) { return (void *)hidden_function; }
`;

const PROGRAM_SOURCE = `
#include <stdio.h>
#include <sys/auxv.h>
#ifdef WITH_LIBRARY
int shared_function(int value);
void *hidden_address(void);
#else
#include "library.c"
#endif
__attribute__((noinline)) int planted_function(int value) { return value * 3 + 1; }
int main(int argc, char **argv)
{
  printf("%p %p %p %p\\n", (void *)planted_function, (void *)shared_function, hidden_address(),
         (void *)getauxval(AT_SYSINFO_EHDR));
  fflush(stdout);
  return planted_function(argc) + shared_function(argc) + getchar();
}
`;

/** A folder that is gone afterwards. */
class Folder implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "podtrace-test-" });

  write(name: string, text: string): string {
    const path = `${this.path}/${name}`;
    Deno.writeTextFileSync(path, text);
    return path;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

async function run(program: string, args: readonly string[], options: { cwd?: string } = {}): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args: [...args], ...options }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

/** A process that says one line and waits for its stdin to end. */
class Waiting implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly line: string;

  private constructor(child: Deno.ChildProcess, line: string) {
    this.#child = child;
    this.line = line;
  }

  static async start(
    program: string,
    args: readonly string[] = [],
    options: { cwd?: string } = {},
  ): Promise<Waiting> {
    const child = new Deno.Command(program, { args: [...args], stdin: "piped", stdout: "piped", ...options }).spawn();
    const reader = child.stdout.getReader();
    let text = "";
    while (!text.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) break;
      text += new TextDecoder().decode(value);
    }
    reader.releaseLock();
    return new Waiting(child, text.trim());
  }

  get processId(): number {
    return this.#child.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stdin.close();
    await this.#child.stdout.cancel();
    await this.#child.status;
  }
}

/** A reader that opens files as a tracing run does. */
function readerOn(libc: Libc) {
  const paths = {
    holdPath: (path: string, options?: { root?: string }) => libc.holdPath(path, options),
    monotonicMs: () => libc.clockMs(CLOCK.MONOTONIC),
  };
  return createHostReader(openHostView(), { architecture: Deno.build.arch, paths });
}

/** Describes each address as the innermost frame of a stack of its own. */
function describe(processId: number, addresses: readonly bigint[], libc: Libc): readonly StackFrame[] {
  const reader = readerOn(libc);
  return addresses.flatMap((address) => reader.describeStack(processId, [address]));
}

function addressesIn(line: string): readonly bigint[] {
  return line.split(" ").map((word) => BigInt(word));
}

interface Build {
  readonly name: string;
  readonly flags: readonly string[];
  readonly hasLibrary?: true;
  readonly isStripped?: true;
}

const BUILDS: readonly Build[] = [
  { name: "position-independent", flags: ["-fPIE", "-pie"] },
  { name: "fixed", flags: ["-no-pie"] },
  { name: "static", flags: ["-static", "-no-pie"] },
  { name: "static position-independent", flags: ["-static-pie", "-fPIE"] },
  { name: "with a shared library", flags: ["-fPIE", "-pie"], hasLibrary: true },
  { name: "stripped, with a stripped library", flags: ["-fPIE", "-pie"], hasLibrary: true, isStripped: true },
];

async function build(folder: Folder, { flags, hasLibrary, isStripped }: Build): Promise<string> {
  folder.write("library.c", LIBRARY_SOURCE);
  folder.write("program.c", PROGRAM_SOURCE);
  const common = ["-O1", "-fno-omit-frame-pointer", "-Wl,--build-id=sha1"];
  const options = { cwd: folder.path };
  if (hasLibrary) await run("clang", [...common, "-shared", "-fPIC", "-o", "libplanted.so", "library.c"], options);
  const library = hasLibrary ? ["-DWITH_LIBRARY", "-L.", "-lplanted", "-Wl,-rpath,$ORIGIN"] : [];
  await run("clang", [...common, ...flags, "-o", "program", "program.c", ...library], options);
  if (isStripped) await run("strip", ["-s", "program", "libplanted.so"], options);
  return `${folder.path}/program`;
}

for (const example of BUILDS) {
  kernelTest(`functions of a program are named: ${example.name}`, { requires: ["clang"] }, async () => {
    using libc = openLibc();
    using folder = new Folder();
    await using program = await Waiting.start(await build(folder, example));
    const [planted = 0n, shared = 0n, hidden = 0n, vdso = 0n] = addressesIn(program.line);
    const frames = describe(program.processId, [planted, planted + 2n, shared + 1n, hidden, 1n], libc);
    const [first, second, third, fourth, last] = frames;
    assert.deepEqual([third?.function, third?.offset], ["shared_function", 1]); // stripping keeps what is exported
    assert.deepEqual([last?.text, last?.problem], ["0x1", "notMapped"]);
    if (example.isStripped) {
      // Its own functions are gone; what is left names the build and the place in the file.
      assert.deepEqual([first?.isResolved, first?.module, first?.problem], [false, "program", "stripped"]);
      assert.equal(fourth?.problem, "stripped");
      assert.match(first?.text ?? "", /^program\[buildid:[0-9a-f]{40}\]\+0x[0-9a-f]+$/);
      assert.match(fourth?.text ?? "", /^libplanted\.so\[buildid:[0-9a-f]{40}\]\+0x[0-9a-f]+$/);
      assert.equal((second?.offset ?? 0) - (first?.offset ?? 0), 2);
    } else {
      assert.deepEqual([first?.text, second?.text, fourth?.text], [
        "planted_function+0x0",
        "planted_function+0x2",
        "hidden_function+0x0",
      ]);
      assert.match(first?.buildId ?? "", /^[0-9a-f]{40}$/);
    }
    const inVdso = describe(program.processId, Array.from({ length: 256 }, (_, at) => vdso + BigInt(at * 16)), libc);
    assert.ok(inVdso.some((frame) => /clock_gettime|gettimeofday|getcpu/.test(frame.function ?? "")));
    assert.ok(inVdso.every((frame) => frame.module === "[vdso]"));
  });
}

kernelTest("functions of a program that was deleted, or replaced, are its own", { requires: ["clang"] }, async () => {
  using libc = openLibc();
  using folder = new Folder();
  const path = await build(folder, { name: "", flags: [] });
  await using program = await Waiting.start(path);
  const [planted = 0n] = addressesIn(program.line);
  Deno.removeSync(path);
  assert.equal(describe(program.processId, [planted], libc)[0]?.text, "planted_function+0x0");
  // In its place a file of the same path that names something else there.
  Deno.copyFileSync("/proc/self/exe", path);
  assert.equal(describe(program.processId, [planted], libc)[0]?.text, "planted_function+0x0");
});

const GO_SOURCE = `package main

import (
  "bufio"
  "fmt"
  "os"
  "reflect"
)

type cart struct{ total int }

//go:noinline
func (c *cart) plantedMethod(value int) int { return c.total * value }

//go:noinline
func plantedFunction(value int) int { return value*3 + len(os.Args) }

func main() {
  c := &cart{total: plantedFunction(2)}
  fmt.Printf("%d\\n", reflect.ValueOf(plantedFunction).Pointer())
  bufio.NewReader(os.Stdin).ReadString('\\n')
  os.Exit(c.plantedMethod(0))
}
`;

kernelTest("functions of a stripped Go program are named by its own table", { requires: ["go"] }, async () => {
  using libc = openLibc();
  using folder = new Folder();
  folder.write("main.go", GO_SOURCE);
  folder.write("go.mod", "module planted\n");
  const options = { cwd: folder.path };
  for (const [name, mode] of [["fixed", "exe"], ["independent", "pie"]] as const) {
    await run("go", ["build", `-buildmode=${mode}`, "-ldflags=-s -w", "-o", name, "."], options);
    await using program = await Waiting.start(`${folder.path}/${name}`);
    const [planted = 0n] = addressesIn(program.line);
    const [frame, next] = describe(program.processId, [planted, planted + 4n], libc);
    assert.deepEqual([frame?.text, next?.text], ["main.plantedFunction+0x0", "main.plantedFunction+0x4"], mode);
    assert.equal(frame?.isResolved, true);
  }
});

const SCRIPT = `
function hotPlantedLoop(turns) {
  let sum = 0;
  for (let turn = 0; turn < turns; turn++) sum += Math.sqrt(turn);
  return sum;
}
let sum = 0;
for (let turn = 0; turn < 200; turn++) sum += hotPlantedLoop(1e5);
console.log(Deno.pid, sum > 0);
Deno.stdin.readSync(new Uint8Array(1));
`;

kernelTest("code that a JavaScript engine made is named by its map", {}, async () => {
  using libc = openLibc();
  using folder = new Folder();
  const script = folder.write("script.js", SCRIPT);
  await using program = await Waiting.start(Deno.execPath(), ["run", "--v8-flags=--perf-basic-prof", script], {
    cwd: folder.path, // it writes a log of its own there
  });
  const path = `/tmp/perf-${program.processId}.map`;
  try {
    await until(() => exists(path) && Deno.readTextFileSync(path).includes("hotPlantedLoop"), { what: "it wrote" });
    const lines = Deno.readTextFileSync(path).split("\n").filter((line) => line.includes("hotPlantedLoop"));
    const start = BigInt(`0x${lines.at(-1)?.split(" ")[0]}`);
    const [frame] = describe(program.processId, [start + 4n], libc);
    assert.match(frame?.function ?? "", /hotPlantedLoop/);
    assert.deepEqual([frame?.offset, frame?.isResolved], [4, true]);
  } finally {
    if (exists(path)) Deno.removeSync(path);
  }
});

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** A shell as the first process of namespaces of its own, with a /tmp of its own. */
const NAMESPACED =
  `mount -t tmpfs none /tmp && echo "1000 10 inner_function" > /tmp/perf-$$.map && echo "$$" && read -r _`;

kernelTest("a map is read as its process sees it: own ids, own /tmp", { requires: ["root"] }, async () => {
  using libc = openLibc();
  const args = ["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", NAMESPACED];
  await using outer = await Waiting.start("unshare", args);
  assert.equal(outer.line, "1");
  const [inner = 0] = openHostView().procFs.processTree().childIds(outer.processId);
  assert.equal(describe(inner, [0x1004n], libc)[0]?.text, "inner_function+0x4");
  assert.equal(exists(`/tmp/perf-${inner}.map`), false);
});

kernelTest(
  "incidents 14 and 16: a map that is not its process's own, or older than it, is not read",
  { requires: ["root"] },
  async () => {
    using libc = openLibc();
    await using program = await Waiting.start("sh", ["-c", "echo ready; read -r _"]);
    const path = `/tmp/perf-${program.processId}.map`;
    const named = () => describe(program.processId, [0x1004n], libc)[0]?.text;
    Deno.writeTextFileSync(path, "1000 10 planted\n", { mode: 0o644 });
    try {
      assert.equal(named(), "planted+0x4");
      Deno.chownSync(path, 65_534, 65_534);
      assert.equal(named(), "0x1004", "it belongs to another user");
      Deno.chownSync(path, 0, 0);
      Deno.chmodSync(path, 0o666);
      assert.equal(named(), "0x1004", "anybody can write to it");
      Deno.chmodSync(path, 0o644);
      Deno.utimeSync(path, 1_000_000, 1_000_000);
      assert.equal(named(), "0x1004", "an earlier process of this id left it");
      Deno.removeSync(path);
      await run("mkfifo", ["-m", "644", path]);
      assert.equal(named(), "0x1004", "a pipe is not waited for");
    } finally {
      Deno.removeSync(path);
    }
  },
);

kernelTest(
  "incident 17: no link leads out of the root of a process, with a trailing slash or without",
  { requires: ["clang", "root"] },
  async () => {
    using libc = openLibc();
    using folder = new Folder();
    const path = await build(folder, { name: "", flags: ["-static", "-no-pie"] });
    const jail = `${folder.path}/jail`;
    Deno.mkdirSync(`${jail}/tmp`, { recursive: true });
    Deno.copyFileSync(path, `${jail}/program`);
    Deno.chmodSync(`${jail}/program`, 0o755);
    const outside = folder.write("outside.map", "1000 10 stolen_function\n");
    await using program = await Waiting.start("chroot", [jail, "/program"]);
    const map = `${jail}/tmp/perf-${program.processId}.map`;
    const named = () => describe(program.processId, [0x1004n], libc)[0]?.text;
    const inside = "1000 10 own_function\n";
    Deno.writeTextFileSync(map, inside);
    assert.equal(named(), "own_function+0x4");
    for (const target of ["../../outside.map", outside, "/../outside.map", "../../outside.map/"]) {
      Deno.removeSync(map);
      Deno.symlinkSync(target, map);
      assert.equal(named(), "0x1004", `through ${target}`);
    }
    // Its folder itself led out.
    Deno.removeSync(`${jail}/tmp`, { recursive: true });
    Deno.writeTextFileSync(`${folder.path}/perf-${program.processId}.map`, "1000 10 stolen_function\n");
    for (const target of ["..", folder.path, "../", `${folder.path}/`]) {
      Deno.symlinkSync(target, `${jail}/tmp`);
      assert.equal(named(), "0x1004", `through ${target}`);
      Deno.removeSync(`${jail}/tmp`);
    }
  },
);

kernelTest("a process that is gone has addresses and no names", {}, () => {
  using libc = openLibc();
  assert.deepEqual(describe(4_194_304, [0x1234n], libc).map(({ text }) => text), ["0x1234"]);
});
