import { assert } from "../../tests/support/assert.ts";
import { makeTree, procFiles } from "../../tests/support/host_tree.ts";
import { until } from "../../tests/support/until.ts";
import { EngineError } from "../api/errors.ts";
import { orUndefinedWhenDenied, orUndefinedWhenUnsupported, ProcFs } from "./procfs.ts";

const procFs = new ProcFs();
const ABSENT_ID = 4_194_304; // the kernel hands out smaller ones only

/** A program of any name that lives until it is disposed of. */
class Sleeper implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #folder: string;

  constructor(name: string) {
    this.#folder = Deno.makeTempDirSync({ prefix: "podtrace-test-" });
    Deno.copyFileSync("/bin/sleep", `${this.#folder}/${name}`);
    this.#child = new Deno.Command(`${this.#folder}/${name}`, { args: ["600"] }).spawn();
  }

  get pid(): number {
    return this.#child.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
    Deno.removeSync(this.#folder, { recursive: true });
  }
}

Deno.test("ProcFs tells all about a child with an odd name", async () => {
  await using child = new Sleeper("a) b (");

  const stat = procFs.stat(child.pid);
  assert.equal(stat?.id, child.pid);
  assert.equal(stat?.command, "a) b (");
  assert.equal(stat?.parentProcessId, Deno.pid);
  assert.equal(stat?.threadCount, 1);
  assert.equal(stat?.isKernelThread, false);
  assert.equal(procFs.command(child.pid), "a) b (");
  assert.equal(procFs.commandLine(child.pid)?.at(-1), "600");
  assert.deepEqual(procFs.threadIds(child.pid), [child.pid]);
  assert.ok(procFs.exists(child.pid));
  assert.ok(procFs.processIds().some((id) => id === child.pid));
  const tree = procFs.processTree();
  assert.ok(tree.childIds(Deno.pid).some((id) => id === child.pid));
  assert.ok(tree.descendantIds(procFs.stat(Deno.pid)?.parentProcessId ?? 0).some((id) => id === child.pid));
  assert.equal(procFs.namespaceInode(child.pid, "net"), procFs.namespaceInode(Deno.pid, "net"));
  assert.deepEqual(procFs.cgroupLines(child.pid), procFs.cgroupLines(Deno.pid));
  assert.ok((procFs.schedStat(child.pid)?.onCpuNs ?? 0) > 0);
  assert.ok((procFs.io(child.pid)?.readCharCount ?? 0) > 0);
});

Deno.test("ProcFs yields undefined for a process that is not there", () => {
  assert.equal(procFs.exists(ABSENT_ID), false);
  for (
    const answer of [
      procFs.stat(ABSENT_ID),
      procFs.status(ABSENT_ID),
      procFs.command(ABSENT_ID),
      procFs.commandLine(ABSENT_ID),
      procFs.threadIds(ABSENT_ID),
      procFs.schedStat(ABSENT_ID),
      procFs.cgroupLines(ABSENT_ID),
      procFs.io(ABSENT_ID),
      procFs.namespaceInode(ABSENT_ID, "net"),
      procFs.internetSockets(ABSENT_ID, "tcp"),
      procFs.unixSockets(ABSENT_ID),
      procFs.descriptors(ABSENT_ID),
      procFs.mappings(ABSENT_ID),
      procFs.readProcessMemory(ABSENT_ID, { address: 4096n, lengthBytes: 8 }),
      procFs.mountInfo(ABSENT_ID),
    ]
  ) assert.equal(answer, undefined);
  assert.deepEqual(procFs.processTree().childIds(ABSENT_ID), []);
});

Deno.test("exists() is false for the id of a thread that is no process", () => {
  const threadId = procFs.threadIds(Deno.pid)?.find((id) => id !== Deno.pid);
  assert.ok(threadId !== undefined, "the runtime has more threads than one");
  assert.equal(procFs.exists(threadId), false);
  assert.equal(procFs.status(threadId)?.processId, Deno.pid);
  assert.ok(procFs.schedStat(Deno.pid, { threadId }) !== undefined);
  assert.equal(procFs.command(Deno.pid, { threadId }), procFs.stat(Deno.pid, { threadId })?.command);
});

Deno.test("readProcessMemory() reads what is mapped and nothing else", async () => {
  await using child = new Sleeper("sleeper");

  // A child that was just started may still be on its way through exec, its image not mapped yet.
  const first = await until(
    () => procFs.mappings(child.pid)?.find(({ path, fileOffset }) => path.endsWith("/sleeper") && fileOffset === 0n),
    { what: "the program's own mapping" },
  );
  const magic = procFs.readProcessMemory(child.pid, { address: first.begin, lengthBytes: 4 });
  assert.deepEqual([...magic ?? []], [0x7f, 0x45, 0x4c, 0x46]);
  const read = (address: bigint, lengthBytes = 8) => procFs.readProcessMemory(child.pid, { address, lengthBytes });
  assert.equal(read(0n), undefined);
  assert.equal(read(-1n), undefined);
  assert.equal(read(0xffff_ffff_ff60_0000n), undefined);
  assert.equal(read(first.begin - 4n), undefined);
  assert.throws(() => read(first.begin, 0), RangeError);
  assert.throws(() => read(first.begin, 65_537), RangeError);
});

Deno.test("descriptors() shows a file and an own listening socket by its inode", () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using tree = makeTree({ file: "text" });
  using file = Deno.openSync(`${tree.path}/file`);

  assert.ok(listener.addr.transport === "tcp" && file.isTerminal() === false);
  const { port } = listener.addr;
  const socket = procFs.internetSockets(Deno.pid, "tcp")?.find((candidate) => candidate.localPort === port);
  assert.equal(socket?.localAddress, "127.0.0.1");
  assert.equal(socket?.state, "listen");
  const links = [...procFs.descriptors(Deno.pid)?.values() ?? []];
  assert.ok(links.includes(`socket:[${socket?.inode}]`));
  assert.ok(links.includes(`${tree.path}/file`));
});

Deno.test("ProcFs reads the machine's own figures", () => {
  assert.equal(procFs.cpuCount(), navigator.hardwareConcurrency);
  assert.ok((procFs.memoryInfo()?.get("MemTotal") ?? 0) > 64 * 1024 * 1024);
  assert.equal(procFs.loadAverage()?.length, 3);
  assert.ok((procFs.uptimeMs() ?? 0) > 0);
  assert.equal(procFs.sysctl("kernel.osrelease"), Deno.osRelease());
  assert.equal(procFs.sysctl("kernel.no_such_setting"), undefined);
  assert.throws(() => procFs.sysctl("../etc/hostname"), EngineError);
  assert.ok((procFs.ownUsage()?.cpuMs ?? 0) > 0);
  assert.ok((procFs.ownUsage()?.residentBytes ?? 0) > 1024 * 1024);
  assert.equal(procFs.ownProcessId(), Deno.pid);
  assert.equal(procFs.ownStatus()?.processId, Deno.pid);
});

Deno.test("ProcFs reads nothing outside of its root", () => {
  using tree = makeTree(procFiles([{ id: 1, parentId: 0 }, { id: 7, command: "a) b (" }, { id: 9, parentId: 7 }]));
  const view = new ProcFs(`${tree.path}/proc`);
  assert.deepEqual(view.processIds(), [1, 7, 9]);
  assert.deepEqual(view.processTree().childIds(1), [7]);
  assert.deepEqual(view.processTree().descendantIds(1), [7, 9]);
  assert.equal(view.stat(7)?.userMs, 120);
  assert.deepEqual(view.commandLine(7), ["a) b (", "--serve"]);
  assert.equal(view.exists(Deno.pid), false);
  assert.equal(view.ownProcessId(), undefined);
  assert.equal(view.ownUsage(), undefined);
  assert.equal(view.pressure("cpu"), undefined);
});

Deno.test("descendantIds() ends when parents form a ring", () => {
  // Ids can be reused between the reads of two stat files.
  using tree = makeTree(procFiles([{ id: 7, parentId: 9 }, { id: 9, parentId: 7 }]));
  assert.deepEqual(new ProcFs(`${tree.path}/proc`).processTree().descendantIds(7), [9]);
});

Deno.test("orUndefinedWhenDenied() swallows a denial only", () => {
  const failing = (error: Error) => () => {
    throw error;
  };
  assert.equal(orUndefinedWhenDenied(failing(new EngineError("capability_missing", "x"))), undefined);
  assert.throws(() => orUndefinedWhenDenied(failing(new EngineError("target_gone", "x"))), EngineError);
  assert.throws(() => orUndefinedWhenUnsupported(failing(new Error("x"))), Error);
  assert.equal(orUndefinedWhenUnsupported(failing(new Error("Not supported (os error 95)"))), undefined);
});
