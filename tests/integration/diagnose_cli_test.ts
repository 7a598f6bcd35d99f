/**
 * `podtrace` as its user runs it: what is wrong with a command line is said in
 * one line, with exit code 2 or 1, and nothing is started or left behind.
 *
 * @module
 */

import { VERSION } from "../../cmd/version.ts";
import { assert } from "../support/assert.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function podtrace(...argv: readonly string[]): Promise<Answer> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", MAIN, ...argv],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** One line on stderr, nothing on stdout. */
function assertRefused(answer: Answer, expected: { code: number; line: RegExp }): void {
  assert.equal(answer.stdout, "");
  assert.match(answer.stderr, expected.line);
  assert.match(answer.stderr, /^podtrace: [^\n]+\n$/);
  assert.equal(answer.code, expected.code);
}

Deno.test("podtrace answers --help and --version on stdout with exit code 0", async () => {
  const [version, help, diagnoseHelp] = await Promise.all([
    podtrace("--version"),
    podtrace("--help"),
    podtrace("diagnose", "--help"),
  ]);
  assert.deepEqual(version, { code: 0, stdout: `podtrace v${VERSION}\n`, stderr: "" });
  assert.equal(help.code, 0);
  assert.match(help.stdout, /^Usage: podtrace COMMAND/);
  assert.equal(diagnoseHelp.code, 0);
  assert.match(diagnoseHelp.stdout, /^Usage: podtrace diagnose/);
  assert.equal(help.stderr + diagnoseHelp.stderr, "");
});

Deno.test("podtrace refuses a wrong command line in one line with exit code 2", async () => {
  const table: readonly (readonly [argv: string, line: RegExp])[] = [
    ["", /no command given/],
    ["diagnos", /unknown command 'diagnos', did you mean diagnose\?/],
    ["operator", /"operator": it is not in this build yet/],
    ["diagnose", /no target given/],
    ["diagnose --dration 5s --pid 1", /unknown option '--dration', did you mean --duration\?/],
    ["diagnose --pid 1 --duration 0s", /--duration "0s": expected more than 0s and at most 24h0m0s/],
    ["diagnose --pid 1 --duration -5s", /--duration "-5s": expected more than 0s/],
    ["diagnose --pid 1 --duration 24h0m0.001s", /--duration "24h0m0.001s": expected more than 0s/],
    ["diagnose --pid 1 --duration soon", /--duration "soon": expected digits/],
    ["diagnose --pid none", /--pid "none": expected a process id/],
    ["diagnose web-0 --namespace shop", /"web-0": pods cannot be targets in this build yet/],
    ["diagnose --pod-selector app=web", /--pod-selector: pods cannot be targets in this build yet/],
    ["diagnose --pid 1 --system-wide", /found --pid and --system-wide, expected one of them/],
    ["diagnose --now -- ls", /--now with -- COMMAND/],
  ];
  for (const [argv, line] of table) {
    assertRefused(await podtrace(...argv.split(" ").filter((word) => word !== "")), { code: 2, line });
  }
});

Deno.test("podtrace writes control characters of a command line out instead of sending them to the terminal", async () => {
  const answer = await podtrace("diagnose", "--pid", "\x1b[2J\n\u202e1");
  assertRefused(answer, { code: 2, line: /process id/ });
  // deno-lint-ignore no-control-regex -- these are what must not be there
  assert.ok(!/[\x00-\x09\x0b-\x1f\u202e]/.test(answer.stderr), JSON.stringify(answer.stderr));
});

Deno.test("podtrace ends quietly with exit code 1 when nobody reads its output", async () => {
  const child = new Deno.Command("/bin/sh", {
    // The reader is gone before a byte is written; the code of the writer is what is printed.
    args: [
      "-c",
      '{ { sleep 0.2; "$@"; echo "code $?" >&2; } | :; } 2>&1',
      "sh",
      Deno.execPath(),
      "run",
      "-A",
      "--no-check",
      MAIN,
      "--help",
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const { stdout } = await child.output();
  assert.equal(new TextDecoder().decode(stdout), "code 1\n");
});
