import { assert } from "../../tests/support/assert.ts";
import {
  combinePressure,
  diffCpuStatistics,
  diffPressure,
  parseCfsQuota,
  parseCgroupMounts,
  parseCpuAccountingMs,
  parseCpuMax,
  parseCpuStatistics,
  parseMountPoints,
  parsePressure,
  pathBelowMount,
} from "./cgroup_parsers.ts";

const HYBRID = `
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
34 31 0:31 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate
`;

Deno.test("parseCgroupMounts() finds the hierarchies of pure, hybrid and old hosts", () => {
  const pure = parseCgroupMounts("30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n");
  assert.deepEqual(pure.v2, { path: "/sys/fs/cgroup", root: "/" });
  assert.equal(pure.controllers.size, 0);

  const hybrid = parseCgroupMounts(HYBRID);
  assert.deepEqual(hybrid.v2, { path: "/sys/fs/cgroup/unified", root: "/" });
  assert.deepEqual([...hybrid.controllers.keys()], ["cpu", "cpuacct"]);
  assert.equal(hybrid.controllers.get("cpuacct")?.path, "/sys/fs/cgroup/cpu,cpuacct");

  const old = parseCgroupMounts(HYBRID.split("\n").filter((line) => !line.includes("cgroup2")).join("\n"));
  assert.equal(old.v2, undefined);
  assert.equal(old.controllers.size, 2);

  const none = parseCgroupMounts("22 1 8:1 / / rw - ext4 /dev/sda1 rw\nmalformed\n1 2 - x\n - cgroup2\n");
  assert.deepEqual(none, { v2: undefined, controllers: new Map() });
});

Deno.test("parseCgroupMounts() takes the mount that shows most, and the first of equals", () => {
  const line = (root: string, path: string) => `30 23 0:26 ${root} ${path} rw - cgroup2 cgroup2 rw\n`;
  const all = line("/", "/host/sys/fs/cgroup");
  assert.equal(parseCgroupMounts(line("/docker/x", "/narrow") + all).v2?.path, "/host/sys/fs/cgroup");
  assert.equal(parseCgroupMounts(all + line("/docker/x", "/narrow")).v2?.path, "/host/sys/fs/cgroup");
  assert.equal(parseCgroupMounts(all + line("/", "/second")).v2?.path, "/host/sys/fs/cgroup");
});

Deno.test("parseMountPoints() undoes the escapes of the mount table", () => {
  const text = "9 1 0:7 / /mnt/with\\040space rw - tracefs tracefs rw\n10 1 0:8 / /proc rw - proc proc rw\n";
  assert.deepEqual(parseMountPoints(text, "tracefs"), ["/mnt/with space"]);
  assert.deepEqual(parseMountPoints(text, "debugfs"), []);
});

Deno.test("pathBelowMount() places a group in a mount of all or of a part", () => {
  const rows: readonly (readonly [string, string, string | undefined])[] = [
    ["/", "/", ""],
    ["/", "/kubepods/pod1", "kubepods/pod1"],
    ["/docker/x", "/docker/x", ""],
    ["/docker/x", "/docker/x/inner", "inner"],
    ["/docker/x", "/docker/xy", undefined],
    ["/docker/x", "/docker", undefined],
    ["/", "/../sibling", undefined], // outside of our cgroup namespace
    ["/../..", "/../../kubepods", "kubepods"], // the host's mount, seen from a cgroup namespace
  ];
  for (const [root, cgroupPath, expected] of rows) {
    assert.equal(pathBelowMount({ path: "/m", root }, cgroupPath), expected, `${root} ${cgroupPath}`);
  }
});

Deno.test("parseCpuMax() yields CPUs, Infinity for no limit, undefined for nonsense", () => {
  assert.equal(parseCpuMax("150000 100000\n"), 1.5);
  assert.equal(parseCpuMax("max 100000\n"), Infinity);
  for (const text of ["", "max", "100000", "-1 100000", "0 100000", "100000 0", "a b", "1 2 3"]) {
    assert.equal(parseCpuMax(text), undefined, text);
  }
});

Deno.test("parseCfsQuota() yields CPUs, Infinity for no limit, undefined for nonsense", () => {
  assert.equal(parseCfsQuota("50000\n", "100000\n"), 0.5);
  assert.equal(parseCfsQuota("-1\n", "100000\n"), Infinity);
  for (const [quota, period] of [["", ""], ["-2", "100000"], ["0", "100000"], ["50000", "0"], ["50000", "x"]]) {
    assert.equal(parseCfsQuota(quota ?? "", period ?? ""), undefined);
  }
});

Deno.test("parseCpuStatistics() reads the units of both versions", () => {
  const v2 = "usage_usec 2500\nuser_usec 1\nsystem_usec 1\nnr_periods 10\nnr_throttled 4\nthrottled_usec 1500\n";
  assert.deepEqual(parseCpuStatistics(v2), {
    usageMs: 2.5,
    periodCount: 10,
    throttledPeriodCount: 4,
    throttledMs: 1.5,
  });
  const v1 = "nr_periods 10\nnr_throttled 4\nthrottled_time 1500000\nnr_bursts 0\nburst_time 0\n";
  assert.deepEqual(parseCpuStatistics(v1), {
    usageMs: undefined,
    periodCount: 10,
    throttledPeriodCount: 4,
    throttledMs: 1.5,
  });
});

Deno.test("parseCpuStatistics() never makes zero out of what is missing or malformed", () => {
  const nothing = {
    usageMs: undefined,
    periodCount: undefined,
    throttledPeriodCount: undefined,
    throttledMs: undefined,
  };
  for (const text of ["", "nr_periods", "nr_periods x", "nr_periods -1", "nr_periods 1 2", "usage_usec 1.5"]) {
    assert.deepEqual(parseCpuStatistics(text), nothing, text);
  }
  assert.equal(parseCpuAccountingMs("2500000\n"), 2.5);
  assert.equal(parseCpuAccountingMs("much"), undefined);
});

Deno.test("parsePressure() reads totals in milliseconds", () => {
  const text =
    "some avg10=0.00 avg60=0.10 avg300=0.22 total=6078638\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=500\n";
  assert.deepEqual(parsePressure(text), { someMs: 6078.638, fullMs: 0.5 });
  assert.deepEqual(parsePressure(text.split("\n")[0] ?? ""), { someMs: 6078.638, fullMs: undefined });
  for (const malformed of ["", "some total=", "some avg10=0.00 total=-1", "awesome avg10=0.00 total=1"]) {
    assert.deepEqual(parsePressure(malformed), { someMs: undefined, fullMs: undefined }, malformed);
  }
});

Deno.test("combinePressure() yields undefined only when all files are silent", () => {
  const silent = { someMs: undefined, fullMs: undefined };
  assert.equal(combinePressure({ cpu: silent, io: silent, memory: silent }), undefined);
  assert.deepEqual(combinePressure({ cpu: { someMs: 1, fullMs: 9 }, io: { someMs: 2, fullMs: 3 }, memory: silent }), {
    cpuSomeMs: 1,
    ioSomeMs: 2,
    ioFullMs: 3,
    memorySomeMs: undefined,
    memoryFullMs: undefined,
  });
});

Deno.test("diffPressure() and diffCpuStatistics() yield what was added, never a negative figure", () => {
  const before = { cpuSomeMs: 10, ioSomeMs: 5, ioFullMs: undefined, memorySomeMs: 0, memoryFullMs: 7 };
  const after = { cpuSomeMs: 12.5, ioSomeMs: 4, ioFullMs: 1, memorySomeMs: 0, memoryFullMs: undefined };
  assert.deepEqual(diffPressure(before, after), {
    cpuSomeMs: 2.5,
    ioSomeMs: undefined,
    ioFullMs: undefined,
    memorySomeMs: 0,
    memoryFullMs: undefined,
  });
  assert.deepEqual(
    diffCpuStatistics(
      { usageMs: 1, periodCount: 2, throttledPeriodCount: 3, throttledMs: undefined },
      { usageMs: 4, periodCount: 2, throttledPeriodCount: 2, throttledMs: 1 },
    ),
    { usageMs: 3, periodCount: 0, throttledPeriodCount: undefined, throttledMs: undefined },
  );
});
