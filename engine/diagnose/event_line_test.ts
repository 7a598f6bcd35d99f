import { assert } from "../../tests/support/assert.ts";
import { EVENT_KINDS, type FileEvent, type TraceEvent, type WaitEvent } from "../api/events.ts";
import type { FilterCategory } from "../api/filter.ts";
import { WAIT_CLASSES, type WaitClass } from "../api/measurements.ts";
import { toTargetId } from "../api/units.ts";
import { categoryOfEvent, timeOfEvent, toEventJson, toEventLine } from "./event_line.ts";

const targetId = toTargetId("pid:4711");
const PEER = { kind: "peer", protocol: "tcp", address: "10.0.0.9", port: 5432 } as const;
const FILE = { kind: "file", id: "8:1:42", path: "/srv/data.bin" } as const;

/** 14:03:17.512 on the day the unix clock began, of an event at 1000 ms. */
const OPTIONS = { wallOffsetMs: 14 * 3_600_000 + 3 * 60_000 + 16_512 };

function aWait(overrides: Partial<WaitEvent> = {}): WaitEvent {
  return {
    kind: "wait",
    targetId,
    endMs: 1000,
    durationMs: 35.123,
    processId: 4711,
    threadId: 4712,
    waitClass: "network",
    systemCall: "recvfrom",
    object: PEER,
    wakerThreadId: 0,
    ...overrides,
  };
}

function aFile(overrides: Partial<FileEvent>): FileEvent {
  return {
    kind: "file",
    targetId,
    endMs: 1000,
    durationMs: 12.5,
    processId: 4711,
    threadId: 4711,
    operation: "read",
    systemCall: undefined,
    object: FILE,
    errno: 0,
    byteCount: 0,
    ...overrides,
  };
}

const SOCKET = { targetId, atMs: 1000, processId: 4711, endpoint: PEER };

/** Every kind of event, and what of its line follows the time. */
const TABLE: readonly (readonly [TraceEvent, string])[] = [
  [aWait(), "[NET] recvfrom() on 10.0.0.9:5432 took 35.12ms  pid 4711 tid 4712"],
  [
    aWait({ waitClass: "diskRead", systemCall: "read", object: FILE, threadId: 4711 }),
    "[FS] read() from /srv/data.bin took 35.12ms  pid 4711",
  ],
  [
    aWait({ waitClass: "diskWrite", systemCall: "fsync", object: FILE }),
    "[FS] fsync() to /srv/data.bin took 35.12ms  pid 4711 tid 4712",
  ],
  [
    aWait({ waitClass: "lock", systemCall: "futex", object: { kind: "lock", address: "0x7f3a10c0" } }),
    "[LOCK] contention on lock 0x7f3a10c0 (35.12ms)  pid 4711 tid 4712",
  ],
  [
    aWait({ waitClass: "pageFault", systemCall: undefined, object: FILE }),
    "[MEM] Page fault on /srv/data.bin took 35.12ms  pid 4711 tid 4712",
  ],
  [
    aWait({ waitClass: "child", systemCall: "wait4", object: { kind: "child", processId: 0 } }),
    "[PROC] wait4() waited 35.12ms for any child  pid 4711 tid 4712",
  ],
  [
    aWait({ waitClass: "sleep", systemCall: "clock_nanosleep", object: { kind: "none" } }),
    "[CPU] thread blocked in clock_nanosleep() (35.12ms)  pid 4711 tid 4712",
  ],
  [
    aWait({ waitClass: "stopped", systemCall: undefined, object: { kind: "none" } }),
    "[CPU] thread stopped (35.12ms)  pid 4711 tid 4712",
  ],
  [
    {
      kind: "fork",
      targetId,
      atMs: 1000,
      parentProcessId: 4711,
      parentThreadId: 4711,
      childProcessId: 4800,
      childThreadId: 4800,
      command: "worker",
    },
    "[PROC] fork created pid 4800 (worker)  pid 4711",
  ],
  [
    {
      kind: "exec",
      targetId,
      atMs: 1000,
      processId: 4711,
      command: "true",
      path: "/bin/true",
      argumentList: ["/bin/true", "--token=***"],
      isArgumentListCut: true,
    },
    "[PROC] execve /bin/true --token=*** ... (true)  pid 4711",
  ],
  [
    {
      kind: "exec",
      targetId,
      atMs: 1000,
      processId: 4711,
      command: "true",
      path: "/bin/true",
      argumentList: [],
      isArgumentListCut: false,
    },
    "[PROC] execve /bin/true (true)  pid 4711",
  ],
  [
    {
      kind: "oomKill",
      targetId,
      atMs: 1000,
      processId: 4711,
      command: "hog",
      memory: { virtualBytes: 1 << 30, anonymousBytes: 60 << 20, fileBytes: 3 << 20, sharedBytes: 1 << 20 },
    },
    "[MEM] OOM kill: hog (64.00 MB)  pid 4711",
  ],
  [aFile({ operation: "open", errno: 2 }), "[FS] open() /srv/data.bin failed: error -2 (ENOENT) (12.50ms)  pid 4711"],
  [aFile({ operation: "write", byteCount: 4096 }), "[FS] write() to /srv/data.bin took 12.50ms (4096 bytes)  pid 4711"],
  [
    aFile({ operation: "exec", errno: 13 }),
    "[PROC] execve /srv/data.bin failed: error -13 (EACCES) (12.50ms)  pid 4711",
  ],
  [
    aWait({ waitClass: "pipe", systemCall: "read", object: { kind: "pipe", inode: 7 }, threadId: 4711 }),
    "[FS] read() on pipe 7 took 35.12ms  pid 4711",
  ],
  [
    {
      ...SOCKET,
      kind: "transferFailure",
      direction: "receive",
      error: "ECONNRESET",
      endpoint: { kind: "unixPeer", id: "7", path: "/run/db" },
    },
    "[NET] unix recv from unix socket /run/db error: -104 (ECONNRESET)  pid 4711",
  ],
  [aFile({ operation: "sync", systemCall: "fdatasync" }), "[FS] fdatasync() to /srv/data.bin took 12.50ms  pid 4711"],
  [
    {
      kind: "exit",
      targetId,
      atMs: 1000,
      processId: 4711,
      threadId: 4711,
      parentProcessId: 1,
      command: "shop",
      exitCode: 0,
      signal: 9,
      processEnded: true,
      isOomVictim: false,
    },
    "[PROC] process shop was ended by signal 9  pid 4711",
  ],
  [
    { ...SOCKET, kind: "connect", durationMs: 12.5, error: undefined },
    "[NET] connect to 10.0.0.9:5432 took 12.50ms  pid 4711",
  ],
  [
    { ...SOCKET, kind: "connect", durationMs: 0.1, error: "ECONNREFUSED" },
    "[NET] connect to 10.0.0.9:5432 failed: error -111 (ECONNREFUSED) (0.10ms)  pid 4711",
  ],
  [
    { ...SOCKET, kind: "accept", endpoint: { kind: "server", protocol: "tcp", port: 80 } },
    "[NET] accept from clients of tcp port 80  pid 4711",
  ],
  [
    { ...SOCKET, kind: "close", durationMs: 2000, sentBytes: 512, receivedBytes: 2048 },
    "[NET] close of 10.0.0.9:5432 after 2000.00ms, sent 512 B, received 2.00 KB  pid 4711",
  ],
  [
    { ...SOCKET, kind: "transferFailure", direction: "send", error: "EPIPE" },
    "[NET] TCP send to 10.0.0.9:5432 error: -32 (EPIPE)  pid 4711",
  ],
  [{ ...SOCKET, kind: "response", durationMs: 250 }, "[NET] response from 10.0.0.9:5432 took 250.00ms  pid 4711"],
  [{ ...SOCKET, kind: "retransmit" }, "[NET] TCP retransmission detected for 10.0.0.9:5432  pid 4711"],
];

Deno.test("toEventLine() tells every kind of event in one line that begins with its time and category", () => {
  for (const [event, expected] of TABLE) assert.equal(toEventLine(event, OPTIONS), `14:03:17.512 ${expected}`);
  const told = new Set(TABLE.map(([event]) => event.kind));
  assert.deepEqual([...told].sort(), Object.keys(EVENT_KINDS).sort(), "a kind without a row here");
});

Deno.test("categoryOfEvent() has a category for every class of wait", () => {
  const expected: Readonly<Record<WaitClass, FilterCategory>> = {
    network: "net",
    diskRead: "fs",
    diskWrite: "fs",
    lock: "lock",
    idle: "time",
    sleep: "time",
    pipe: "time",
    child: "proc",
    pageFault: "mem",
    stopped: "time",
    parked: "time",
    other: "time",
  };
  for (const waitClass of Object.keys(WAIT_CLASSES) as WaitClass[]) {
    assert.equal(categoryOfEvent(aWait({ waitClass })), expected[waitClass], waitClass);
  }
});

Deno.test("incident 7: a name cannot steer the terminal from a line, nor end it", () => {
  const path = "/tmp/\x1b[2J\n\u202eevil";
  const event = aWait({ object: { kind: "file", id: "1:1:1", path }, waitClass: "diskRead" });
  const line = toEventLine(event, OPTIONS);
  assert.ok(!/[\x00-\x1f\u202e]/.test(line), line);
  assert.equal(toEventJson(event, OPTIONS).split("\n").length, 1);
});

Deno.test("toEventJson() keeps the event's own fields and says when on the wall's clock", () => {
  for (const [event] of TABLE) {
    const line = JSON.parse(toEventJson(event, OPTIONS));
    assert.deepEqual(
      [line.type, line.time, line.category, line.kind],
      ["event", "1970-01-01T14:03:17.512Z", categoryOfEvent(event), event.kind],
    );
    assert.deepEqual([line.endMs, line.atMs, line.targetId], [undefined, undefined, targetId]);
    assert.equal(timeOfEvent(event), 1000);
  }
  const { object, durationMs } = JSON.parse(toEventJson(aWait(), OPTIONS));
  assert.deepEqual([object, durationMs], [PEER, 35.123]);
});
