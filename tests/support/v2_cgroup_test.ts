import { assert } from "./assert.ts";
import { findCgroup2Mount } from "./v2_cgroup.ts";

Deno.test("findCgroup2Mount() finds the v2 tree wherever it is mounted, and none where there is none", () => {
  const v1 = "30 25 0:26 / /sys/fs/cgroup/cpu rw,nosuid shared:5 - cgroup cgroup rw,cpu";
  const v2 = "31 25 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:6 - cgroup2 cgroup2 rw,nsdelegate";
  assert.equal(findCgroup2Mount(`${v1}\n${v2}\n`), "/sys/fs/cgroup/unified");
  assert.equal(findCgroup2Mount(`${v1}\n`), undefined);
  assert.equal(findCgroup2Mount(""), undefined);
});
