import { assert } from "../../tests/support/assert.ts";
import { makeTree } from "../../tests/support/host_tree.ts";
import { parseBytes, parseFlatKeyed, readGroupIo, readGroupMemory, readGroupTasks } from "./cgroup_resources.ts";

const MIB = 1024 * 1024;

Deno.test("readGroupMemory() yields the v2 group that is nearest to its limit", () => {
  using tree = makeTree({
    "pod/memory.max": `${100 * MIB}\n`,
    "pod/memory.high": "max\n",
    "pod/memory.current": `${95 * MIB}\n`,
    "pod/memory.peak": `${99 * MIB}\n`,
    "pod/memory.events": "low 0\nhigh 3\nmax 40\noom 2\noom_kill 1\noom_group_kill 0\n",
    "pod/memory.stat": "anon 1000\nfile 5\nshmem 24\n",
    "pod/memory.swap.current": "7\n",
    "pod/leaf/memory.max": `${50 * MIB}\n`,
    "pod/leaf/memory.current": `${10 * MIB}\n`,
  });
  const directories = [`${tree.path}/pod/leaf`, `${tree.path}/pod`];
  assert.deepEqual(readGroupMemory({ version: 2, directories }), {
    path: `${tree.path}/pod`,
    limitBytes: 100 * MIB,
    highBytes: undefined,
    usageBytes: 95 * MIB,
    peakBytes: 99 * MIB,
    anonymousBytes: 1024,
    swapBytes: 7,
    highEventCount: 3,
    maxEventCount: 40,
    oomEventCount: 2,
    oomKillCount: 1,
  });
});

Deno.test("readGroupMemory() reads v1, where no limit is a large number", () => {
  using tree = makeTree({
    "box/memory.limit_in_bytes": "9223372036854771712\n",
    "box/memory.usage_in_bytes": "4096\n",
    "box/memory.max_usage_in_bytes": "8192\n",
    "box/memory.failcnt": "12\n",
    "box/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
    "box/memory.stat": "rss 1\ntotal_rss 100\ntotal_shmem 11\ntotal_swap 5\n",
  });
  assert.deepEqual(readGroupMemory({ version: 1, directories: [`${tree.path}/box`] }), {
    path: `${tree.path}/box`,
    limitBytes: undefined,
    highBytes: undefined,
    usageBytes: 4096,
    peakBytes: 8192,
    anonymousBytes: 111,
    swapBytes: 5,
    highEventCount: undefined,
    maxEventCount: 12,
    oomEventCount: undefined,
    oomKillCount: 3,
  });
});

Deno.test("readGroupMemory() and readGroupIo() yield nothing where no controller is", () => {
  using tree = makeTree({ "pod/cgroup.procs": "" });
  for (const version of [1, 2] as const) {
    const chain = { version, directories: [`${tree.path}/pod`] };
    assert.equal(readGroupMemory(chain), undefined);
    assert.equal(readGroupIo(chain), undefined);
    assert.equal(readGroupIo({ version, directories: [] }), undefined);
  }
});

Deno.test("readGroupIo() yields what v2 devices moved, and the limits of every level", () => {
  using tree = makeTree({
    "pod/io.max": "8:0 rbps=1000 wbps=max riops=max wiops=50\n",
    "pod/leaf/io.max": "8:0 rbps=2000 wbps=300 riops=max wiops=max\n",
    "pod/leaf/io.stat": "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n252:1 \nnonsense\n",
  });
  assert.deepEqual(readGroupIo({ version: 2, directories: [`${tree.path}/pod/leaf`, `${tree.path}/pod`] }), {
    devices: [
      { device: "8:0", readBytes: 1, writeBytes: 2, readOperationCount: 3, writeOperationCount: 4 },
      { device: "252:1", readBytes: 0, writeBytes: 0, readOperationCount: 0, writeOperationCount: 0 },
    ],
    limits: [{
      path: `${tree.path}/pod/leaf`,
      device: "8:0",
      readBytesPerSecond: 2000,
      writeBytesPerSecond: 300,
      readOperationsPerSecond: undefined,
      writeOperationsPerSecond: undefined,
    }, {
      path: `${tree.path}/pod`,
      device: "8:0",
      readBytesPerSecond: 1000,
      writeBytesPerSecond: undefined,
      readOperationsPerSecond: undefined,
      writeOperationsPerSecond: 50,
    }],
  });
});

Deno.test("readGroupIo() reads v1", () => {
  using tree = makeTree({
    "box/blkio.throttle.io_service_bytes_recursive": "8:0 Read 10\n8:0 Write 20\n8:0 Sync 30\n8:0 Total 30\nTotal 30\n",
    "box/blkio.throttle.io_serviced_recursive": "8:0 Read 1\n8:0 Write 2\n8:0 Total 3\nTotal 3\n",
    "box/blkio.throttle.write_bps_device": "8:0 1048576\n",
    "box/blkio.throttle.read_iops_device": "8:0 9\n",
  });
  assert.deepEqual(readGroupIo({ version: 1, directories: [`${tree.path}/box`] }), {
    devices: [{ device: "8:0", readBytes: 10, writeBytes: 20, readOperationCount: 1, writeOperationCount: 2 }],
    limits: [{
      path: `${tree.path}/box`,
      device: "8:0",
      readBytesPerSecond: undefined,
      writeBytesPerSecond: MIB,
      readOperationsPerSecond: 9,
      writeOperationsPerSecond: undefined,
    }],
  });
});

Deno.test("readGroupTasks() yields the group that is nearest to its limit, and nothing where no controller is", () => {
  using tree = makeTree({
    "pod/pids.max": "100\n",
    "pod/pids.current": "95\n",
    "pod/leaf/pids.max": "max\n",
    "pod/leaf/pids.current": "10\n",
    "other/cgroup.procs": "",
  });
  const directories = [`${tree.path}/pod/leaf`, `${tree.path}/pod`];
  const nearest = { path: `${tree.path}/pod`, usageCount: 95, limitCount: 100 };
  assert.deepEqual(readGroupTasks({ version: 2, directories }), nearest);
  const [leaf = ""] = directories;
  const unlimited = { path: leaf, usageCount: 10, limitCount: undefined };
  assert.deepEqual(readGroupTasks({ version: 2, directories: [leaf] }), unlimited);
  assert.equal(readGroupTasks({ version: 1, directories: [`${tree.path}/other`] }), undefined);
});

Deno.test("parseBytes() and parseFlatKeyed() take what is malformed for nothing", () => {
  assert.deepEqual(["12\n", "max\n", "-1", "", "12 13"].map(parseBytes), [
    12,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  assert.deepEqual([...parseFlatKeyed("a 1\nb\nc 2 3\nd x\n e 5 \n")], [["a", 1], ["e", 5]]);
});
