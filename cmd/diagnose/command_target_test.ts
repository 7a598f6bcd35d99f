import { assert } from "../../tests/support/assert.ts";
import { ManualTimer } from "../../tests/support/manual_timer.ts";
import { realTimer } from "../process_context.ts";
import { RunError } from "../run_error.ts";
import { CommandTarget, describeOutcome, STOP_GRACE_MS } from "./command_target.ts";

const searchPath = Deno.env.get("PATH");

function start(argv: readonly [string, ...string[]], timer = realTimer): Promise<CommandTarget> {
  return CommandTarget.start(argv, { timer, searchPath });
}

/** Whether the process still exists, zombies excluded. */
function isAlive(processId: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(Deno.readTextFileSync(`/proc/${processId}/status`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Waits until `path` holds something, as a line from a shell does once it is complete. */
async function textOf(path: string): Promise<string> {
  for (;;) {
    const text = await Deno.readTextFile(path);
    if (text.endsWith("\n")) return text;
    await realTimer.nextTurn();
  }
}

Deno.test("CommandTarget.start() holds the command back until release(), under the same process id", async () => {
  const path = await Deno.makeTempFile();
  try {
    await using command = await start(["sh", "-c", `echo "$$ $0 $1" > "${path}"; exit 3`, "a b", "c"]);
    assert.ok(isAlive(command.processId));
    assert.equal(command.outcome, undefined);
    assert.equal(await Deno.readTextFile(path), "");
    command.release();
    await command.ended;
    assert.equal(await Deno.readTextFile(path), `${command.processId} a b c\n`);
    assert.deepEqual(command.outcome, { exitCode: 3, signal: undefined, stoppedBy: undefined });
    assert.deepEqual(await command.stop(), command.outcome);
  } finally {
    await Deno.remove(path);
  }
});

/** What a process ignores that was started with nothing of ours: SIGPIPE is ignored by the runtime itself. */
async function inheritedIgnoredSignals(): Promise<bigint> {
  const SIGPIPE_BIT = 1n << 12n;
  const match = /^SigIgn:\s*([0-9a-f]+)$/m.exec(await Deno.readTextFile("/proc/self/status"));
  return BigInt(`0x${match?.[1] ?? "0"}`) & ~SIGPIPE_BIT;
}

Deno.test("CommandTarget.start() gives the command the signals we were given and nothing of the gate", async () => {
  const path = await Deno.makeTempFile();
  try {
    const script = `[ -e /proc/self/fd/3 ] && echo open; sed -n "s/^Sig\\(Ign\\|Blk\\):.//p" /proc/self/status`;
    await using command = await start(["sh", "-c", `(${script}) > "${path}"`]);
    command.release();
    await command.ended;
    const [blocked, ignored] = (await Deno.readTextFile(path)).trim().split("\n").map((mask) => BigInt(`0x${mask}`));
    assert.equal(blocked, 0n);
    assert.equal(ignored, await inheritedIgnoredSignals());
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("CommandTarget tells the signal that ended the command", async () => {
  await using command = await start(["sh", "-c", "kill -SEGV $$"]);
  command.release();
  await command.ended;
  assert.deepEqual(command.outcome, { exitCode: undefined, signal: "SIGSEGV", stoppedBy: undefined });
});

Deno.test("CommandTarget.stop() ends a running command with SIGTERM", async () => {
  const command = await start(["sleep", "600"]);
  command.release();
  assert.deepEqual(await command.stop(), { exitCode: undefined, signal: "SIGTERM", stoppedBy: "SIGTERM" });
  assert.equal(isAlive(command.processId), false);
});

Deno.test("CommandTarget.stop() reports the exit code of a command that ends itself on SIGTERM", async () => {
  const path = await Deno.makeTempFile();
  try {
    const command = await start([
      "sh",
      "-c",
      `trap "exit 7" TERM; echo ready > "${path}"; while :; do sleep 0.05; done`,
    ]);
    command.release();
    await textOf(path);
    assert.deepEqual(await command.stop(), { exitCode: 7, signal: undefined, stoppedBy: "SIGTERM" });
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("CommandTarget.stop() kills a command that ignores SIGTERM, after the grace and not before", async () => {
  const path = await Deno.makeTempFile();
  const timer = new ManualTimer();
  try {
    // The shell ignores the signal, and so does what it becomes.
    const command = await start(["sh", "-c", `trap "" TERM; echo ready > "${path}"; exec sleep 600`], timer);
    command.release();
    await textOf(path);
    const stopped = command.stop();
    await timer.advance(STOP_GRACE_MS - 1);
    assert.ok(isAlive(command.processId));
    await timer.advance(1);
    assert.deepEqual(await stopped, { exitCode: undefined, signal: "SIGKILL", stoppedBy: "SIGKILL" });
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("CommandTarget leaves nothing behind when it is disposed before release()", async () => {
  const path = `${await Deno.makeTempDir()}/must_not_exist`;
  const command = await start(["touch", path]);
  await command[Symbol.asyncDispose]();
  assert.equal(isAlive(command.processId), false);
  await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
  await Deno.remove(path.slice(0, path.lastIndexOf("/")));
});

Deno.test("CommandTarget.kill() ends the command without waiting, and twice is no harm", async () => {
  const command = await start(["sleep", "600"]);
  command.release();
  command.kill();
  command.kill();
  await command.ended;
  assert.equal(command.outcome?.signal, "SIGTERM");
  command.kill();
});

Deno.test("CommandTarget.start() refuses what a shell would call 126 or 127, in one line", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/plain`, "text", { mode: 0o644 });
    await Deno.mkdir(`${folder}/folder`);
    const table: readonly (readonly [string, string])[] = [
      ["no-such-command", "no such command in PATH (127)"],
      [`${folder}/none`, "no such file (127)"],
      [`${folder}/plain/below`, "no such file (127)"],
      [`${folder}/folder`, "no such file (127)"],
      [`${folder}/plain`, "found, but it may not be executed (126)"],
      ["plain", "found, but it may not be executed (126)"],
    ];
    for (const [name, reason] of table) {
      await assert.rejects(
        CommandTarget.start([name], { timer: realTimer, searchPath: `relative::${folder}` }),
        new RunError(`Cannot start the command ${JSON.stringify(name)}: ${reason}`),
      );
    }
    await assert.rejects(
      CommandTarget.start(["ls"], { timer: realTimer, searchPath: undefined }),
      new RunError('Cannot start the command "ls": no such command in PATH (127)'),
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("describeOutcome() says how the command ended, and by whom", () => {
  const outcome = { exitCode: undefined, signal: undefined, stoppedBy: undefined };
  assert.equal(describeOutcome({ ...outcome, exitCode: 0 }), "exited with 0");
  assert.equal(describeOutcome({ ...outcome, exitCode: 3 }), "exited with 3");
  assert.equal(describeOutcome({ ...outcome, signal: "SIGSEGV" }), "was ended by SIGSEGV");
  assert.equal(
    describeOutcome({ ...outcome, signal: "SIGKILL", stoppedBy: "SIGKILL" }),
    "was ended by SIGKILL, stopped with SIGKILL when the window was over",
  );
});
