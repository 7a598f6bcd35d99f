/**
 * Real servers in real trouble, diagnosed as their owner would: nginx in front
 * of an upstream, postgres under its clients. What is named has to be true.
 *
 * @module
 */

import { makeDiskDirectory } from "../../cmd/dev/demo/disk_directory.ts";
import { assert } from "../support/assert.ts";
import { diskDeviceOf } from "../support/disk_device.ts";
import { kernelTest } from "../support/kernel.ts";
import type { KernelRequirement } from "../support/kernel_requirements.ts";
import { makeIoLimitedCgroup } from "../support/limited_cgroup.ts";
import { HttpCallers, NginxServer } from "../support/nginx_server.ts";
import { podtrace } from "../support/podtrace_process.ts";
import { PostgresServer } from "../support/postgres_server.ts";
import { freePort } from "../support/redis_server.ts";
import { until } from "../support/until.ts";

const TRACED: readonly KernelRequirement[] = ["bpf_capability", "btf", "ring_buffer"];
const WITH_NGINX = { requires: [...TRACED, "nginx"] } as const;
const WITH_POSTGRES = { requires: [...TRACED, "postgres"] } as const;
const MIB = 1024 * 1024;

/** A program kept from its CPUs for a moment may be found so, or not; what is planted shows every time. */
const LOOKS_MAX = 5;

interface Finding {
  readonly id: string;
  readonly severity: string;
  readonly title: string;
  readonly evidence: { readonly object?: string; readonly threadCount?: number };
  readonly consequences: readonly string[];
  readonly nextStep: string;
}

async function diagnose(processId: number): Promise<readonly Finding[]> {
  const { code, stdout, stderr } = await podtrace(
    ...["diagnose", "--pid", `${processId}`, "--duration", "2s", "-o", "json"],
  );
  assert.equal(code, 0, stderr);
  const report: { findings: readonly Finding[]; ledger: { residual: number } } = JSON.parse(stdout);
  assert.equal(report.ledger.residual, 0);
  return report.findings;
}

/** Above info, but for what a machine short of CPUs makes true of anybody. */
function gravely(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ id, severity }) => severity !== "info" && id !== "cpu-wait");
}

/** Yields the finding `id`, above info and about `object`, of one of some looks; beside it nothing but `besides`. */
async function findTrouble(
  processId: number,
  expected: { readonly id: string; readonly object?: string | RegExp; readonly besides?: readonly string[] },
): Promise<Finding> {
  const { id, object, besides = [] } = expected;
  const looks: (readonly Finding[])[] = [];
  while (looks.length < LOOKS_MAX) {
    const findings = await diagnose(processId);
    const grave = gravely(findings);
    const found = grave.find((finding) => finding.id === id && isAbout(finding, object));
    if (found !== undefined && grave.every((finding) => [id, ...besides].includes(finding.id))) return found;
    looks.push(findings);
  }
  assert.fail(`no ${id} of ${object}, or more than that: ${JSON.stringify(looks, undefined, 2)}`);
}

function isAbout({ evidence }: Finding, object: string | RegExp | undefined): boolean {
  if (object === undefined) return true;
  return typeof object === "string" ? evidence.object === object : object.test(evidence.object ?? "");
}

async function assertQuiet(processId: number): Promise<void> {
  for (let count = 1; count < LOOKS_MAX; count++) if (gravely(await diagnose(processId)).length === 0) return;
  assert.deepEqual(gravely(await diagnose(processId)), []);
}

async function call(
  server: NginxServer,
  options: { readonly path?: string; readonly concurrency: number; readonly isReconnecting?: boolean },
): Promise<HttpCallers> {
  const callers = new HttpCallers(`http://127.0.0.1:${server.port}/${options.path ?? ""}`, options);
  await until(() => callers.answeredCount >= options.concurrency, { what: "nginx answers", timeoutMs: 30_000 });
  return callers;
}

kernelTest(
  "diagnose finds slow-peer in an nginx whose upstream takes long, and names the upstream",
  WITH_NGINX,
  async () => {
    await using upstream = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async () => {
      await new Promise((resolve) => setTimeout(resolve, 80)); // it is the slowness that is planted
      return new Response("answer");
    });
    const { port } = upstream.addr;
    await using server = await NginxServer.start({ server: `location / { proxy_pass http://127.0.0.1:${port}; }` });
    await using _callers = await call(server, { concurrency: 4 });

    const finding = await findTrouble(server.processId, {
      id: "slow-peer",
      object: `127.0.0.1:${port}`,
      besides: ["slow-service", "slow-responses"],
    });
    assert.match(finding.nextStep, new RegExp(`127\\.0\\.0\\.1:${port}`));
  },
);

kernelTest("diagnose finds connection-failures in an nginx whose upstream refuses", WITH_NGINX, async () => {
  const port = freePort();
  await using server = await NginxServer.start({ server: `location / { proxy_pass http://127.0.0.1:${port}; }` });
  await using _callers = await call(server, { concurrency: 2 });

  const finding = await findTrouble(server.processId, { id: "connection-failures", object: `127.0.0.1:${port}` });
  assert.match(finding.title, /^100\.0% of the connections .* failed \(\d+ of \d+\): refused\.$/);
  assert.equal(finding.severity, "critical");
});

kernelTest(
  "diagnose finds listen-overflow in an nginx with a short queue that is busy compressing",
  WITH_NGINX,
  async () => {
    const text = Array.from({ length: 400_000 }, (_, index) => `${index * 7919 % 100_003} `).join("");
    await using server = await NginxServer.start({
      listen: "backlog=1",
      server: "root FILES; gzip on; gzip_comp_level 9; gzip_types text/plain;",
      files: { "large.txt": new TextEncoder().encode(text) },
    });
    await using _callers = await call(server, { path: "large.txt", concurrency: 12, isReconnecting: true });

    const finding = await findTrouble(server.processId, {
      id: "listen-overflow",
      object: `tcp port ${server.port}`,
      besides: ["slow-service", "blocked-loop"],
    });
    assert.match(finding.title, /^\d+ SYNs? to .* dropped, repeats included: its listen queue holds 1\.$/);
  },
);

kernelTest("diagnose finds nothing above info in an nginx that serves a file", WITH_NGINX, async () => {
  await using server = await NginxServer.start({ server: "root FILES;", files: { "a.txt": new Uint8Array(4096) } });
  await using _callers = await call(server, { path: "a.txt", concurrency: 4 });

  await assertQuiet(server.processId);
});

kernelTest("diagnose finds io-limit in a postgres whose commits may write little, and names log and limit", {
  requires: [...WITH_POSTGRES.requires, "io_controller"],
}, async () => {
  await using directory = await makeDiskDirectory([]);
  const device = await diskDeviceOf(directory.path);
  assert.ok(device !== undefined, "files of tests are on a disk of their own");
  await using limits = await makeIoLimitedCgroup({ device, writeBytesPerSecond: MIB });
  await using server = await PostgresServer.start();
  await server.prepareBench();
  await limits.add(server.processId); // sessions are its children, born in its group
  await using _load = server.bench("--client=4", "--builtin=simple-update");
  await server.commits(20);

  const finding = await findTrouble(server.processId, {
    id: "io-limit",
    object: limits.path,
    besides: ["slow-service"],
  });
  const named = finding.consequences.some((text) => text.includes(`${server.dataPath}/pg_wal/`));
  assert.ok(named, JSON.stringify(finding));
});

/** Every client wants the same row, and keeps it for a while. */
const SAME_ROW = "BEGIN; UPDATE accounts SET balance = balance + 1 WHERE id = 1; SELECT pg_sleep(0.15); COMMIT;\n";

kernelTest(
  "diagnose finds slow-service in a postgres whose sessions wait for a row, and blames nobody else",
  WITH_POSTGRES,
  async () => {
    await using directory = await makeDiskDirectory([]);
    const script = `${directory.path}/same_row.sql`;
    await Deno.writeTextFile(script, SAME_ROW);
    await using server = await PostgresServer.start();
    await server.query("CREATE TABLE accounts (id int PRIMARY KEY, balance int); INSERT INTO accounts VALUES (1, 0)");
    await using _load = server.bench("--client=4", `--file=${script}`);
    await server.commits(4);

    const finding = await findTrouble(server.processId, {
      id: "slow-service",
      object: `clients of tcp port ${server.port}`,
    });
    assert.match(finding.nextStep, /row's lock/);
  },
);

kernelTest(
  "diagnose finds spawn-storm in a postgres that is asked for a connection per query",
  WITH_POSTGRES,
  async () => {
    await using server = await PostgresServer.start();
    await server.prepareBench();
    await using _load = server.bench("--client=2", "--connect", "--select-only");
    await server.commits(50);

    const finding = await findTrouble(server.processId, { id: "spawn-storm", besides: ["page-fault", "fault-storm"] });
    assert.match(finding.title, new RegExp(`most of them by postgres \\(${server.processId}\\)`));
  },
);

kernelTest(
  "diagnose finds nothing above info in a postgres that answers queries on kept connections",
  WITH_POSTGRES,
  async () => {
    await using server = await PostgresServer.start();
    await server.prepareBench();
    await using _load = server.bench("--client=2", "--rate=200", "--select-only");
    await server.commits(50);

    await assertQuiet(server.processId);
  },
);
