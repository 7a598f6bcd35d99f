import { assert } from "../../../tests/support/assert.ts";
import { candidatePaths, NEEDS } from "./needs.ts";
import { type MachineFacts, planSetup, readDistribution, readTracefs } from "./plan.ts";

function factsWith(overrides: Partial<MachineFacts>): MachineFacts {
  return {
    distributionName: "Debian GNU/Linux 12 (bookworm)",
    isDebianLike: true,
    isRoot: true,
    missing: [],
    tracefs: "mounted",
    ...overrides,
  };
}

const needOf = (name: string) => {
  const need = NEEDS.find((candidate) => candidate.name === name);
  assert.ok(need, `no need is called ${name}`);
  return need;
};

const HEADERS_AND_CLANG = [needOf("clang"), needOf("bpf/bpf_helpers.h")];

const WORLDS: readonly [string, Partial<MachineFacts>, readonly (string | RegExp)[]][] = [
  ["everything is there", {}, [/every package is there/, /tracefs is mounted/, "generate"]],
  ["packages are missing and may be installed", { missing: HEADERS_AND_CLANG }, ["install", /tracefs/, "generate"]],
  ["tracefs is not mounted", { tracefs: "unmounted" }, [/every/, "mount_tracefs", "generate"]],
  ["tracefs is unknown to the kernel", { tracefs: "unsupported" }, [/every/, /this kernel has none/, "generate"]],
  [
    "nothing may be installed for want of root",
    { isRoot: false, missing: HEADERS_AND_CLANG, tracefs: "unmounted" },
    [
      /Cannot find clang, bpf\/bpf_helpers\.h: as root, run: apt-get install .* clang libbpf-dev$/,
      /as root, run: mount -t tracefs/,
      /Cannot generate: clang, bpf\/bpf_helpers\.h/,
    ],
  ],
  [
    "the distribution is another one",
    { isDebianLike: false, distributionName: "Fedora Linux 40", missing: [needOf("clang")] },
    [/package manager of Fedora Linux 40 \(Debian's packages are clang\)/, /tracefs is mounted/, /Cannot generate/],
  ],
  [
    "only what tests use is missing and cannot be had",
    { isRoot: false, missing: [needOf("bpftool"), needOf("libbpf.so.1")] },
    [/Cannot find bpftool, libbpf\.so\.1/, /tracefs is mounted/, "generate"],
  ],
];

for (const [when, overrides, expected] of WORLDS) {
  Deno.test(`planSetup() says every step when ${when}`, () => {
    const steps = planSetup(factsWith(overrides), { generate: true });
    assert.equal(steps.length, expected.length);
    for (const [index, step] of steps.entries()) {
      const wanted = expected[index];
      if (wanted instanceof RegExp) assert.match(step.kind === "say" ? step.text : step.kind, wanted);
      else assert.equal(step.kind, wanted);
    }
  });
}

Deno.test("planSetup() names each package once when two needs share it", () => {
  const shared = { ...needOf("clang"), name: "clang++" };
  const [step] = planSetup(factsWith({ missing: [needOf("clang"), shared] }), { generate: false });
  assert.deepEqual(step, { kind: "install", packages: ["clang"] });
});

Deno.test("planSetup() leaves generating out when it is not asked for", () => {
  const kinds = planSetup(factsWith({}), { generate: false }).map((step) => step.kind);
  assert.deepEqual(kinds, ["say", "say"]);
});

Deno.test("readDistribution() knows Debian, its relatives and the others", () => {
  const rows: [string, string, boolean][] = [
    ['PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n', "Debian GNU/Linux 12 (bookworm)", true],
    ['NAME="Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\n', "linuxmint", true],
    ['PRETTY_NAME="Fedora Linux 40"\nID=fedora\n', "Fedora Linux 40", false],
    ["", "this distribution", false],
  ];
  for (const [osRelease, distributionName, isDebianLike] of rows) {
    assert.deepEqual(readDistribution(osRelease), { distributionName, isDebianLike });
  }
});

Deno.test("readTracefs() wants it at its own place, not below debugfs", () => {
  const known = "nodev\ttracefs\n";
  const mountedAt = (place: string) => `31 20 0:12 / ${place} rw shared:7 - tracefs tracefs rw\n`;
  assert.equal(readTracefs(known, mountedAt("/sys/kernel/tracing")), "mounted");
  assert.equal(readTracefs(known, mountedAt("/sys/kernel/debug/tracing")), "unmounted");
  assert.equal(readTracefs("nodev\tsysfs\n", ""), "unsupported");
});

Deno.test("candidatePaths() looks where each kind of file lies", () => {
  const machine = { pathVariable: "/opt/bin::/usr/bin", arch: "aarch64" };
  const commands = candidatePaths(needOf("bpftool"), machine);
  assert.equal(commands[0], "/opt/bin/bpftool");
  assert.ok(commands.includes("/usr/sbin/bpftool"));
  assert.equal(commands.filter((path) => path === "/usr/bin/bpftool").length, 1);
  assert.ok(candidatePaths(needOf("libbpf.so.1"), machine).includes("/usr/lib/aarch64-linux-gnu/libbpf.so.1"));
  assert.equal(candidatePaths(needOf("linux/bpf.h"), machine)[0], "/usr/include/linux/bpf.h");
});
