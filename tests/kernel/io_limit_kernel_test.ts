/**
 * `io-limit` against a real limit of the kernel's on a real disk.
 *
 * @module
 */

import { makeDiskDirectory } from "../../cmd/dev/demo/disk_directory.ts";
import { assert } from "../support/assert.ts";
import { diskDeviceOf } from "../support/disk_device.ts";
import { startFixture } from "../support/fixture_programs.ts";
import { kernelTest } from "../support/kernel.ts";
import { holdsOnce } from "../support/ledger_checks.ts";
import { makeIoLimitedCgroup } from "../support/limited_cgroup.ts";
import { findingsIn } from "../support/report_findings.ts";
import { processTarget, Tracing, TRACING_REQUIREMENTS } from "../support/tracing.ts";

const REQUIRES = { requires: [...TRACING_REQUIREMENTS, "io_controller"] } as const;
const DURATION_MS_MAX = 120_000;
const MIB = 1024 * 1024;

/** A program that is kept from its CPUs for a moment uses less than it may; a mistake of ours shows every time. */
const LOOKS_MAX = 4;

/** What any disk can write, a busy one too, and a program that does nothing else exceeds. */
const WRITE_BYTES_PER_SECOND = MIB;

/** A program that writes and syncs pieces of 256 KiB, traced for `windowMs` under a limit. */
async function diagnoseWriter(options: { writeBytesPerSecond: number; pauseMs: number; windowMs: number }) {
  await using directory = await makeDiskDirectory(["srv", "orders"]);
  const device = await diskDeviceOf(directory.path);
  assert.ok(device !== undefined, `${directory.path} lies on a disk of its own; set TMPDIR to one that does`);
  await using limits = await makeIoLimitedCgroup({ device, writeBytesPerSecond: options.writeBytesPerSecond });
  const path = `${directory.path}/audit.log`;
  await using fixture = await startFixture("fsync_log", {
    duration_ms: DURATION_MS_MAX,
    write_bytes: MIB / 4,
    pause_ms: options.pauseMs,
    path,
  });
  await limits.add(fixture.processId);
  await using tracing = await Tracing.start([processTarget(fixture.processId)]);
  await tracing.lasts(options.windowMs);
  const measured = await tracing.finish();
  return { findings: findingsIn(measured, tracing.events), device, path, groupPath: limits.path };
}

kernelTest(
  "io-limit tells a group whose writes the kernel holds back, where the limit is, and the file",
  REQUIRES,
  () =>
    holdsOnce(async () => {
      const { findings, device, path, groupPath } = await diagnoseWriter({
        writeBytesPerSecond: WRITE_BYTES_PER_SECOND,
        pauseMs: 0,
        windowMs: 3000,
      });
      const told = JSON.stringify(findings, undefined, 2);
      const limit = findings.find(({ id }) => id === "io-limit");
      assert.match(
        limit?.title ?? "",
        new RegExp(`^Writes of device ${device} are at [0-9.]+% of the limit of 1\\.00 MB/s`),
        told,
      );
      assert.notEqual(limit?.severity, "info", told);
      assert.equal(limit?.evidence.object, groupPath);
      assert.ok(limit?.nextStep.includes(groupPath), told);
      assert.ok(limit?.consequences.some((text) => text.includes(path)), told);
      assert.equal(
        findings.find(({ id }) => id === "disk-stall")?.severity,
        "info",
        `the file is a consequence: ${told}`,
      );
    }, { looksMax: LOOKS_MAX }),
);

kernelTest("io-limit is silent about a group that writes less than it may", REQUIRES, async () => {
  const { findings } = await diagnoseWriter({ writeBytesPerSecond: 400 * MIB, pauseMs: 100, windowMs: 1500 });
  assert.deepEqual(findings.filter(({ id }) => id === "io-limit"), []);
});
