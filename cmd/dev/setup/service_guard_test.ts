import { assert } from "../../../tests/support/assert.ts";
import { forbidServiceStarts } from "./service_guard.ts";

async function withFolder(fn: (policyPath: string) => Promise<void> | void): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "podtrace_policy_" });
  try {
    await fn(`${folder}/policy-rc.d`);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("forbidServiceStarts() leaves a policy that answers 101, until it is disposed", async () => {
  await withFolder(async (policyPath) => {
    {
      using _guard = forbidServiceStarts(policyPath);

      const { code } = await new Deno.Command(policyPath, { args: ["redis-server", "start"] }).output();
      assert.equal(code, 101);
    }
    assert.throws(() => Deno.statSync(policyPath), Deno.errors.NotFound);
  });
});

Deno.test("forbidServiceStarts() leaves somebody else's policy alone", async () => {
  await withFolder((policyPath) => {
    Deno.writeTextFileSync(policyPath, "#!/bin/sh\nexit 0\n");
    forbidServiceStarts(policyPath)[Symbol.dispose]();
    assert.equal(Deno.readTextFileSync(policyPath), "#!/bin/sh\nexit 0\n");
  });
});

Deno.test("forbidServiceStarts() removes what an interrupted set-up left behind", async () => {
  await withFolder((policyPath) => {
    // Made and never disposed, as after a kill.
    forbidServiceStarts(policyPath);
    forbidServiceStarts(policyPath)[Symbol.dispose]();
    assert.throws(() => Deno.statSync(policyPath), Deno.errors.NotFound);
  });
});
