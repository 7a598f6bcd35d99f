import { assert } from "../../tests/support/assert.ts";
import { generateSystemCalls, parseSystemCallDefines } from "./generate_system_calls.ts";

Deno.test("parseSystemCallDefines() follows one define to another and leaves markers out", () => {
  const names = parseSystemCallDefines([
    "#define __NR_read 63",
    "#define __NR_fcntl __NR3264_fcntl",
    "#define __NR3264_fcntl 25",
    "#define __NR_syscalls 451",
    "#define __NR_arch_specific_syscall 244",
    "#define __NR_unresolved __NR_nowhere",
    "#define __NR_last 469",
    "#define __NR_too_new 470",
    "#define unrelated 1",
  ].join("\n"));
  assert.deepEqual([...names], [[63, "read"], [25, "fcntl"], [469, "last"]]);
});

Deno.test("generateSystemCalls() yields the committed tables", async () => {
  const committed = await Deno.readTextFile(
    new URL("../../engine/host/generated/system_calls.ts", import.meta.url),
  );
  assert.equal(await generateSystemCalls(), committed);
});
