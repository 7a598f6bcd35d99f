import { assert } from "../../tests/support/assert.ts";
import { systemCallName } from "./system_calls.ts";

Deno.test("systemCallName() knows both architectures", () => {
  const rows: readonly (readonly [string, number, number | undefined])[] = [
    ["read", 0, 63],
    ["poll", 7, undefined],
    ["pselect6", 270, 72],
    ["futex", 202, 98],
    ["fsync", 74, 82],
    ["newfstatat", 262, 79],
    ["epoll_pwait", 281, 22],
    ["recvmsg", 47, 212],
    ["wait4", 61, 260],
    ["restart_syscall", 219, 128],
    ["io_uring_enter", 426, 426],
    ["futex_waitv", 449, 449],
    ["futex_wait", 455, 455],
  ];
  for (const [name, x86, arm] of rows) {
    assert.equal(systemCallName(x86, "x86_64"), name);
    if (arm !== undefined) assert.equal(systemCallName(arm, "aarch64"), name);
  }
});

Deno.test("systemCallName() yields undefined for numbers nobody has", () => {
  for (const systemCall of [-1, 400, 0xffff, 1.5, NaN]) {
    assert.equal(systemCallName(systemCall, "x86_64"), undefined);
    assert.equal(systemCallName(systemCall, "aarch64"), undefined);
  }
});
