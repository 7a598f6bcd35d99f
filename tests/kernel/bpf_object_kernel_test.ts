import { type BpfMap, isMapFull, MAP_TYPE, MAP_UPDATE } from "../../engine/ffi/bpf_map.ts";
import { BpfObject, decodeProgramInfo, readIterator } from "../../engine/ffi/bpf_object.ts";
import { ForeignCallError } from "../../engine/ffi/errors.ts";
import { type Libbpf, openLibbpf } from "../../engine/ffi/libbpf.ts";
import { openLibc } from "../../engine/ffi/libc.ts";
import { OwnerBooks } from "../../engine/ffi/owners.ts";
import { assert } from "../support/assert.ts";
import { buildBpfFixture } from "../support/bpf_fixtures.ts";
import { kernelTest } from "../support/kernel.ts";

const REQUIRES = { requires: ["clang", "bpf_capability", "btf"] } as const;

interface Zoo {
  readonly library: Libbpf;
  readonly object: BpfObject;
}

/** Runs `use` with the object of all map kinds, loaded, and fails on anything left open. */
async function withZoo(use: (zoo: Zoo) => void, options: { before?: (object: BpfObject) => void } = {}): Promise<void> {
  const bytes = await buildBpfFixture("map_zoo");
  const books = new OwnerBooks();
  {
    using libc = openLibc({ registry: books.registry });
    using library = openLibbpf(libc);
    using object = BpfObject.open(library, bytes, { name: "map_zoo" });

    options.before?.(object);
    object.load();
    use({ library, object });
  }
  books.assertEmpty();
}

function words(...values: readonly number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Uint32Array(values).buffer);
}

/** All entries of a map of u32 keys and values, by batches of `batchCount`. */
function readAll(map: BpfMap, batchCount: number): ReadonlyMap<number, number> {
  const entries = new Map<number, number>();
  map.lookupBatch((keys, values, count) => {
    for (let index = 0; index < count; index++) {
      const key = keys.getUint32(index * map.keyBytes, true);
      assert.equal(entries.has(key), false, `key ${key} twice`);
      entries.set(key, values.getUint32(index * map.entryValueBytes, true));
    }
  }, { batchCount });
  return entries;
}

kernelTest("BpfObject lists programs and maps before it is loaded", REQUIRES, async () => {
  const bytes = await buildBpfFixture("map_zoo");
  using libc = openLibc();
  using library = openLibbpf(libc);
  using object = BpfObject.open(library, bytes, { name: "map_zoo" });

  assert.deepEqual(object.programs.map(({ name, section }) => `${section} ${name}`), [
    "iter/task list_tasks",
    "syscall add",
  ]);
  assert.deepEqual(object.mapNames().slice(0, 5), ["plain", "crowded", "per_cpu", "row", "stacks"]);
  assert.equal(object.program("add").fd, -1);
  assert.equal(object.findMap("plain"), undefined);
  assert.throws(() => object.map("plain"), ForeignCallError);
  assert.throws(() => object.program("none"), { errnoName: "ENOENT" });
  assert.throws(() => object.setMapMaxEntries("none", 1), { errnoName: "ENOENT" });
});

kernelTest("BpfObject.open() refuses bytes that are no object", REQUIRES, () => {
  using libc = openLibc();
  using library = openLibbpf(libc);

  const open = () => BpfObject.open(library, new Uint8Array(100), { name: "nothing" });
  assert.throws(open, (error) => error instanceof ForeignCallError && error.symbol === "bpf_object__open_mem");
});

kernelTest("BpfObject cannot be used once disposed", REQUIRES, async () => {
  const bytes = await buildBpfFixture("map_zoo");
  using libc = openLibc();
  using library = openLibbpf(libc);
  const object = BpfObject.open(library, bytes, { name: "map_zoo" });
  object[Symbol.dispose]();
  object[Symbol.dispose]();
  assert.throws(() => object.load(), TypeError);
  assert.throws(() => object.map("plain"), TypeError);
});

kernelTest(
  "BpfObject sizes maps, leaves maps and programs out, before it is loaded",
  REQUIRES,
  () =>
    withZoo(({ object }) => {
      assert.equal(object.map("plain").maxEntries, 3);
      assert.equal(object.findMap("crowded"), undefined);
      assert.equal(object.program("list_tasks").fd, -1);
      assert.ok(object.program("add").fd >= 0);
    }, {
      before: (object) => {
        object.setMapMaxEntries("plain", 3);
        object.setMapAutocreate("crowded", false);
        object.setAutoload("list_tasks", false);
      },
    }),
);

kernelTest("BpfProgram.testRun() hands its context in and back", REQUIRES, () =>
  withZoo(({ object }) => {
    const context = words(40, 2, 0);
    assert.equal(object.program("add").testRun({ context }).returnValue, 7);
    assert.deepEqual([...new Uint32Array(context.buffer)], [40, 2, 42]);
  }));

kernelTest(
  "readIterator() yields every task, this one among them, as often as the constant says",
  REQUIRES,
  () =>
    withZoo(({ library, object }) => {
      using link = object.program("list_tasks").attachIterator();

      const output = readIterator(library, link);
      const view = new DataView(output.buffer, output.byteOffset, output.byteLength);
      assert.equal(output.byteLength % 8, 0);
      const own: number[] = [];
      for (let at = 0; at < output.byteLength; at += 8) {
        if (view.getUint32(at + 4, true) === Deno.pid) own.push(view.getUint32(at, true));
      }
      assert.equal(own.filter((threadId) => threadId === Deno.pid).length, 3);
      assert.equal(readIterator(library, link).byteLength > 0, true);
    }, {
      before: (object) => {
        const rodata = object.mapNames().find((name) => name.endsWith(".rodata"));
        assert.ok(rodata);
        object.setInitialValue(rodata, words(3));
      },
    }),
);

kernelTest("BpfProgram.info() says what bpftool says", REQUIRES, () =>
  withZoo(({ library, object }) => {
    const program = object.program("add");
    {
      using _statistics = library.enableRunTimeStats();

      program.testRun({ context: words(1, 2, 3) });
    }
    const info = program.info();
    const { stdout } = new Deno.Command("bpftool", { args: ["-j", "prog", "show", "id", String(info.id)] })
      .outputSync();
    const shown = JSON.parse(new TextDecoder().decode(stdout));
    assert.equal(shown.name, "add");
    assert.equal(shown.bytes_jited, info.jitedBytes);
    assert.equal(BigInt(shown.run_time_ns ?? 0), info.runTimeNs);
    assert.equal(BigInt(shown.run_cnt ?? 0), info.runCount);
    assert.equal(info.type, 31); // BPF_PROG_TYPE_SYSCALL
    assert.equal(info.recursionMissCount, 0n);
    assert.ok((info.verifiedInstructionCount ?? 0) > 0);
  }));

Deno.test("decodeProgramInfo() leaves out what an older kernel does not fill", () => {
  const info = new DataView(new ArrayBuffer(232));
  info.setUint32(4, 77, true);
  info.setBigUint64(40, 1_500_000n, true);
  info.setBigUint64(192, 9n, true);
  info.setBigUint64(208, 3n, true);
  info.setUint32(216, 5, true);
  const [kernel56, kernel515, kernel618] = [208, 216, 232].map((filledBytes) => decodeProgramInfo(info, filledBytes));
  assert.partialDeepStrictEqual(kernel56, { id: 77, loadedMs: 1.5, runTimeNs: 9n });
  assert.deepEqual([kernel56?.recursionMissCount, kernel56?.verifiedInstructionCount], [undefined, undefined]);
  assert.deepEqual([kernel515?.recursionMissCount, kernel515?.verifiedInstructionCount], [3n, undefined]);
  assert.deepEqual([kernel618?.recursionMissCount, kernel618?.verifiedInstructionCount], [3n, 5]);
});

kernelTest(
  "BpfMap looks up, updates and deletes, and tells an absent key from a failure",
  REQUIRES,
  () =>
    withZoo(({ object }) => {
      const map = object.map("plain");
      const key = words(1, 2);
      const value = words(3, 4);
      assert.deepEqual([map.type, map.keyBytes, map.valueBytes, map.cpuCount], [MAP_TYPE.HASH, 8, 8, 1]);
      assert.equal(map.lookup(key), undefined);
      assert.equal(map.delete(key), false);
      map.update(key, value, MAP_UPDATE.NO_EXIST);
      assert.deepEqual(map.lookup(key), value);
      assert.throws(() => map.update(key, value, MAP_UPDATE.NO_EXIST), { errnoName: "EEXIST" });
      assert.throws(() => map.update(words(9, 9), value, MAP_UPDATE.EXIST), { errnoName: "ENOENT" });
      assert.equal(map.delete(key), true);
      assert.throws(() => map.lookup(words(1)), RangeError);
      assert.throws(() => map.update(key, words(1)), RangeError);
    }),
);

kernelTest("isMapFull() knows the one error of a map without room", REQUIRES, () =>
  withZoo(({ object }) => {
    const map = object.map("plain");
    for (let index = 0; index < 16; index++) map.update(words(index, 0), words(0, 0));
    const errorOf = (call: () => void) => {
      try {
        call();
        return undefined;
      } catch (error) {
        return error;
      }
    };
    assert.equal(isMapFull(errorOf(() => map.update(words(16, 0), words(0, 0)))), true);
    assert.equal(isMapFull(errorOf(() => map.update(words(1, 0), words(0, 0), MAP_UPDATE.NO_EXIST))), false);
  }));

kernelTest("BpfMap.lookupBatch() shows every entry once at any batch size", REQUIRES, () =>
  withZoo(({ object }) => {
    const map = object.map("crowded");
    assert.equal(readAll(map, 16).size, 0);
    const expected = new Map<number, number>();
    for (let key = 0; key < 3000; key++) {
      map.update(words(key), words(key * 7));
      expected.set(key, key * 7);
    }
    // 1: smaller than a hash bucket, so it has to grow; a fresh map starts small again.
    for (const batchCount of [1, 64, 4096, 100_000]) {
      assert.deepEqual(readAll(object.map("crowded"), batchCount), expected);
    }
    assert.deepEqual(readAll(map, 1), expected);
  }));

kernelTest(
  "BpfMap.lookupSteps() shows every entry once, whatever is read between its steps",
  REQUIRES,
  () =>
    withZoo(({ object }) => {
      const map = object.map("crowded");
      for (let key = 0; key < 3000; key++) map.update(words(key), words(key));
      const seen = new Map<number, number>();
      let stepCount = 0;
      const steps = map.lookupSteps((keys, _values, count) => {
        for (let index = 0; index < count; index++) {
          const key = keys.getUint32(index * map.keyBytes, true);
          seen.set(key, (seen.get(key) ?? 0) + 1);
        }
      }, { batchCount: 64 });
      for (const _step of steps) {
        if (++stepCount % 8 === 0) assert.equal(readAll(map, 512).size, 3000);
      }
      assert.ok(stepCount > 8, `${stepCount} steps`);
      assert.equal(seen.size, 3000);
      assert.ok([...seen.values()].every((count) => count === 1));
    }),
);

kernelTest(
  "BpfMap.lookupBatch() reads arrays, and walks the keys where the kernel has no batches",
  REQUIRES,
  () =>
    withZoo(({ object }) => {
      const row = object.map("row");
      for (let key = 0; key < 5; key++) row.update(words(key), words(key + 10));
      assert.deepEqual(readAll(row, 2), new Map([[0, 10], [1, 11], [2, 12], [3, 13], [4, 14]]));
      // include/linux/bpf.h: stack traces have had no map_lookup_batch so far.
      assert.equal(readAll(object.map("stacks"), 2).size, 0);
    }),
);

kernelTest(
  "BpfMap hands out a per-CPU value for every CPU, at strides of eight",
  REQUIRES,
  () =>
    withZoo(({ library, object }) => {
      const map = object.map("per_cpu");
      const cpuCount = library.possibleCpuCount();
      assert.deepEqual([map.cpuCount, map.valueStrideBytes, map.entryValueBytes], [cpuCount, 16, 16 * cpuCount]);
      const value = new Uint32Array(cpuCount * 4);
      for (let cpu = 0; cpu < cpuCount; cpu++) value.set([cpu + 1, cpu + 2, cpu + 3], cpu * 4);
      map.update(words(5), new Uint8Array(value.buffer));
      const found = new Uint32Array((map.lookup(words(5)) ?? new Uint8Array(0)).buffer);
      map.lookupBatch((keys, values, count) => {
        assert.equal(count, 1);
        assert.equal(keys.getUint32(0, true), 5);
        for (let cpu = 0; cpu < cpuCount; cpu++) {
          for (let word = 0; word < 3; word++) {
            assert.equal(found[cpu * 4 + word], cpu + 1 + word);
            assert.equal(values.getUint32(cpu * 16 + word * 4, true), cpu + 1 + word);
          }
        }
      });
    }),
);

kernelTest(
  "BpfMap.deleteBatch() deletes what is there and steps over what is not",
  REQUIRES,
  () =>
    withZoo(({ object }) => {
      const map = object.map("crowded");
      for (const key of [1, 2, 3, 4, 5]) map.update(words(key), words(key));
      assert.equal(map.deleteBatch(words(1, 99, 3, 98, 97, 5)), 3);
      assert.deepEqual([...readAll(map, 16).keys()].sort(), [2, 4]);
      assert.equal(map.deleteBatch(words(99)), 0);
      assert.equal(map.deleteBatch(new Uint8Array(0)), 0);
      assert.throws(() => map.deleteBatch(new Uint8Array(3)), RangeError);
    }),
);

kernelTest("openLibbpf() says what to install when there is no libbpf", {}, () => {
  using libc = openLibc();
  assert.throws(() => openLibbpf(libc, { paths: ["/nowhere/libbpf.so.1"] }), {
    code: "library_missing",
    message: /found none of 1 places, wanted libbpf\.so\.1/,
  });
});

kernelTest("openLibbpf() takes the first library that opens", {}, () => {
  using libc = openLibc();
  using library = openLibbpf(libc, { paths: ["/nowhere/libbpf.so.1", "libbpf.so.1"] });

  assert.match(library.version, /^v1\.\d+/);
  assert.ok(library.possibleCpuCount() >= navigator.hardwareConcurrency);
});
