import * as generated from "../../bpf/generated/layout.ts";
import { checkLayout } from "../../engine/backend/layout_check.ts";
import { openRing } from "../../engine/backend/ring_reader.ts";
import { type RecordSource, TextCache } from "../../engine/backend/text_cache.ts";
import { readObjectBtf } from "../../engine/btf/btf.ts";
import { type Layout, readLayout } from "../../engine/btf/layout.ts";
import { BpfObject } from "../../engine/ffi/bpf_object.ts";
import { openLibbpf } from "../../engine/ffi/libbpf.ts";
import { openLibc } from "../../engine/ffi/libc.ts";
import { OwnerBooks } from "../../engine/ffi/owners.ts";
import { assert } from "../support/assert.ts";
import { buildBpfText, buildProductObject } from "../support/bpf_fixtures.ts";
import { kernelTest } from "../support/kernel.ts";
import { decodeByLayout, integerPlaces, pascalCase } from "../support/layout_values.ts";
import { checkProperty, property } from "../support/property.ts";

const NAMES = new Set([...Object.keys(generated.LAYOUT.structs), ...Object.keys(generated.LAYOUT.enums)]);

/** The generated decoder of the struct `name`. */
function decoderOf(name: string): (source: RecordSource, at: number) => unknown {
  const decoder: unknown = (generated as Record<string, unknown>)[`decode${pascalCase(name)}`];
  assert.ok(typeof decoder === "function", `no decoder for ${name}`);
  return (source, at) => decoder(source, at);
}

async function readProductLayout(): Promise<Layout> {
  return readLayout(readObjectBtf(await buildProductObject()), { names: NAMES });
}

kernelTest("checkLayout() accepts the object built from these sources", { requires: ["clang"] }, async () => {
  checkLayout(await buildProductObject());
});

kernelTest(
  "generated decoders agree with a walk over the object's BTF, for random bytes",
  { requires: ["clang"] },
  async () => {
    const layout = await readProductLayout();
    assert.ok(layout.structs.length > 10);
    for (const { name, sizeBytes } of layout.structs) {
      const decode = decoderOf(name);
      const texts = new TextCache();
      const input = property.tuple(
        property.uint8Array({ minLength: sizeBytes, maxLength: sizeBytes }),
        property.nat(3),
      );
      checkProperty(input, ([bytes, words]) => {
        const at = words * 8;
        const view = new DataView(new ArrayBuffer(at + sizeBytes));
        new Uint8Array(view.buffer).set(bytes, at);
        assert.deepEqual(decode({ view, texts }, at), decodeByLayout(layout, { name, view, at }), name);
        assert.throws(() => decode({ view: new DataView(view.buffer, 8), texts }, at), RangeError);
      }, { runCount: 50 });
    }
  },
);

/** A program per struct that writes a different number into every integer, by the field's name, and submits it. */
function sentinelProgram(layout: Layout): string {
  const programs = layout.structs.map(({ name }) => {
    const writes = integerPlaces(layout, name).map((place, index) =>
      `\trecord->${place} = (__typeof__(record->${place}))(${sentinel(index)});`
    );
    return [
      'SEC("syscall")',
      `int write_${name}(void *context)`,
      "{",
      `\tstruct ${name} *record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);`,
      "\tif (!record)\n\t\treturn 1;",
      ...writes,
      "\tbpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);\n\treturn 0;\n}",
    ].join("\n");
  });
  return [
    "#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\n#include <pt_events.h>",
    'struct {\n\t__uint(type, BPF_MAP_TYPE_RINGBUF);\n\t__uint(max_entries, 65536);\n} ring SEC(".maps");',
    ...programs,
    'char LICENSE[] SEC("license") = "GPL";\n',
  ].join("\n\n");
}

/** No two alike within a byte's reach, and none zero in any byte of its width. */
function sentinel(index: number): string {
  const byte = 0x21 + (index % 90);
  return `(${byte}ull * 0x0101010101010101ull) ^ ${index % 7}`;
}

kernelTest(
  "every field of every struct arrives as a program in the kernel wrote it",
  { requires: ["clang", "bpf_capability", "btf", "ring_buffer"] },
  async () => {
    const layout = await readProductLayout();
    const bytes = await buildBpfText(sentinelProgram(layout));
    const books = new OwnerBooks();
    {
      using libc = openLibc({ registry: books.registry });
      using library = openLibbpf(libc);
      using object = BpfObject.open(library, bytes, { name: "sentinel" });

      object.load();
      using ring = openRing(libc, object.map("ring"));

      const texts = new TextCache();
      for (const { name, sizeBytes } of layout.structs) {
        assert.equal(object.program(`write_${name}`).testRun().returnValue, 0);
        const expected = expectedSentinels(layout, name);
        const visit = (at: number, lengthBytes: number) => {
          assert.equal(lengthBytes, sizeBytes);
          assert.deepEqual(decoderOf(name)({ view: ring.view, texts }, at), expected, name);
        };
        assert.equal(ring.drain(visit, { recordsMax: 10 }).recordCount, 1);
      }
    }
    books.assertEmpty();
  },
);

/** What the program writes, decoded; the numbers follow the fields, the compiler places them. */
function expectedSentinels(layout: Layout, name: string): unknown {
  const struct = layout.structs.find((candidate) => candidate.name === name);
  assert.ok(struct);
  const view = new DataView(new ArrayBuffer(struct.sizeBytes));
  let index = 0;
  const write = (current: string, base: number) => {
    for (const field of layout.structs.find((candidate) => candidate.name === current)?.fields ?? []) {
      for (let element = 0; element < (field.count ?? 1); element++) {
        if (field.element.kind === "struct") {
          const { name: inner } = field.element;
          const nested = layout.structs.find((candidate) => candidate.name === inner);
          write(inner, base + field.offsetBytes + element * (nested?.sizeBytes ?? 0));
          continue;
        }
        const value = (BigInt(0x21 + (index % 90)) * 0x0101_0101_0101_0101n) ^ BigInt(index % 7);
        for (let byte = 0; byte < field.element.bytes; byte++) {
          const at = base + field.offsetBytes + element * field.element.bytes + byte;
          view.setUint8(at, Number((value >> BigInt(byte * 8)) & 0xffn));
        }
        index++;
      }
    }
  };
  write(name, 0);
  return decodeByLayout(layout, { name, view, at: 0 });
}
