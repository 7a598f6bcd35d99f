import { assert } from "../../tests/support/assert.ts";
import { checkedReturn, ForeignCallError } from "./errors.ts";

Deno.test("checkedReturn() yields what is not negative", () => {
  assert.equal(checkedReturn(0, "bpf_object__load"), 0);
  assert.equal(checkedReturn(17, "bpf_iter_create"), 17);
});

Deno.test("checkedReturn() turns a negative code into its error", () => {
  assert.throws(() => checkedReturn(-1, "bpf_object__load", "podtrace"), (error: unknown) => {
    assert.ok(error instanceof ForeignCallError);
    assert.equal(error.symbol, "bpf_object__load");
    assert.equal(error.errno, 1);
    assert.equal(error.errnoName, "EPERM");
    assert.equal(error.message, "Cannot call bpf_object__load: got EPERM (1), podtrace");
    return true;
  });
});

Deno.test("ForeignCallError keeps its cause and does without a detail", () => {
  const cause = new Error("why");
  const error = new ForeignCallError("mmap", 12, { cause });
  assert.equal(error.cause, cause);
  assert.equal(error.message, "Cannot call mmap: got ENOMEM (12)");
});
