import { assert } from "../../tests/support/assert.ts";
import type { WaitObject } from "../api/measurements.ts";
import { describeObject, isNamed, objectKey } from "./wait_object.ts";

const TABLE: readonly { object: WaitObject; text: string; named: boolean }[] = [
  { object: { kind: "none" }, text: "(not named)", named: false },
  { object: { kind: "several" }, text: "several descriptors", named: false },
  { object: { kind: "peer", protocol: "tcp", address: "10.0.0.9", port: 80 }, text: "10.0.0.9:80", named: true },
  { object: { kind: "peer", protocol: "udp", address: "10.0.0.9", port: 53 }, text: "10.0.0.9:53 (udp)", named: true },
  { object: { kind: "peer", protocol: "tcp", address: "fd00::1", port: 80 }, text: "[fd00::1]:80", named: true },
  { object: { kind: "server", protocol: "tcp", port: 80 }, text: "clients of tcp port 80", named: true },
  { object: { kind: "unixPeer", id: "7", path: "/run/db" }, text: "unix socket /run/db", named: true },
  { object: { kind: "unixPeer", id: "7", path: undefined }, text: "unix socket 7", named: true },
  { object: { kind: "unixServer", id: "7", path: "/run/db" }, text: "clients of /run/db", named: true },
  { object: { kind: "file", id: "8:1:2", path: "/srv/x" }, text: "/srv/x", named: true },
  { object: { kind: "file", id: "8:1:2", path: undefined }, text: "file 8:1:2", named: false },
  { object: { kind: "pipe", inode: 7 }, text: "pipe 7", named: true },
  { object: { kind: "lock", address: "0x10" }, text: "lock 0x10", named: true },
  { object: { kind: "child", processId: 7 }, text: "child 7", named: true },
  { object: { kind: "child", processId: 0 }, text: "any child", named: true },
  { object: { kind: "anonymous", name: "inotify" }, text: "inotify", named: true },
  { object: { kind: "anonymous", name: undefined }, text: "anonymous descriptor", named: false },
  { object: { kind: "device", id: "1:3" }, text: "device 1:3", named: true },
  { object: { kind: "timer" }, text: "timer", named: true },
];

for (const { object, text, named } of TABLE) {
  Deno.test(`describeObject() calls ${JSON.stringify(object)} ${text}`, () => {
    assert.equal(describeObject(object), text);
    assert.equal(isNamed(object), named);
  });
}

Deno.test("objectKey() tells different objects apart and equal ones not", () => {
  assert.equal(new Set(TABLE.map(({ object }) => objectKey(object))).size, TABLE.length - 2); // 2 differ in path only
  for (const { object } of TABLE) assert.equal(objectKey(object), objectKey({ ...object }));
});
