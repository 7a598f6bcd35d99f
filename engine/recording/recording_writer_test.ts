import { assert } from "../../tests/support/assert.ts";
import { ENTRY_KINDS } from "./recording_format.ts";
import { RecordingWriter } from "./recording_writer.ts";

/** A disk that takes bytes when told to. */
class SlowSink {
  readonly #waiting: { readonly take: () => void; readonly fail: (reason: Error) => void }[] = [];

  write(bytes: Uint8Array): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#waiting.push({ take: () => resolve(bytes.length), fail: reject });
    return promise;
  }

  takeAll(): void {
    for (const { take } of this.#waiting.splice(0)) take();
  }

  failAll(reason: Error): void {
    for (const { fail } of this.#waiting.splice(0)) fail(reason);
  }
}

/** Bytes that deflate cannot make smaller. */
function noise(lengthBytes: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(lengthBytes);
  for (let at = 0; at < lengthBytes; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
}

Deno.test("hasRoom says when the disk falls behind, and again when it has caught up", async () => {
  const sink = new SlowSink();
  const writer = new RecordingWriter("{}", { sink, onFailure: assert.fail, queueBytesMax: 200_000 });
  assert.equal(writer.hasRoom, true);
  for (let index = 0; index < 4; index++) writer.add(ENTRY_KINDS.answer, { payload: noise(70_000) });
  assert.equal(writer.hasRoom, false);

  const finished = writer.finish();
  let isFinished = false;
  void finished.then(() => isFinished = true);
  while (!isFinished) {
    sink.takeAll();
    await Promise.resolve();
  }
  assert.deepEqual([writer.hasRoom, writer.failure], [true, undefined]);
});

Deno.test("a disk that never answers ends the recording at its bound, once, and never the run", () => {
  const failures: string[] = [];
  const writer = new RecordingWriter("{}", {
    sink: new SlowSink(),
    onFailure: ({ message }) => failures.push(message),
    backlogBytesMax: 300_000,
  });
  for (let index = 0; index < 50; index++) writer.add(ENTRY_KINDS.answer, { payload: noise(70_000) });
  assert.equal(failures.length, 1);
  assert.match(failures[0] ?? "", /^the disk is too slow, \d+ bytes wait for it \(at most 300000\)$/);
});

Deno.test("a write that fails ends the recording with its reason, once", async () => {
  const failures: Error[] = [];
  const sink = new SlowSink();
  const writer = new RecordingWriter("{}", { sink, onFailure: (reason) => failures.push(reason) });
  const full = new Error("No space left on device");
  sink.failAll(full);
  await writer.finish();
  writer.add(ENTRY_KINDS.answer, { payload: noise(100_000) });
  await writer.finish();
  assert.deepEqual(failures, [full]);
  assert.equal(writer.failure, full);
});
