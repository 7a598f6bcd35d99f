import { assert } from "../../tests/support/assert.ts";
import { PT_CONTROL, PT_LISTENER_KEY } from "../../bpf/generated/layout.ts";
import { encodeControl, encodeListener, OPEN_CONTROL } from "./control_words.ts";

function wordsOf(bytes: Uint8Array<ArrayBuffer>) {
  const view = new DataView(bytes.buffer);
  const { offsets } = PT_CONTROL;
  return {
    frozenAtNs: view.getBigUint64(offsets.frozenAtNs, true),
    slowWaitNs: view.getBigUint64(offsets.slowWaitNs, true),
    slowResponseNs: view.getBigUint64(offsets.slowResponseNs, true),
    slowConnectNs: view.getBigUint64(offsets.slowConnectNs, true),
    socketKinds: view.getUint32(offsets.socketKinds, true),
    followSockets: view.getUint32(offsets.followSockets, true),
    filesSinceNs: view.getBigUint64(offsets.filesSinceNs, true),
    slowFileNs: view.getBigUint64(offsets.slowFileNs, true),
    pageBytes: view.getUint32(offsets.pageBytes, true),
    enabled: view.getUint32(offsets.enabled, true),
    cgroupLevels: view.getUint32(offsets.cgroupLevels, true),
    systemWideSlot: view.getUint32(offsets.systemWideSlot, true),
    ownTgid: view.getUint32(offsets.ownTgid, true),
    userStacks: view.getUint32(offsets.userStacks, true),
    iteratorMode: view.getUint32(offsets.iteratorMode, true),
    targetGeneration: view.getUint32(offsets.targetGeneration, true),
    wakeupLatch: view.getUint32(offsets.wakeupLatch, true),
  };
}

Deno.test("encodeControl() of the open control is all zero: nothing is traced", () => {
  const bytes = encodeControl(OPEN_CONTROL);
  assert.equal(bytes.byteLength, PT_CONTROL.sizeBytes);
  assert.ok(bytes.every((byte) => byte === 0));
});

Deno.test("encodeControl() puts every word in its place, and clears the latch", () => {
  const bytes = encodeControl({
    frozenAtMs: 1.5,
    filesSinceMs: 3.5,
    slowFileMs: 20,
    pageBytes: 4096,
    slowWaitMs: 10,
    slowResponseMs: 100,
    slowConnectMs: 250,
    socketKinds: 0x1_0000,
    followsSockets: true,
    isEnabled: true,
    cgroupLevels: 0x8000_0001,
    systemWideSlot: 3,
    ownProcessId: 4711,
    hasUserStacks: true,
    iteratorMode: 2,
    targetGeneration: 0xffff_ffff,
  });
  assert.deepEqual(wordsOf(bytes), {
    frozenAtNs: 1_500_000n,
    slowWaitNs: 10_000_000n,
    slowResponseNs: 100_000_000n,
    slowConnectNs: 250_000_000n,
    socketKinds: 0x1_0000,
    followSockets: 1,
    filesSinceNs: 3_500_000n,
    slowFileNs: 20_000_000n,
    pageBytes: 4096,
    enabled: 1,
    cgroupLevels: 0x8000_0001,
    systemWideSlot: 3,
    ownTgid: 4711,
    userStacks: 1,
    iteratorMode: 2,
    targetGeneration: 0xffff_ffff,
    wakeupLatch: 0,
  });
});

Deno.test("encodeControl() keeps the end of a window to a microsecond for months of uptime", () => {
  const frozenAtMs = 100 * 24 * 3600 * 1000 + 0.000_5;
  const { frozenAtNs } = wordsOf(encodeControl({ ...OPEN_CONTROL, frozenAtMs }));
  const expectedNs = 100n * 24n * 3600n * 1_000_000_000n + 500n;
  const differenceNs = frozenAtNs - expectedNs;
  // A number of milliseconds is exact to a microsecond then.
  assert.ok(differenceNs > -2000n && differenceNs < 2000n, `${differenceNs} ns`);
});

Deno.test("encodeListener() yields the key of a TCP port in a network namespace", () => {
  const bytes = encodeListener(4026531840, 65535);
  const view = new DataView(bytes.buffer);
  const { offsets } = PT_LISTENER_KEY;
  assert.equal(bytes.byteLength, PT_LISTENER_KEY.sizeBytes);
  assert.equal(view.getUint32(offsets.networkNamespace, true), 4026531840);
  assert.deepEqual([view.getUint16(offsets.port, true), view.getUint16(offsets.protocol, true)], [65535, 6]);
});
