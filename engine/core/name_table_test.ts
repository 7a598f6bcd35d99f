import { assert } from "../../tests/support/assert.ts";
import { NameTable, type ObjectName, toNameText } from "./name_table.ts";
import { anObject } from "./test_backend.ts";
import { OBJECT_KINDS } from "./wait_objects.ts";

const FILE = anObject({ kind: OBJECT_KINDS.file, lowLow: 1 });

function aName(overrides: Partial<ObjectName> = {}): ObjectName {
  return { object: FILE, components: ["data.bin", "db", "srv"], isTruncated: false, ...overrides };
}

const TEXTS: readonly [name: Partial<ObjectName>, text: string | undefined][] = [
  [{}, "/srv/db/data.bin"],
  [{ components: ["data.bin"] }, "/data.bin"],
  [{ components: ["data.bin", "db", "/"] }, "/db/data.bin"],
  [{ components: ["/"] }, "/"],
  [{ components: [] }, undefined],
  [{ components: [""] }, undefined],
  [{ isTruncated: true }, "…/srv/db/data.bin"],
  [{ components: ["a\x1b[31m\nb", "srv"] }, "/srv/a\\x1b[31m\\x0ab"],
  [{ object: anObject({ kind: OBJECT_KINDS.unixServer }), components: ["/run/db.sock"] }, "/run/db.sock"],
  [{ object: anObject({ kind: OBJECT_KINDS.unixServer }), components: ["@session"] }, "@session"],
  [{ object: anObject({ kind: OBJECT_KINDS.anonymous }), components: ["[io_uring]"] }, "[io_uring]"],
];

for (const [name, text] of TEXTS) {
  Deno.test(`toNameText() yields ${text} from ${JSON.stringify(name.components ?? "three components")}`, () => {
    assert.equal(toNameText(aName(name)), text);
  });
}

Deno.test("nameOf() yields the name learnt last for an object, and nothing for another object", () => {
  const names = new NameTable();
  names.learn(aName());
  names.learn(aName({ components: ["renamed.bin", "srv"] }));

  assert.equal(names.nameOf({ ...FILE }), "/srv/renamed.bin");
  assert.equal(names.nameOf({ ...FILE, lowHigh: 1 }), undefined);
  assert.equal(names.nameCount, 1);
});

Deno.test("learn() lets the name learnt longest ago go when the table is full, and counts it", () => {
  const names = new NameTable({ namesMax: 2 });
  const objects = [1, 2, 3].map((lowLow) => anObject({ kind: OBJECT_KINDS.file, lowLow }));
  for (const object of objects.slice(0, 2)) names.learn(aName({ object }));
  names.learn(aName({ object: anObject({ kind: OBJECT_KINDS.file, lowLow: 1 }), components: ["again"] }));
  assert.equal(names.forgottenCount, 0);

  names.learn(aName({ object: anObject({ kind: OBJECT_KINDS.file, lowLow: 3 }) }));

  assert.deepEqual(objects.map((object) => names.nameOf(object)), ["/again", undefined, "/srv/db/data.bin"]);
  assert.equal(names.forgottenCount, 1);
});
