/**
 * Broken and foreign BPF objects, and a machine without libbpf: one clear line,
 * exit code 1, nothing attached.
 *
 * @module
 */

import { assert } from "../support/assert.ts";
import { buildBpfFixture } from "../support/bpf_fixtures.ts";
import { kernelTest } from "../support/kernel.ts";
import { type Answer, leavingNothingBehind, podtraceCommand, run } from "../support/podtrace_process.ts";
import { TRACING_REQUIREMENTS } from "../support/tracing.ts";

const REQUIRES = { requires: TRACING_REQUIREMENTS };

const OBJECTS = new URL("../../dist/bpf/", import.meta.url);
const LOOK = ["diagnose", "--pid", String(Deno.pid), "--duration", "20s"];

function otherArchitecture(): string {
  return Deno.build.arch === "x86_64" ? "aarch64" : "x86_64";
}

function builtObject(architecture: string): Promise<Uint8Array<ArrayBuffer>> {
  return Deno.readFile(new URL(`podtrace.${architecture}.bpf.o`, OBJECTS));
}

function withObject(path: string, argv: readonly string[]): Promise<Answer> {
  return run(["env", `PODTRACE_BPF_OBJECT=${path}`, ...podtraceCommand(argv)]);
}

/** Within the machine number, where every object of ours says BPF. */
function forMachine(object: Uint8Array<ArrayBuffer>, machine: number): Uint8Array<ArrayBuffer> {
  const changed = object.slice();
  new DataView(changed.buffer).setUint16(18, machine, true);
  return changed;
}

kernelTest("a broken or foreign BPF object is refused in one line, and nothing is attached", REQUIRES, async () => {
  const built = await builtObject(Deno.build.arch);
  const files: readonly (readonly [name: string, bytes: Uint8Array<ArrayBuffer>, line: RegExp])[] = [
    ["empty", new Uint8Array(0), /found no ELF header, wanted one built by this version \(/],
    ["text", new TextEncoder().encode("no object at all\n".repeat(100)), /found no ELF header/],
    ["header", built.slice(0, 64), /found \d+ at \d+, wanted at most the input's 64 bytes/],
    ["cut", built.slice(0, built.byteLength / 2), /wanted at most the input's \d+ bytes/],
    ["machine", forMachine(built, 62), /it is an ELF file for machine 62, wanted one for BPF \(247\)/],
    ["other", await builtObject(otherArchitecture()), /it reads the registers of \w+, wanted one built for \w+/],
    ["foreign", await buildBpfFixture("map_zoo"), /its layout is not the one this build decodes \(.*and \d+ more\)/],
  ];
  const folder = await Deno.makeTempDir({ prefix: "podtrace_objects_" });
  try {
    for (const [name, bytes, line] of files) {
      const path = `${folder}/${name}.bpf.o`;
      await Deno.writeFile(path, bytes);
      const answer = await leavingNothingBehind(() => withObject(path, LOOK));
      assert.match(answer.stderr, /^podtrace: Cannot use the BPF object: [^\n]+, wanted [^\n]+\n$/, name);
      assert.match(answer.stderr.trimEnd(), line, name);
      assert.ok(answer.stderr.endsWith(` (PODTRACE_BPF_OBJECT is ${path})\n`), answer.stderr);
      assert.deepEqual([answer.stdout, answer.code], ["", 1], name);
    }
    const answer = await withObject(`${folder}/cut.bpf.o`, ["doctor", "-o", "json"]);
    const findings = JSON.parse(answer.stdout);
    assert.deepEqual([answer.code, findings.canDiagnose, findings.hooks], [1, false, []]);
    assert.match(findings.reason, /^Cannot use the BPF object: .* \(PODTRACE_BPF_OBJECT is .*cut\.bpf\.o\)$/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

kernelTest("an object whose programs are all cut out is refused by name", REQUIRES, async () => {
  // A BPF object of our layout without a program: the sections' names are destroyed, the types are not.
  const built = await builtObject(Deno.build.arch);
  const text = new TextDecoder("latin1").decode(built);
  for (const name of ["tp_btf/", "iter/task"]) {
    for (let at = text.indexOf(`\0${name}`); at >= 0; at = text.indexOf(`\0${name}`, at + 1)) built[at + 1] = 0x78;
  }
  const path = await Deno.makeTempFile({ prefix: "podtrace_object_", suffix: ".bpf.o" });
  try {
    await Deno.writeFile(path, built);
    const answer = await leavingNothingBehind(() => withObject(path, LOOK));
    assert.match(answer.stderr, /^podtrace: Cannot [^\n]+\n$/);
    assert.deepEqual([answer.stdout, answer.code], ["", 1], answer.stderr);
    assert.ok(!answer.stderr.includes("a fault of podtrace"), answer.stderr);
  } finally {
    await Deno.remove(path);
  }
});

kernelTest(
  "without libbpf one line says what to install",
  { requires: [...TRACING_REQUIREMENTS, "root"] },
  async () => {
    // In a mount namespace of its own every libbpf of this machine is an empty file.
    const hide = "for path in /usr/lib/*/libbpf.so.1* /usr/lib64/libbpf.so.1* /usr/local/lib/libbpf.so.1*; do " +
      '[ ! -f "$path" ] || mount --bind /dev/null "$path"; done; exec "$@"';
    const hidden = ["unshare", "--mount", "--propagation", "private", "sh", "-c", hide, "sh"] as const;
    const [program, ...args] = hidden;
    const answer = await leavingNothingBehind(() => run([program, ...args, ...podtraceCommand(LOOK)]));
    assert.match(answer.stderr, /^podtrace: Cannot open libbpf: [^\n]+, wanted libbpf\.so\.1 \(Debian: [^\n]+\)\n$/);
    assert.deepEqual([answer.stdout, answer.code], ["", 1]);

    const doctor = await run([program, ...args, ...podtraceCommand(["doctor"])]);
    assert.equal(doctor.code, 1);
    assert.match(doctor.stdout, /: this machine cannot be traced\n {2}Cannot open libbpf: /);
  },
);
