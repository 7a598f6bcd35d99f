import { EngineError } from "../../engine/api/errors.ts";
import { assert } from "../../tests/support/assert.ts";
import { schemaProblems } from "../../tests/support/json_schema.ts";
import { renderJson } from "./json_output.ts";
import { judge } from "./judgement.ts";
import { examinationOf, hookOf, probeOf, providerOf } from "./test_examination.ts";
import { renderText } from "./text_output.ts";

const SCHEMA = JSON.parse(await Deno.readTextFile(new URL("../../docs/doctor.schema.json", import.meta.url)));

const LONG_REASON = "invalid indirect access to stack R3 off=-64 size=72 ".repeat(4).trim();

const EXAMINATIONS = {
  "everything works": examinationOf(),
  "a program is refused at length": examinationOf({
    probe: probeOf([
      hookOf("sched_switch", { isEssential: true }),
      hookOf("page_fault", {
        blindFor: "which file a page fault reads from",
        providers: [providerOf("mm_filemap_fault", { verdict: "refused", reason: LONG_REASON })],
      }),
    ]),
  }),
  "there is no library": examinationOf({
    probe: new EngineError("library_missing", "Cannot open libbpf: found none of 6 places, wanted libbpf.so.1"),
    object: { path: "/srv/podtrace.bpf.o", isEmbeddedAvailable: false, sizeBytes: undefined },
  }),
  "the rights are missing": examinationOf({
    kernel: { capabilities: new Set(), lockdown: undefined, isInFirstPidNamespace: false },
    obstacle: new EngineError("capability_missing", "Cannot load BPF programs: CAP_BPF is not in effect, wanted it"),
    environment: {
      btfPath: undefined,
      cgroupLayout: "hybrid",
      cgroupV1Paths: new Map([["cpu", "/sys/fs/cgroup/cpu"], ["memory", "/sys/fs/cgroup/memory"]]),
      lockedMemoryBytesMax: 65_536,
    },
  }),
};

for (const [when, examination] of Object.entries(EXAMINATIONS)) {
  Deno.test(`renderText() keeps to 80 columns when ${when}`, () => {
    const text = renderText(examination, judge(examination));
    assert.deepEqual(text.split("\n").filter((line) => line.length > 80 || line !== line.trimEnd()), []);
    assert.match(text, /^podtrace doctor v\d[^\n]*: this machine can(not)? be traced\n/);
    assert.ok(text.endsWith("\n") && !text.endsWith("\n\n"));
  });

  Deno.test(`renderJson() follows the published schema when ${when}`, () => {
    const text = renderJson(examination, judge(examination));
    assert.deepEqual(schemaProblems(SCHEMA, JSON.parse(text)), []);
  });
}

Deno.test("renderText() says each hook, program, verdict and reason, and what follows", () => {
  const examination = EXAMINATIONS["a program is refused at length"];
  const text = renderText(examination, judge(examination));
  assert.match(text, /^ {2}sched_switch {2}sched_switch {6}used {7}tp_btf$/m);
  assert.match(text, /^ {2}page_fault {4}mm_filemap_fault {2}refused {4}tp_btf\n {18}invalid indirect access/m);
  assert.match(text, /^ {2}time {10}partial, not seen: which file a page fault reads from$/m);
  assert.match(text, /^ {2}1\. a program for page_fault: blind for which file a page fault reads from\n {5}get it: /m);
});

Deno.test("renderText() makes harmless what the machine says of itself", () => {
  const examination = examinationOf({ kernel: { releaseText: "6.1\x1b[31m\u202e" } });
  const text = renderText(examination, judge(examination));
  assert.ok(!text.includes("\x1b") && !text.includes("\u202e"), text);
});

Deno.test("renderJson() bears the contract's fields", () => {
  const document = JSON.parse(renderJson(EXAMINATIONS["everything works"], judge(examinationOf())));
  assert.deepEqual(
    [document.time, document.goarch, document.kernelRelease, document.cgroupBase, document.cgroupV2],
    ["2026-03-01T10:00:00.000Z", "amd64", "6.1.0-18-amd64", "/sys/fs/cgroup", true],
  );
  assert.deepEqual(document.criDetected, "/run/containerd/containerd.sock");
  assert.deepEqual([document.hasTargetCgroupIdMap, document.bpfPrograms], [true, ["sched_switch", "sched_waking"]]);
});
