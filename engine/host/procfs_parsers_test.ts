import { assert } from "../../tests/support/assert.ts";
import {
  parseBootWallMs,
  parseCgroupLines,
  parseCommandLine,
  parseCpuCount,
  parseIo,
  parseLoadAverage,
  parseMappings,
  parseMemoryInfo,
  parseNamespaceLink,
  parseSchedStat,
  parseStat,
  parseStatus,
  parseUptimeMs,
  toCount,
} from "./procfs_parsers.ts";

const STAT_TAIL =
  "S 6494 6494 3041 0 -1 4194304 99 0 0 0 250 75 0 0 20 0 7 0 152082 3133440 375 18446744073709551615 0 0\n";

Deno.test("parseStat() finds the fields whatever the command holds", () => {
  for (const command of ["cat", "a) b (", "x) R 1 1 1 (y", "", "with\nnewline", ") ) )", "(((", "tab\there"]) {
    const stat = parseStat(`6512 (${command}) ${STAT_TAIL}`);
    assert.deepEqual(stat, {
      id: 6512,
      command,
      state: "S",
      parentProcessId: 6494,
      isKernelThread: false,
      userMs: 2500,
      systemMs: 750,
      threadCount: 7,
      startTicks: 152082,
    }, JSON.stringify(command));
  }
});

Deno.test("parseStat() knows a kernel thread by its flag", () => {
  const text = "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 17 0 0\n";
  assert.equal(parseStat(text)?.isKernelThread, true);
});

Deno.test("parseStat() yields undefined for malformed text", () => {
  const malformed = [
    "",
    "6512",
    "6512 (cat",
    "6512 (cat)",
    "6512 (cat) S",
    "(cat) " + STAT_TAIL,
    "6512 cat " + STAT_TAIL,
  ];
  for (const text of [...malformed, `6512 (cat) ${STAT_TAIL.replace("6494", "-")}`, `6512 (cat) S${STAT_TAIL}`]) {
    assert.equal(parseStat(text), undefined, JSON.stringify(text));
  }
});

Deno.test("parseStatus() reads ids of all namespaces and the capabilities", () => {
  const text = "Name:\tsh\nTgid:\t4711\nPid:\t4712\nPPid:\t1\nNSpid:\t4711\t15\t1\nUid:\t0\t33\t34\t35\n" +
    "CapEff:\t000001fffeffffff\n";
  assert.deepEqual(parseStatus(text), {
    name: "sh",
    processId: 4711,
    parentProcessId: 1,
    namespaceIds: [4711, 15, 1],
    effectiveUserId: 33,
    effectiveCapabilities: 0x1fffeffffffn,
  });
});

Deno.test("parseStatus() yields undefined when a line is missing or malformed", () => {
  for (const text of ["", "Name:\tsh\nTgid:\t1\nPPid:\t0\n", "Name:\tsh\nTgid:\tx\nPPid:\t0\nCapEff:\t0\n"]) {
    assert.equal(parseStatus(text), undefined);
  }
});

Deno.test("parseBootWallMs() finds the line among the others", () => {
  assert.equal(parseBootWallMs("cpu  1 2\nintr 5\nbtime 1700000000\nprocesses 4\n"), 1_700_000_000_000);
  assert.equal(parseBootWallMs("cpu  1 2\n"), undefined);
});

Deno.test("parseSchedStat() reads run and wait time", () => {
  assert.deepEqual(parseSchedStat("174757148 10350744 399\n"), { onCpuNs: 174757148, runDelayNs: 10350744 });
  for (const text of ["", "1", "a b c", "-1 2 3"]) assert.equal(parseSchedStat(text), undefined);
});

Deno.test("parseCgroupLines() reads both versions and leaves malformed lines out", () => {
  const text = "12:cpu,cpuacct:/a:b\n3:name=systemd:/x\n0::/kubepods/pod1\nnonsense\n:::\n4:cpu:relative\n\n";
  assert.deepEqual(parseCgroupLines(text), [
    { hierarchyId: 12, controllers: ["cpu", "cpuacct"], path: "/a:b" },
    { hierarchyId: 3, controllers: ["name=systemd"], path: "/x" },
    { hierarchyId: 0, controllers: [], path: "/kubepods/pod1" },
  ]);
});

Deno.test("parseCommandLine() keeps empty arguments and knows none", () => {
  assert.deepEqual(parseCommandLine(""), []);
  assert.deepEqual(parseCommandLine("a\0\0b c\0"), ["a", "", "b c"]);
  assert.deepEqual(parseCommandLine("rewritten title"), ["rewritten title"]);
});

Deno.test("parseMappings() reads files with spaces, special areas and anonymous memory", () => {
  const text = [
    "5654c29a7000-5654c29ad000 r-xp 00002000 fe:00 247278                     /opt/my app (deleted)",
    "7ffd1b1f2000-7ffd1b1f4000 r-xp 00000000 00:00 0                          [vdso]",
    "7f0000000000-7f0000001000 rw-p 00000000 00:00 0 ",
    "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]",
    "not a mapping",
    "7f00-xyz r-xp 0 00:00 0",
  ].join("\n");
  assert.deepEqual(parseMappings(text).map(({ begin, end, fileOffset, path }) => [begin, end, fileOffset, path]), [
    [0x5654c29a7000n, 0x5654c29ad000n, 0x2000n, "/opt/my app (deleted)"],
    [0x7ffd1b1f2000n, 0x7ffd1b1f4000n, 0n, "[vdso]"],
    [0x7f0000000000n, 0x7f0000001000n, 0n, ""],
    [0xffffffffff600000n, 0xffffffffff601000n, 0n, "[vsyscall]"],
  ]);
});

Deno.test("parseIo() wants all four counters", () => {
  const text =
    "rchar: 10\nwchar: 20\nsyscr: 1\nsyscw: 1\nread_bytes: 4096\nwrite_bytes: 8192\ncancelled_write_bytes: 0\n";
  assert.deepEqual(parseIo(text), { readCharCount: 10, writeCharCount: 20, readBytes: 4096, writeBytes: 8192 });
  assert.equal(parseIo(text.replace("read_bytes: 4096\n", "")), undefined);
});

Deno.test("parseMemoryInfo() yields bytes and leaves malformed lines out", () => {
  const figures = parseMemoryInfo("MemTotal:  16 kB\nHugePages_Total:  3\nMemFree: many kB\n");
  assert.deepEqual([...figures], [["MemTotal", 16384], ["HugePages_Total", 3]]);
});

Deno.test("the machine's figures are read or undefined", () => {
  assert.deepEqual(parseLoadAverage("0.52 1.00 12.25 3/160 6498\n"), [0.52, 1, 12.25]);
  assert.equal(parseLoadAverage("much"), undefined);
  assert.equal(parseCpuCount("cpu  1 2 3\ncpu0 1 2\ncpu13 1 2\nintr 5\n"), 2);
  assert.equal(parseCpuCount("cpu  1 2 3\n"), undefined);
  assert.equal(parseUptimeMs("1520.82 2000.00\n"), 1520820);
  assert.equal(parseUptimeMs(""), undefined);
});

Deno.test("parseNamespaceLink() wants the whole form", () => {
  assert.equal(parseNamespaceLink("net:[4026531840]"), 4026531840);
  for (const text of ["net:4026531840", "net:[]", "[1]", "net:[1]x"]) assert.equal(parseNamespaceLink(text), undefined);
});

Deno.test("toCount() wants digits and nothing else", () => {
  assert.equal(toCount("0"), 0);
  assert.equal(toCount("18446744073709551615"), 2 ** 64);
  for (const text of [undefined, "", "-1", "1.5", "0x10", " 1", "1e3", "9".repeat(21)]) {
    assert.equal(toCount(text), undefined);
  }
});
