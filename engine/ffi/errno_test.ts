import { assert } from "../../tests/support/assert.ts";
import { ERRNO, errnoName } from "./errno.ts";

Deno.test("errnoName() names what the kernel, libbpf and nobody defined", () => {
  const rows: readonly (readonly [number, string])[] = [
    [1, "EPERM"],
    [2, "ENOENT"],
    [11, "EAGAIN"],
    [35, "EDEADLK"],
    [95, "EOPNOTSUPP"],
    [524, "ENOTSUPP"],
    [4003, "LIBBPF_ERRNO__ENDIAN"],
    [4013, "LIBBPF_ERRNO__NLPARSE"],
    [0, "errno 0"],
    [9999, "errno 9999"],
  ];
  for (const [errno, name] of rows) assert.equal(errnoName(errno), name);
});

Deno.test("ERRNO holds the numbers its names stand for", () => {
  for (const [name, errno] of Object.entries(ERRNO)) assert.equal(errnoName(errno), name);
});
