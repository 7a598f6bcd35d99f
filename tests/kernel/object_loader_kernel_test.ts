import { attachBpfObject, type HookPlan } from "../../engine/backend/object_loader.ts";
import { EngineError } from "../../engine/api/errors.ts";
import { type Libbpf, openLibbpf } from "../../engine/ffi/libbpf.ts";
import { openLibc } from "../../engine/ffi/libc.ts";
import { OwnerBooks } from "../../engine/ffi/owners.ts";
import { WaitSet } from "../../engine/ffi/wait_set.ts";
import { assert } from "../support/assert.ts";
import { buildBpfFixture } from "../support/bpf_fixtures.ts";
import { kernelTest } from "../support/kernel.ts";

const REQUIRES = { requires: ["clang", "bpf_capability", "btf"] } as const;

/** Runs `use` with libbpf and the object of programs a kernel refuses, and fails on anything left open. */
async function withMixedObject(
  use: (library: Libbpf, bytes: Uint8Array<ArrayBuffer>) => void | Promise<void>,
): Promise<void> {
  const bytes = await buildBpfFixture("mixed_providers");
  const books = new OwnerBooks();
  {
    using libc = openLibc({ registry: books.registry });
    using library = openLibbpf(libc);

    await use(library, bytes);
  }
  books.assertEmpty();
}

kernelTest(
  "attachBpfObject() falls through providers that the kernel refuses, each in its own way",
  REQUIRES,
  () =>
    withMixedObject((library, bytes) => {
      const hooks: readonly HookPlan[] = [
        { hook: "switch", providers: ["no_attach_point", "unverifiable", "unattachable", "takes"] },
        { hook: "future", providers: ["needs_the_future"] },
        { hook: "request", providers: ["on_request"], isAttached: false },
      ];
      using attached = attachBpfObject(library, bytes, { name: "mixed", hooks });

      assert.deepEqual([...attached.providers], [["switch", "takes"], ["request", "on_request"]]);
      assert.deepEqual([...attached.links.keys()], ["switch"]);
      assert.deepEqual(attached.missingMaps.map(({ map }) => map), ["from_the_future"]);
      const rejected = new Map(attached.rejected.map((rejection) => [rejection.program, rejection]));
      assert.deepEqual([...rejected.keys()].sort(), [
        "needs_the_future",
        "no_attach_point",
        "unattachable",
        "unverifiable",
      ]);
      assert.partialDeepStrictEqual(rejected.get("unverifiable"), {
        stage: "load",
        errnoName: "EACCES",
        hook: "switch",
      });
      assert.match(rejected.get("unverifiable")?.summary ?? "", /invalid bpf_context access off=800/);
      assert.match(rejected.get("unverifiable")?.log ?? "", /processed \d+ insns/);
      assert.match(rejected.get("needs_the_future")?.summary ?? "", /from_the_future/);
      assert.equal(rejected.get("unattachable")?.stage, "attach");
      assert.equal(rejected.get("no_attach_point")?.log, "");
    }),
);

kernelTest(
  "attachBpfObject() counts while attached, and after detach() its maps stay and stand still",
  REQUIRES,
  () =>
    withMixedObject(async (library, bytes) => {
      using attached = attachBpfObject(library, bytes, {
        name: "mixed",
        hooks: [{ hook: "switch", providers: ["takes"] }],
      });
      await using waits = new WaitSet(library.libc);

      const hits = attached.object.map("hits");
      const read = () =>
        new DataView((hits.lookup(new Uint8Array(4)) ?? new Uint8Array(8)).buffer).getBigUint64(0, true);
      // Waiting takes a thread off its CPU and back: two switches at least.
      const switchOnce = () => waits.wait({ timeoutMs: 1, signal: new AbortController().signal });
      await switchOnce();
      const whileAttached = read();
      attached.detach();
      await switchOnce();
      const afterDetach = read();
      await switchOnce();
      assert.ok(whileAttached >= 1n && afterDetach >= whileAttached);
      assert.equal(read(), afterDetach);
    }),
);

kernelTest(
  "attachBpfObject() leaves nothing behind when every hook is refused",
  REQUIRES,
  () =>
    withMixedObject((library, bytes) => {
      const hooks: readonly HookPlan[] = [{ hook: "switch", providers: ["no_attach_point", "unverifiable"] }];
      assert.throws(
        () => attachBpfObject(library, bytes, { name: "mixed", hooks }),
        (error) =>
          error instanceof EngineError && error.code === "object_rejected" && /unverifiable/.test(error.message),
      );
    }),
);

/** Attaches with some capabilities taken away for good, which only another process can. */
async function attachWithout(capabilities: string): Promise<string> {
  const script = new URL("../support/attach_program.ts", import.meta.url).pathname;
  const bytes = await buildBpfFixture("mixed_providers");
  const path = await Deno.makeTempFile({ prefix: "podtrace-bpf-" });
  try {
    await Deno.writeFile(path, bytes);
    const command = new Deno.Command("setpriv", {
      args: ["--inh-caps=-all", `--bounding-set=${capabilities}`, Deno.execPath(), "run", "-A", script, path],
      stdin: "null",
    });
    return new TextDecoder().decode((await command.output()).stdout).trim();
  } finally {
    await Deno.remove(path);
  }
}

kernelTest("attachBpfObject() names the capability that is missing", REQUIRES, async () => {
  const rows: readonly (readonly [string, RegExp])[] = [
    ["-bpf,-sys_admin", /^capability_missing: Cannot load BPF programs: CAP_BPF is missing/],
    ["-perfmon,-sys_admin", /^capability_missing: Cannot load BPF programs: CAP_PERFMON is missing/],
    ["-sys_admin", /^attached takes$/],
  ];
  for (const [capabilities, expected] of rows) assert.match(await attachWithout(capabilities), expected);
});
