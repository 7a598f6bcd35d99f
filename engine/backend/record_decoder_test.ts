import { assert } from "../../tests/support/assert.ts";
import {
  PT_EXEC_EVENT,
  PT_EXIT_EVENT,
  PT_FILE_EVENT,
  PT_FILE_KEY,
  PT_FILE_OPERATION,
  PT_FORK_EVENT,
  PT_KIND,
  PT_NAME_EVENT,
  PT_OBJECT,
  PT_OOM_KILL_EVENT,
  PT_PREFIX,
  PT_WAIT_CLASS,
  PT_WAIT_EVENT,
  PT_WAIT_KEY,
} from "../../bpf/generated/layout.ts";
import { FILE_OPERATIONS } from "../api/file_measurements.ts";
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

Deno.test("decodeRecord() yields an exec's arguments behind its path, and that there were more", () => {
  const { offsets } = PT_EXEC_EVENT;
  const path = "/bin/sh\0";
  const argumentList = "sh\0-c\0\0last wor";
  const head = aStruct(PT_EXEC_EVENT.sizeBytes, [
    SLOT,
    PROCESS,
    [offsets.textBytes, 4, path.length],
    [offsets.argumentBytes, 4, argumentList.length],
    [offsets.argumentsCut, 4, 1],
  ], [[offsets.comm, "sh"]]);
  const record = decode(withTail(head, path + argumentList), PT_KIND.EXEC);
  assert.ok(record.kind === "exec");
  assert.equal(record.path, "/bin/sh");
  assert.deepEqual(record.argumentList, ["sh", "-c", "", "last wor"]);
  assert.equal(record.isArgumentListCut, true);
});

Deno.test("decodeRecord() yields an OOM kill with what the victim held", () => {
  const { offsets } = PT_OOM_KILL_EVENT;
  const bytes = aStruct(PT_OOM_KILL_EVENT.sizeBytes, [
    SLOT,
    PROCESS,
    [offsets.nowNs, 8, 7 * MS],
    [offsets.virtualBytes, 8, 2n ** 40n],
    [offsets.anonymousBytes, 8, 4096n],
    [offsets.fileBytes, 8, 8192n],
    [offsets.sharedBytes, 8, 0n],
  ], [[offsets.comm, "hog"]]);
  assert.deepEqual(decode(bytes, PT_KIND.OOM_KILL), {
    kind: "oomKill",
    targetSlot: 3,
    atMs: 7,
    processId: 100,
    command: "hog",
    virtualBytes: 2 ** 40,
    anonymousBytes: 4096,
    fileBytes: 8192,
    sharedBytes: 0,
  });
});

Deno.test("decodeRecord() yields an operation on a file with its key", () => {
  const { offsets } = PT_FILE_EVENT;
  const key = PT_FILE_KEY.offsets;
  const bytes = aStruct(PT_FILE_EVENT.sizeBytes, [
    [offsets.endNs, 8, 900 * MS],
    [offsets.durationNs, 8, 20 * MS],
    [offsets.key + key.tgid, 4, 100],
    [offsets.key + key.targetSlot, 4, 3],
    [offsets.key + key.operation, 2, PT_FILE_OPERATION.WRITE],
    [offsets.key + key.error, 2, 28],
    [offsets.bytes, 8, 5n],
    [offsets.tid, 4, 101],
    [offsets.systemCall, 4, 1],
  ]);
  const record = decode(bytes, PT_KIND.FILE);
  assert.ok(record.kind === "file");
  const { object: _object, ...rest } = record.key;
  assert.deepEqual(rest, { processId: 100, targetSlot: 3, operation: FILE_OPERATIONS.write, errno: 28 });
  assert.deepEqual(
    [record.endMs, record.durationMs, record.threadId, record.systemCall, record.byteCount],
    [900, 20, 101, 1, 5],
  );
});

Deno.test("FILE_OPERATIONS are those of the layout", () => {
  const { NONE: _none, OPERATION_COUNT: _count, ...operations } = PT_FILE_OPERATION;
  const ours = Object.entries(FILE_OPERATIONS).map(([name, number]) => [name.toUpperCase(), number]);
  assert.deepEqual(Object.fromEntries(ours), operations);
});

Deno.test("decodeRecord() yields an exit with the whole ledger of its thread", () => {
  const { offsets } = PT_EXIT_EVENT;
  const bytes = aStruct(PT_EXIT_EVENT.sizeBytes, [
    SLOT,
    PROCESS,
    [offsets.endNs, 8, 900 * MS],
    [offsets.beginNs, 8, 800 * MS],
    [offsets.minorFaults, 8, 12n],
    [offsets.majorFaults, 8, 5n],
    [offsets.oomVictim, 4, 1],
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
    isOomVictim: true,
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
      minorFaultCount: 12,
      majorFaultCount: 5,
      kernelOnCpuMs: 11,
      kernelRunDelayMs: 51,
      exited: true,
      openWait: undefined,
    },
  });
});

Deno.test("decodeRecord() refuses a kind that no program writes into a ring", () => {
  for (const kind of [0, PT_KIND.TASK, 31, 0xffff_ffff]) {
    assert.throws(
      () => decode(new Uint8Array(512), kind),
      (error) => error instanceof EngineError && error.code === "ring_corrupt" && error.message.includes(String(kind)),
    );
  }
});
