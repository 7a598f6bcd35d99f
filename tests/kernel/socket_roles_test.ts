/**
 * Who asks and who answers: of sockets whose state does not say so, found in the
 * middle of things or opened in the window. Healthy programs that talk through
 * them stay without a finding; whoever is really kept waiting is told of whom.
 *
 * @module
 */

import type { Measurements } from "../../engine/api/measurements.ts";
import type { PeerMeasurement } from "../../engine/api/socket_measurements.ts";
import { describeObject, isSocketPair } from "../../engine/diagnose/wait_object.ts";
import type { Finding } from "../../engine/diagnose/finding.ts";
import { assert } from "../support/assert.ts";
import { type FixtureSettings, numberOf, startFixture } from "../support/fixture_programs.ts";
import { kernelTest } from "../support/kernel.ts";
import type { KernelRequirement } from "../support/kernel_requirements.ts";
import { assertQuiet } from "../support/quiet_programs.ts";
import { findingsIn } from "../support/report_findings.ts";
import { BackgroundProgram } from "../support/server_process.ts";
import { processTarget, Tracing, TRACING_REQUIREMENTS } from "../support/tracing.ts";
import { until } from "../support/until.ts";

const REQUIRES = { requires: TRACING_REQUIREMENTS };
const DURATION_MS_MAX = 120_000;
const WINDOW_MS = 1200;

const NODE_WORKER = `
const { fork } = require("node:child_process");
if (process.argv[2] === "worker") process.on("message", (message) => process.send(message));
else {
  const worker = fork(process.argv[1], ["worker"]);
  worker.on("message", () => {});
  setInterval(() => worker.send({ a: 1 }), 50);
}`;

const NODE_CAT = `
const cat = require("node:child_process").spawn("cat");
cat.stdout.on("data", () => {});
setInterval(() => cat.stdin.write("line\\n"), 200);
`;

const PYTHON_WORKER = `
import os, socket, time
mine, its = socket.socketpair()
if os.fork() == 0:
    mine.close()
    while data := its.recv(100): its.send(data)
    os._exit(0)
its.close()
while True:
    mine.send(b"x"); mine.recv(100); time.sleep(0.1)
`;

const HEALTHY: readonly {
  readonly name: string;
  readonly requires: KernelRequirement;
  readonly script: string;
  readonly command: (file: string) => readonly [string, ...string[]];
}[] = [
  {
    name: "a Node process and the worker it forked",
    requires: "node",
    script: NODE_WORKER,
    command: (file) => ["node", file],
  },
  {
    name: "a Node process that feeds a child",
    requires: "node",
    script: NODE_CAT,
    command: (file) => ["node", file],
  },
  {
    name: "a Python process with a worker at a pair of sockets",
    requires: "python3",
    script: PYTHON_WORKER,
    command: (file) => ["python3", file],
  },
  {
    name: "a browser that has nothing to do",
    requires: "chromium",
    script: "<title>nothing</title>",
    command: (file) => [
      "chromium",
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--remote-debugging-port=0",
      `--user-data-dir=${file}.profile`,
      `file://${file}`,
    ],
  },
];

for (const { name, requires, script, command } of HEALTHY) {
  kernelTest(`nothing above info is said of ${name}`, {
    requires: [...TRACING_REQUIREMENTS, requires],
  }, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(`${folder}/script`, script);
      await using program = new BackgroundProgram([...command(`${folder}/script`)], { isGroup: true });
      await until(() => childCount(program.processId) > 0, { what: "it started its child", timeoutMs: 60_000 });
      await assertQuiet(program.processId);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

/**
 * Healthy askers and answerers, met in the middle of things. That who made a pair
 * answers at it can only be told where it was made in the window.
 */
const QUIET: readonly FixtureSettings[] = ["pair", "udp", "unix", "tcp"].flatMap((over) =>
  ["asker", "answerer"].filter((main) => over !== "pair" || main === "asker").map((main) => ({
    over,
    main,
    pause_ms: 40,
  }))
);

for (const settings of QUIET) {
  kernelTest(`nothing above info is said of an ${settings["main"]} over ${settings["over"]}`, REQUIRES, async () => {
    await using fixture = await startFixture("asker", { duration_ms: DURATION_MS_MAX, ...settings });
    await assertQuiet(fixture.processId);
  });
}

kernelTest("nothing above info is said of a process that answers its child through a pair", REQUIRES, async () => {
  await using fixture = await startFixture("asker", {
    duration_ms: DURATION_MS_MAX,
    over: "pair",
    main: "answerer",
    pause_ms: 40,
    told: 1,
  });
  const { findings, waits } = await look(fixture.processId, { isTold: true });
  assert.deepEqual(findings.filter(({ severity, id }) => severity !== "info" && id !== "cpu-wait"), []);
  const own = waits.filter(({ processId, object }) => processId === fixture.processId && isSocketPair(object));
  assert.deepEqual([...new Set(own.map(({ waitClass }) => waitClass))], ["idle"]);
});

kernelTest(
  "a worker that sleeps before it answers through a pair is what its process waits for",
  REQUIRES,
  async () => {
    await using fixture = await startFixture("asker", { duration_ms: DURATION_MS_MAX, over: "pair", answer_ms: 40 });
    const { findings } = await look(fixture.processId);
    const found = findings.find(({ id }) => id === "slow-peer");
    assert.equal(found?.severity, "warning", found?.title);
    assert.equal(found?.evidence.waker?.processId, numberOf(fixture.ready, "other_pid"));
  },
);

/** Of whom they ask. */
const NAMES: Readonly<Record<string, RegExp>> = {
  udp: /^127\.0\.0\.1:\d+ \(udp\)$/,
  unix: /^unix socket @planted-\d+-answerer$/,
};

for (const over of Object.keys(NAMES)) {
  kernelTest(
    `a slow answerer of datagrams over ${over} is named from its first answer on`,
    REQUIRES,
    async () => {
      await using fixture = await startFixture("asker", {
        duration_ms: DURATION_MS_MAX,
        over,
        answer_ms: 25,
        told: 1,
      });
      const { findings, peers } = await look(fixture.processId, { isTold: true });
      const found = findings.find(({ id }) => id === "slow-peer");
      assert.equal(found?.severity, "critical", found?.title);
      const client = peers.find(({ role, processId }) => role === "client" && processId === fixture.processId);
      assert.ok(client?.endpoint !== undefined, "its peer has a row");
      assert.equal(found.evidence.object, describeObject(client.endpoint));
      assert.match(describeObject(client.endpoint), NAMES[over] ?? /never/);
      assert.ok(client.responses.count > 0 && client.responses.totalMs / client.responses.count >= 24);
    },
  );
}

kernelTest("a slow answerer over UDP is named also where the exchange had begun before", REQUIRES, async () => {
  await using fixture = await startFixture("asker", { duration_ms: DURATION_MS_MAX, over: "udp", answer_ms: 25 });
  const { findings } = await look(fixture.processId);
  const found = findings.find(({ id }) => id === "slow-peer");
  assert.equal(found?.severity, "critical", found?.title);
  assert.match(found.evidence.object ?? "", /^127\.0\.0\.1:\d+ \(udp\)$/);
});

const TWO_ANSWERERS = `
import os, socket, time
def answerer(pause):
    its = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    its.bind(("127.0.0.1", 0))
    if os.fork() == 0:
        while True:
            data, sender = its.recvfrom(100); time.sleep(pause); its.sendto(data, sender)
    return its.getsockname()
others = [answerer(0), answerer(0.02)]
mine = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    for other, request in zip(others, (b"request", b"query")):
        mine.sendto(request, other); mine.recvfrom(100); time.sleep(0.01)
`;

kernelTest("one socket that asks two answerers in turn has a row for each, with what each was sent", {
  requires: [...TRACING_REQUIREMENTS, "python3"],
}, async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/script`, TWO_ANSWERERS);
    await using program = new BackgroundProgram(["python3", `${folder}/script`], { isGroup: true });
    await until(() => childCount(program.processId) === 2, { what: "both answer", timeoutMs: 60_000 });
    const { peers } = await look(program.processId);
    const asked = peers.filter(({ role, processId }) => role === "client" && processId === program.processId)
      .filter(({ sends }) => sends.operationCount > 0)
      .sort((one, other) => one.responses.totalMs - other.responses.totalMs);
    const bytesEach = asked.map(({ sends }) => sends.byteCount / sends.operationCount);
    assert.deepEqual(bytesEach, [7, 5]);
    for (const { sends, receives } of asked) assert.ok(Math.abs(sends.operationCount - receives.operationCount) <= 1);
    const [, slow] = asked;
    assert.ok(slow !== undefined && slow.responses.totalMs / slow.responses.count >= 19, "its answers are its own");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

for (const over of ["pair", "udp", "unix", "tcp"]) {
  for (const isTold of [false, true]) {
    const when = isTold ? "opened in the window" : "open before it";
    kernelTest(`both ends over ${over}, ${when}, are told apart by who asks`, REQUIRES, async () => {
      await using fixture = await startFixture("asker", {
        duration_ms: DURATION_MS_MAX,
        over,
        pause_ms: 80,
        ...(isTold ? { told: 1 } : {}),
      });
      const { peers } = await look(fixture.processId, { isTold });
      const roles = peers.filter(({ sends }) => sends.operationCount > 0).map(({ processId, role }) =>
        `${processId === fixture.processId ? "asker" : "answerer"} ${role}`
      );
      assert.deepEqual([...new Set(roles)].sort(), ["answerer server", "asker client"]);
      for (const { unmeasuredResponseCount, responses } of peers) {
        assert.ok(responses.count >= unmeasuredResponseCount, "most of it could be measured");
      }
    });
  }
}

interface Look {
  readonly findings: readonly Finding[];
  readonly peers: readonly PeerMeasurement[];
  readonly waits: Measurements["waits"];
}

/** One look at the process and its child; `isTold`: it begins once it is looked at. */
async function look(processId: number, { isTold = false } = {}): Promise<Look> {
  await using tracing = await Tracing.start([processTarget(processId)]);
  if (isTold) Deno.kill(processId, "SIGUSR1");
  await tracing.lasts(WINDOW_MS);
  const measured: Measurements = await tracing.finish();
  return { findings: findingsIn(measured, tracing.events), peers: measured.peers, waits: measured.waits };
}

function childCount(processId: number): number {
  return Deno.readTextFileSync(`/proc/${processId}/task/${processId}/children`).trim().split(" ").filter(Boolean)
    .length;
}
