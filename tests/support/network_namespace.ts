/**
 * Programs in a network of their own, whose way can be made slow.
 *
 * @module
 */

import { StartedProgram } from "../../cmd/dev/demo/started_program.ts";
import { buildFixture, type FixtureName, type FixtureSettings, RunningFixture } from "./fixture_programs.ts";
import { run } from "./podtrace_process.ts";

/** In the new namespace: loopback is down until somebody turns it on. */
const ENTER = 'ip link set lo up && exec "$0" "$@"';

/**
 * Starts a fixture in a network namespace that holds nothing but its loopback;
 * the namespace is gone with the last of its processes.
 */
export async function startIsolatedFixture(name: FixtureName, settings: FixtureSettings): Promise<RunningFixture> {
  const program = await StartedProgram.start("unshare", {
    arguments: ["--net", "sh", "-c", ENTER, await buildFixture(name)].concat(
      Object.entries(settings).map(([key, value]) => `${key}=${value}`),
    ),
  });
  return new RunningFixture(program);
}

/** Lets `bitsPerSecond` through the loopback of the network `processId` is in, `burstBytes` at once. */
export async function limitLoopback(
  processId: number,
  options: { readonly bitsPerSecond: number; readonly burstBytes: number },
): Promise<void> {
  const limit = ["rate", `${options.bitsPerSecond}bit`, "burst", `${options.burstBytes}`, "limit", "3000"];
  const { code, stderr } = await run([
    ...["nsenter", "-t", `${processId}`, "-n"] as const,
    ...["tc", "qdisc", "replace", "dev", "lo", "root", "tbf", ...limit],
  ]);
  if (code !== 0) throw new Error(`Cannot limit the loopback of ${processId}: tc ended with ${code}: ${stderr.trim()}`);
}
