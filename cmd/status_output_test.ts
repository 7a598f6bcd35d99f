import { assert } from "../tests/support/assert.ts";
import { KeptOutput } from "../tests/support/process_contexts.ts";
import { StatusOutput } from "./status_output.ts";

function open(options: { isTerminal: boolean; columns?: number }) {
  const output = new KeptOutput();
  output.isTerminal = options.isTerminal;
  const failures: unknown[] = [];
  const status = new StatusOutput(output, {
    columns: () => options.columns ?? 80,
    onGone: (error) => failures.push(error),
  });
  return { output, status, failures };
}

Deno.test("StatusOutput.logger() writes one line per message, from its level upwards", async () => {
  const expected = {
    debug: "podtrace: debug: a\npodtrace: b\npodtrace: warning: c\npodtrace: d\n",
    info: "podtrace: b\npodtrace: warning: c\npodtrace: d\n",
    warn: "podtrace: warning: c\npodtrace: d\n",
    error: "podtrace: d\n",
  };
  for (const level of ["debug", "info", "warn", "error"] as const) {
    const { output, status } = open({ isTerminal: false });
    const log = status.logger(level);
    log.debug("a");
    log.info("b");
    log.warn("c");
    log.error("d");
    await status.flush();
    assert.equal(output.text, expected[level]);
  }
});

Deno.test("StatusOutput.logger() lets no message break its line or steer the terminal", async () => {
  const { output, status } = open({ isTerminal: true });
  status.logger("info").info('Cannot start "\x1b[2J\nsecond \u202eline"');
  await status.flush();
  assert.equal(output.text, 'podtrace: Cannot start "\\x1b[2J\\x0asecond \\u202eline"\n');
});

Deno.test("StatusOutput.showStatus() rewrites one line on a terminal, and keeps it below messages", async () => {
  const { output, status } = open({ isTerminal: true });
  status.showStatus("1 s");
  status.showStatus("1 s"); // nothing new, nothing written
  status.logger("info").info("note");
  status.showStatus("2 s");
  status.showStatus("");
  status.logger("info").info("end");
  await status.flush();
  assert.equal(
    output.text,
    "\r\x1b[K1 s" + "\r\x1b[Kpodtrace: note\n1 s" + "\r\x1b[K2 s" + "\r\x1b[K" + "podtrace: end\n",
  );
});

Deno.test("StatusOutput.showStatus() cuts what would wrap and sanitises the rest", async () => {
  const { output, status } = open({ isTerminal: true, columns: 8 });
  status.showStatus("12345678901234567890");
  await status.flush();
  assert.equal(output.text, "\r\x1b[K1234567");
});

Deno.test("StatusOutput.showStatus() writes nothing where there is no terminal", async () => {
  const { output, status } = open({ isTerminal: false });
  status.showStatus("1 s");
  status.showStatus("");
  await status.flush();
  assert.equal(output.text, "");
});

Deno.test("StatusOutput tells that its reader has gone and goes on", async () => {
  const { output, status, failures } = open({ isTerminal: true });
  const failure = new Error("gone");
  output.failure = failure;
  status.showStatus("1 s");
  await status.flush();
  assert.deepEqual(failures, [failure]);
});

Deno.test("hold() keeps lines back while something else has the terminal", async () => {
  const output = new KeptOutput();
  const status = new StatusOutput(output, { columns: () => 80, onGone: () => {} });
  {
    using _held = status.hold();
    status.logger("info").warn("first");
    status.logger("info").info("second");
    await status.flush();
    assert.equal(output.text, "");
  }
  await status.flush();
  assert.equal(output.text, "podtrace: warning: first\npodtrace: second\n");
});
