import { assert } from "../../tests/support/assert.ts";
import type { WaitObject } from "../api/measurements.ts";
import type { ObjectKey } from "../api/tracer_backend.ts";
import { SocketOrdinals } from "./socket_ordinals.ts";
import { anObject } from "./test_backend.ts";
import { isSameObject, OBJECT_KINDS, toAddressText, toPointerText, toWaitClass, toWaitObject } from "./wait_objects.ts";

/** The key of an address given as its sixteen bytes on the wire. */
function addressKey(bytes: readonly number[]): Pick<ObjectKey, "highHigh" | "highLow" | "lowHigh" | "lowLow"> {
  const view = new DataView(Uint8Array.from(bytes).buffer);
  const half = (offset: number) => view.getUint32(offset, true);
  return { highLow: half(0), highHigh: half(4), lowLow: half(8), lowHigh: half(12) };
}

function ipv6Bytes(groups: readonly number[]): number[] {
  return groups.flatMap((group) => [group >>> 8, group & 0xff]);
}

const ADDRESSES: readonly [bytes: readonly number[], text: string][] = [
  [[...new Array<number>(10).fill(0), 0xff, 0xff, 10, 0, 200, 1], "10.0.200.1"],
  [[...new Array<number>(10).fill(0), 0xff, 0xff, 255, 255, 255, 255], "255.255.255.255"],
  [ipv6Bytes([0, 0, 0, 0, 0, 0, 0, 0]), "::"],
  [ipv6Bytes([0, 0, 0, 0, 0, 0, 0, 1]), "::1"],
  [ipv6Bytes([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]), "2001:db8::1"],
  [ipv6Bytes([0xfe80, 0, 0, 0, 0x1, 0, 0, 0]), "fe80::1:0:0:0"],
  [ipv6Bytes([0x2001, 0, 0, 1, 0, 0, 0, 1]), "2001:0:0:1::1"],
  [ipv6Bytes([0x2001, 0xdb8, 0, 1, 1, 1, 1, 1]), "2001:db8:0:1:1:1:1:1"],
  [ipv6Bytes([0x2001, 0xdb8, 0, 0, 1, 0, 0, 1]), "2001:db8::1:0:0:1"],
  [ipv6Bytes([0x2001, 0xdb8, 0xabcd, 0xef, 1, 2, 0, 0]), "2001:db8:abcd:ef:1:2::"],
  [ipv6Bytes([0, 0, 1, 2, 3, 4, 5, 6]), "::1:2:3:4:5:6"],
  [ipv6Bytes([1, 2, 3, 4, 5, 6, 7, 8]), "1:2:3:4:5:6:7:8"],
];

for (const [bytes, text] of ADDRESSES) {
  Deno.test(`toAddressText() yields ${text} from its bytes on the wire`, () => {
    assert.equal(toAddressText(addressKey(bytes)), text);
  });
}

const OBJECTS: readonly [key: Partial<ObjectKey>, name: string | undefined, object: WaitObject][] = [
  [{ kind: OBJECT_KINDS.none }, undefined, { kind: "none" }],
  [
    { kind: OBJECT_KINDS.tcpPeer, port: 5432, ...addressKey(ADDRESSES[0]?.[0] ?? []) },
    undefined,
    { kind: "peer", protocol: "tcp", address: "10.0.200.1", port: 5432 },
  ],
  [
    { kind: OBJECT_KINDS.udpPeer, port: 53, ...addressKey(ADDRESSES[3]?.[0] ?? []) },
    undefined,
    { kind: "peer", protocol: "udp", address: "::1", port: 53 },
  ],
  [{ kind: OBJECT_KINDS.tcpServer, port: 8080 }, undefined, { kind: "server", protocol: "tcp", port: 8080 }],
  [{ kind: OBJECT_KINDS.udpServer, port: 514 }, undefined, { kind: "server", protocol: "udp", port: 514 }],
  [
    { kind: OBJECT_KINDS.unixPeer, lowLow: 0xffffffff, lowHigh: 0xffff8881 },
    "/run/db.sock",
    { kind: "unixPeer", id: "#1", path: "/run/db.sock" },
  ],
  [{ kind: OBJECT_KINDS.unixServer, lowLow: 77 }, undefined, { kind: "unixServer", id: "77", path: undefined }],
  [
    { kind: OBJECT_KINDS.file, highLow: (259 << 20) | 3, lowLow: 42 },
    "/srv/data.bin",
    { kind: "file", id: "259:3:42", path: "/srv/data.bin" },
  ],
  // 4095 is the largest major; its dev_t has the sign bit of an int32.
  [{ kind: OBJECT_KINDS.file, highLow: 0xffffffff, lowLow: 1 }, undefined, {
    kind: "file",
    id: "4095:1048575:1",
    path: undefined,
  }],
  [{ kind: OBJECT_KINDS.pipe, lowLow: 5, lowHigh: 1 }, undefined, { kind: "pipe", inode: 4294967301 }],
  [
    { kind: OBJECT_KINDS.lock, lowLow: 0xd0, lowHigh: 0x7f12 },
    undefined,
    { kind: "lock", address: "0x7f12000000d0" },
  ],
  [{ kind: OBJECT_KINDS.timer }, undefined, { kind: "timer" }],
  [{ kind: OBJECT_KINDS.eventfd }, undefined, { kind: "eventfd" }],
  [{ kind: OBJECT_KINDS.terminal, lowLow: 5 }, undefined, { kind: "terminal" }],
  [{ kind: OBJECT_KINDS.child, lowLow: 4711 }, undefined, { kind: "child", processId: 4711 }],
  [{ kind: OBJECT_KINDS.child }, undefined, { kind: "child", processId: 0 }],
  [{ kind: OBJECT_KINDS.several }, undefined, { kind: "several" }],
  [{ kind: OBJECT_KINDS.anonymous }, "[io_uring]", { kind: "anonymous", name: "[io_uring]" }],
  [{ kind: OBJECT_KINDS.netlink }, undefined, { kind: "netlink" }],
  [{ kind: OBJECT_KINDS.signal }, undefined, { kind: "signal" }],
  [{ kind: OBJECT_KINDS.unixPair, lowLow: 7 }, undefined, { kind: "unixPeer", id: "7", path: undefined }],
  [{ kind: OBJECT_KINDS.udpQuiet, lowLow: 0xffff0000, lowHigh: 0x0100007f, port: 53 }, undefined, {
    kind: "peer",
    protocol: "udp",
    address: "127.0.0.1",
    port: 53,
  }],
  [{ kind: OBJECT_KINDS.udpQuiet }, undefined, { kind: "none" }],
  [{ kind: OBJECT_KINDS.device, lowLow: (10 << 20) | 229 }, undefined, { kind: "device", id: "10:229" }],
  [{ kind: 999 }, "x", { kind: "none" }],
];

for (const [key, name, object] of OBJECTS) {
  Deno.test(`toWaitObject() yields ${JSON.stringify(object)} for kind ${key.kind}`, () => {
    assert.deepEqual(toWaitObject(anObject(key), { name, ordinals: new SocketOrdinals() }), object);
  });
}

Deno.test("toWaitObject() knows every kind there is", () => {
  const kinds = Object.values(OBJECT_KINDS).filter((kind) => kind !== OBJECT_KINDS.none);
  const context = { name: undefined, ordinals: new SocketOrdinals() };
  for (const kind of kinds) {
    assert.notEqual(toWaitObject(anObject({ kind, port: 53 }), context).kind, "none", `kind ${kind}`);
  }
});

Deno.test("toWaitObject() never shows where in kernel memory a socket lies, and tells two of them apart", () => {
  const ordinals = new SocketOrdinals();
  const idOf = (key: Partial<ObjectKey>) => {
    const object = toWaitObject(anObject(key), { name: undefined, ordinals });
    return object.kind === "unixPeer" || object.kind === "unixServer" ? object.id : undefined;
  };
  const { unixPeer, unixServer } = OBJECT_KINDS;
  assert.equal(idOf({ kind: unixPeer, lowLow: 0x40, lowHigh: 0xffff8881 }), "#1");
  assert.equal(idOf({ kind: unixPeer, lowLow: 0x80, lowHigh: 0xffff8881 }), "#2");
  assert.equal(idOf({ kind: unixServer, lowLow: 0x40, lowHigh: 0xffff8881 }), "#1");
  assert.equal(idOf({ kind: unixPeer, lowLow: 0, lowHigh: 0x80000000 }), "#3");
  assert.equal(idOf({ kind: unixPeer, lowLow: 0xffffffff, lowHigh: 0x7fffffff }), "9223372036854775807");
});

Deno.test("toWaitClass() yields nothing for a thread that is not blocked, and other for a class of later kernels", () => {
  assert.equal(toWaitClass(0), undefined);
  assert.equal(toWaitClass(1), "network");
  assert.equal(toWaitClass(12), "other");
  assert.equal(toWaitClass(13), "other");
});

Deno.test("toPointerText() keeps the zeros between the halves", () => {
  assert.equal(toPointerText(0, 0), "0x0");
  assert.equal(toPointerText(0xffffffff, 0), "0xffffffff");
  assert.equal(toPointerText(1, 0x7f), "0x7f00000001");
});

Deno.test("isSameObject() is false as soon as one field differs", () => {
  const key = anObject({ kind: 7, port: 1, highLow: 2, highHigh: 3, lowLow: 4, lowHigh: 5 });
  assert.equal(isSameObject(key, { ...key }), true);
  for (const field of ["kind", "port", "highLow", "highHigh", "lowLow", "lowHigh"] as const) {
    assert.equal(isSameObject(key, { ...key, [field]: 99 }), false, field);
  }
});
