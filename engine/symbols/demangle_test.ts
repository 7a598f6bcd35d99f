import { assert } from "../../tests/support/assert.ts";
import { checkProperty, property } from "../../tests/support/property.ts";
import { demangle } from "./demangle.ts";

Deno.test("demangle() writes plain names as their language does", () => {
  const rows: readonly (readonly [string, string])[] = [
    ["main", "main"],
    ["_Z4loadi", "load"],
    ["_ZL4loadv", "load"],
    ["_ZN4shop4Cart5totalEv", "shop::Cart::total"],
    ["_ZNK4shop4Cart5totalEv", "shop::Cart::total"],
    ["_ZN4shop4CartC2Ei", "shop::Cart::Cart"],
    ["_ZN4shop4CartD1Ev", "shop::Cart::~Cart"],
    ["_ZN12_GLOBAL__N_14loadEv", "(anonymous namespace)::load"],
    ["_ZNSt6thread4joinEv", "std::thread::join"],
    ["_ZN1r4shop4Cart5total17h7c33b19a01c8e3f4E", "r::shop::Cart::total"],
  ];
  for (const [name, expected] of rows) assert.equal(demangle(name), expected);
  const dropped = "_$LT$shop..Cart$u20$as$u20$Drop$GT$";
  assert.equal(
    demangle(`_ZN${dropped.length}${dropped}4drop17h7c33b19a01c8e3f4E`),
    "<shop::Cart as Drop>::drop",
  );
});

Deno.test("demangle() leaves what has types in it, and what only looks mangled, as it is", () => {
  for (
    const name of [
      "_ZSt4sortIPiEvT_S1_",
      "_ZNSt6vectorIiSaIiEE9push_backEOi",
      "_ZN",
      "_ZNE",
      "_ZN4loE",
      "_ZN9999999999999loadE",
      "_Z",
      "_Z0x",
      "_RNvC4shop4main",
      "",
    ]
  ) assert.equal(demangle(name), name);
});

Deno.test("demangle() survives any text, and yields one no longer than twice that", () => {
  const pieces = property.constantFrom("_ZN", "E", "4load", "17h0123456789abcdef", "$LT$", "St", "C1", "9", "L", "é");
  checkProperty(
    property.oneof(property.string(), property.array(pieces, { maxLength: 40 }).map((parts) => `_ZN${parts.join("")}`)),
    (name) => demangle(name).length <= 2 * name.length + 32,
    { runCount: 1000 },
  );
});
