import { assert } from "../../../tests/support/assert.ts";
import { readHeader, readTables } from "./header.ts";

Deno.test("readHeader() yields structs, enums and constants in the order of the header", () => {
  const text = [
    "#define PT_EVENTS_H",
    "#define PT_LAYOUT_VERSION 1",
    "#define PT_NO_SYSTEM_CALL 0xffff /* none */",
    "#define PT_SHIFTED (1 << 3)",
    "#define OTHER 7",
    "enum pt_kind {",
    "\tPT_KIND_WAIT = 1, /* struct pt_not_here { */",
    "};",
    "struct pt_header {",
    "\tstruct pt_nested field;",
    "};",
    "struct other {",
    "};",
    '_Static_assert(sizeof(struct pt_header) == 8, "pt_header");',
  ].join("\n");
  assert.deepEqual(readHeader(text), {
    names: ["pt_kind", "pt_header"],
    constants: [{ name: "PT_LAYOUT_VERSION", value: 1 }, { name: "PT_NO_SYSTEM_CALL", value: 0xffff }],
  });
});

Deno.test("readTables() yields the maps that say both their types", () => {
  const text = [
    "struct {",
    "\t__uint(type, BPF_MAP_TYPE_HASH);",
    "\t__type(key, struct pt_wait_key);",
    "\t__type(value, struct pt_wait_value);",
    '} waits SEC(".maps");',
    "struct {",
    "\t__uint(type, BPF_MAP_TYPE_RINGBUF);",
    '} data_ring SEC(".maps");',
    "struct {",
    "\t__type(value, u32);",
    "\t__type(key, u64);",
    '} slots SEC(".maps");',
  ].join("\n");
  assert.deepEqual(readTables(text), [
    { name: "waits", key: "pt_wait_key", value: "pt_wait_value" },
    { name: "slots", key: "u64", value: "u32" },
  ]);
});
