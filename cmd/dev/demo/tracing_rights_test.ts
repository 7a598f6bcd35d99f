import { assert } from "../../../tests/support/assert.ts";
import { tracingObstacle } from "./tracing_rights.ts";

const ROWS = [
  { name: "root of the host", capabilities: "000001ffffffffff", hasKernelTypes: true, says: undefined },
  { name: "CAP_BPF and CAP_PERFMON alone", capabilities: "000000c000000000", hasKernelTypes: true, says: undefined },
  { name: "CAP_SYS_ADMIN alone", capabilities: "0000000000200000", hasKernelTypes: true, says: undefined },
  { name: "CAP_BPF alone", capabilities: "0000008000000000", hasKernelTypes: true, says: /run it as root/ },
  { name: "CAP_PERFMON alone", capabilities: "0000004000000000", hasKernelTypes: true, says: /run it as root/ },
  { name: "nobody", capabilities: "0000000000000000", hasKernelTypes: true, says: /run it as root/ },
  { name: "root without BTF", capabilities: "000001ffffffffff", hasKernelTypes: false, says: /btf\/vmlinux/ },
];

for (const { name, capabilities, hasKernelTypes, says } of ROWS) {
  Deno.test(`tracingObstacle() ${says === undefined ? "sees nothing against" : "stops"} ${name}`, () => {
    const obstacle = tracingObstacle({ status: `Name:\tx\nCapEff:\t${capabilities}\nSeccomp:\t0\n`, hasKernelTypes });
    if (says === undefined) assert.equal(obstacle, undefined);
    else assert.match(obstacle ?? "", says);
  });
}

Deno.test("tracingObstacle() stops when the status names no capabilities", () => {
  assert.match(tracingObstacle({ status: "", hasKernelTypes: true }) ?? "", /CAP_BPF/);
});
