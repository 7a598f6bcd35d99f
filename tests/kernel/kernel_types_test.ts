import { KernelTypes } from "../../engine/ffi/kernel_types.ts";
import { openLibbpf } from "../../engine/ffi/libbpf.ts";
import { openLibc } from "../../engine/ffi/libc.ts";
import { OwnerBooks } from "../../engine/ffi/owners.ts";
import { assert } from "../support/assert.ts";
import { kernelTest } from "../support/kernel.ts";

kernelTest("KernelTypes knows the tracepoints of this kernel, and no others", { requires: ["btf"] }, () => {
  const books = new OwnerBooks();
  {
    using libc = openLibc({ registry: books.registry });
    using library = openLibbpf(libc);
    using types = KernelTypes.open(library);

    assert.deepEqual(["sched_switch", "inet_sock_set_state"].map((name) => types.hasTracepoint(name)), [true, true]);
    // A function, a prefix, and what no kernel has.
    const absent = ["inet_sendmsg", "sched_switc", "no_such_tracepoint", ""];
    assert.deepEqual(absent.map((name) => types.hasTracepoint(name)), [false, false, false, false]);
    types[Symbol.dispose]();
    assert.throws(() => types.hasTracepoint("sched_switch"), /they are closed, wanted open/);
  }
  books.assertEmpty();
});
