import { assert } from "../../tests/support/assert.ts";
import { KeptOutput } from "../../tests/support/process_contexts.ts";
import { OutputGoneError } from "../text_output.ts";
import { FOLLOW_LINES_PENDING_MAX, FOLLOW_LINES_PER_SECOND_MAX, LinePrinter } from "./line_printer.ts";

/** An output that takes a write when it is told to. */
class SlowOutput extends KeptOutput {
  writeCount = 0;
  #taken = Promise.withResolvers<void>();

  override async write(text: string): Promise<void> {
    this.writeCount++;
    await this.#taken.promise;
    await super.write(text);
  }

  take(): void {
    this.#taken.resolve();
  }
}

function aBench(output: KeptOutput = new KeptOutput()) {
  const bench = { nowMs: 0, goneCount: 0 };
  const printer = new LinePrinter({
    output,
    elapsedMs: () => bench.nowMs,
    describeOmitted: (count) => `${count} more`,
    onGone: () => bench.goneCount++,
  });
  return { bench, printer, output };
}

function lines(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `line ${index}`);
}

Deno.test("LinePrinter writes a batch at once", async () => {
  const { printer, output } = aBench();
  printer.print(["a", "b"]);
  await printer.finish();
  assert.equal(output.text, "a\nb\n");
  assert.equal(printer.omittedCount, 0);
});

Deno.test("LinePrinter leaves out what is more than a second takes, and says how much", async () => {
  const { bench, printer, output } = aBench();
  printer.print(lines(FOLLOW_LINES_PER_SECOND_MAX));
  printer.print(lines(3));
  assert.equal(printer.omittedCount, 3);
  bench.nowMs = 999;
  printer.print(lines(1));
  bench.nowMs = 1000;
  printer.print(["next"]);
  await printer.finish();
  const written = output.text.trimEnd().split("\n");
  assert.equal(written.length, FOLLOW_LINES_PER_SECOND_MAX + 2);
  assert.deepEqual(written.slice(-2), ["4 more", "next"]);
});

Deno.test("LinePrinter holds a bounded number of lines for a slow reader, and waits for it at the end only", async () => {
  const slow = new SlowOutput();
  const { bench, printer } = aBench(slow);
  for (let second = 0; second < 12; second++) {
    bench.nowMs = second * 1000;
    printer.print(lines(FOLLOW_LINES_PER_SECOND_MAX));
  }
  assert.equal(slow.writeCount, 1);
  assert.ok(printer.omittedCount > 0 && printer.omittedCount <= 12 * FOLLOW_LINES_PER_SECOND_MAX);
  slow.take();
  await printer.finish();
  const written = slow.text.trimEnd().split("\n");
  assert.equal(written.at(-1), `${printer.omittedCount} more`);
  assert.equal(written.length - 1 + printer.omittedCount, 12 * FOLLOW_LINES_PER_SECOND_MAX);
  assert.ok(written.length <= FOLLOW_LINES_PENDING_MAX + FOLLOW_LINES_PER_SECOND_MAX + 1);
});

Deno.test("LinePrinter says once that its reader is gone, and fails at the end", async () => {
  const { bench, printer, output } = aBench();
  output.failure = new OutputGoneError("gone");
  printer.print(["a"]);
  await assert.rejects(printer.finish(), OutputGoneError);
  printer.print(["b"]);
  await assert.rejects(printer.finish(), OutputGoneError);
  assert.equal(bench.goneCount, 1);
});
