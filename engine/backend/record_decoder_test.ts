import { assert } from "../../tests/support/assert.ts";
import {
  PT_EXEC_EVENT,
  PT_EXIT_EVENT,
  PT_FORK_EVENT,
  PT_KIND,
  PT_NAME_EVENT,
  PT_OBJECT,
  PT_PREFIX,
  PT_WAIT_CLASS,
  PT_WAIT_EVENT,
  PT_WAIT_KEY,
} from "../../bpf/generated/layout.ts";
import { EngineError } from "../api/errors.ts";
import { decodeRecord } from "./record_decoder.ts";
import { aStruct } from "./test_table.ts";
import { TextCache } from "./text_cache.ts";

const MS = 1_000_000;
const SLOT = [PT_PREFIX.offsets.targetSlot, 4, 3] as const;
const PROCESS = [PT_PREFIX.offsets.tgid, 4, 100] as const;

/** Decodes a record that does not lie at the beginning of its memory. */
function decode(bytes: Uint8Array, kind: number) {
  const at = 24;
  const memory = new Uint8Array(at + bytes.byteLength);
  memory.set(bytes, at);
  return decodeRecord({ view: new DataView(memory.buffer), texts: new TextCache() }, at, kind);
}

Deno.test("decodeRecord() yields a wait with its key, times in milliseconds", () => {
  const { offsets } = PT_WAIT_EVENT;
  const key = (field: keyof typeof PT_WAIT_KEY.offsets) => offsets.key + PT_WAIT_KEY.offsets[field];
  const record = decode(
    aStruct(PT_WAIT_EVENT.sizeBytes, [
      SLOT,
      PROCESS,
      [offsets.endNs, 8, 5000 * MS],
      [offsets.durationNs, 8, 12 * MS],
      [key("tgid"), 4, 100],
      [key("tid"), 4, 101],
      [key("targetSlot"), 4, 3],
      [key("waitClass"), 2, PT_WAIT_CLASS.NETWORK],
      [key("systemCall"), 2, 45],
      [key("object") + PT_OBJECT.offsets.port, 4, 5432],
      [key("stackId"), 4, -14],
      [offsets.wakerTid, 4, 7],
    ]),
    PT_KIND.WAIT,
  );
  assert.deepEqual(record, {
    kind: "wait",
    endMs: 5000,
    durationMs: 12,
    key: {
      processId: 100,
      threadId: 101,
      targetSlot: 3,
      waitClass: PT_WAIT_CLASS.NETWORK,
      systemCall: 45,
      object: { kind: 0, port: 5432, highLow: 0, highHigh: 0, lowLow: 0, lowHigh: 0 },
      stackId: -14,
    },
    wakerThreadId: 7,
  });
});

/** A struct followed by a tail of text. */
function withTail(head: Uint8Array, tail: string): Uint8Array {
  const text = new TextEncoder().encode(tail);
  const bytes = new Uint8Array(head.byteLength + text.byteLength);
  bytes.set(head);
  bytes.set(text, head.byteLength);
  return bytes;
}

Deno.test("decodeRecord() yields a name's components, and no byte beyond its tail", () => {
  const { offsets } = PT_NAME_EVENT;
  const tail = "data.bin\0srv\0";
  const head = aStruct(PT_NAME_EVENT.sizeBytes, [
    SLOT,
    PROCESS,
    [offsets.object + PT_OBJECT.offsets.low, 8, 42],
    [offsets.textBytes, 4, tail.length],
    [offsets.truncated, 4, 1],
  ]);
  assert.deepEqual(decode(withTail(head, `${tail}the next record`), PT_KIND.NAME), {
    kind: "name",
    targetSlot: 3,
    processId: 100,
    object: { kind: 0, port: 0, highLow: 0, highHigh: 0, lowLow: 42, lowHigh: 0 },
    components: ["data.bin", "srv"],
    isTruncated: true,
  });
});

Deno.test("decodeRecord() yields a fork with parent and child", () => {
  const { offsets } = PT_FORK_EVENT;
  const bytes = aStruct(PT_FORK_EVENT.sizeBytes, [
    SLOT,
    PROCESS,
    [offsets.nowNs, 8, 7 * MS],
    [offsets.parentTid, 4, 101],
    [offsets.childTid, 4, 202],
    [offsets.childTgid, 4, 200],
  ], [[offsets.comm, "sh"]]);
  assert.deepEqual(decode(bytes, PT_KIND.FORK), {
    kind: "fork",
    targetSlot: 3,
    atMs: 7,
    parentProcessId: 100,
    parentThreadId: 101,
    childProcessId: 200,
    childThreadId: 202,
    command: "sh",
  });
});

Deno.test("decodeRecord() yields an exec with its path, empty when none could be read", () => {
  const { offsets } = PT_EXEC_EVENT;
  const head = (textBytes: number) =>
    aStruct(PT_EXEC_EVENT.sizeBytes, [SLOT, PROCESS, [offsets.nowNs, 8, 7 * MS], [offsets.textBytes, 4, textBytes]], [
      [offsets.comm, "java"],
    ]);
  const path = "/usr/bin/java\0";
  const nobody = { kind: "exec", targetSlot: 3, atMs: 7, processId: 100, command: "java" };
  const expected = { ...nobody, argumentList: [], isArgumentListCut: false };
  assert.deepEqual(decode(withTail(head(path.length), path), PT_KIND.EXEC), { ...expected, path: "/usr/bin/java" });
  assert.deepEqual(decode(head(0), PT_KIND.EXEC), { ...expected, path: "" });
});

Deno.test("decodeRecord() yields an exit with the whole ledger of its thread", () => {
  const { offsets } = PT_EXIT_EVENT;
  const bytes = aStruct(PT_EXIT_EVENT.sizeBytes, [
    SLOT,
    PROCESS,
    [offsets.endNs, 8, 900 * MS],
    [offsets.beginNs, 8, 800 * MS],
    [offsets.onCpuNs, 8, 10 * MS],
    [offsets.runnableNs, 8, 20 * MS],
    [offsets.throttledNs, 8, 30 * MS],
    [offsets.blockedNs, 8, 40 * MS],
    [offsets.kernelOnCpuNs, 8, 11 * MS],
    [offsets.kernelDelayNs, 8, 51 * MS],
    [offsets.tid, 4, 101],
    [offsets.parentTgid, 4, 1],
    [offsets.exitCode, 4, 3 << 8],
    [offsets.namespaceTid, 4, 2],
    [offsets.processEnded, 4, 1],
  ], [[offsets.comm, "worker"]]);
  assert.deepEqual(decode(bytes, PT_KIND.EXIT), {
    kind: "exit",
    targetSlot: 3,
    parentProcessId: 1,
    exitCode: 3 << 8,
    processEnded: true,
    isOomVictim: false,
    leftTarget: false,
    thread: {
      processId: 100,
      threadId: 101,
      namespaceThreadId: 2,
      targetSlot: 3,
      command: "worker",
      beginMs: 800,
      endMs: 900,
      onCpuMs: 10,
      runnableMs: 20,
      throttledMs: 30,
      blockedMs: 40,
      minorFaultCount: undefined,
      majorFaultCount: undefined,
      kernelOnCpuMs: 11,
      kernelRunDelayMs: 51,
      exited: true,
      openWait: undefined,
    },
  });
});

Deno.test("decodeRecord() refuses a kind that no program writes into a ring", () => {
  for (const kind of [0, PT_KIND.TASK, 7, 0xffff_ffff]) {
    assert.throws(
      () => decode(new Uint8Array(512), kind),
      (error) => error instanceof EngineError && error.code === "ring_corrupt" && error.message.includes(String(kind)),
    );
  }
});
