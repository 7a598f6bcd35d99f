import type { Severity } from "../../api/severity.ts";
import { assert } from "../../../tests/support/assert.ts";
import { buildFacts, PEER, type ProcessSketch, type ThreadSketch, type WaitSketch } from "../test_measurements.ts";
import { childWait } from "./child_wait.ts";
import { slowPeer } from "./slow_peer.ts";

const waitFor = (overrides: Partial<WaitSketch> = {}): WaitSketch => ({
  waitClass: "child",
  object: { kind: "child", processId: 0 },
  systemCall: "wait4",
  count: 20,
  eachMs: 400,
  ...overrides,
});

const family = (
  { parent = "api", wait = {}, child = "convert", thread = {} }: {
    parent?: string;
    wait?: Partial<WaitSketch>;
    child?: string;
    thread?: Partial<ThreadSketch>;
  },
): { processes: readonly ProcessSketch[] } => ({
  processes: [
    { processId: 100, command: parent, threads: [{ threadId: 100, onCpuMs: 300, waits: [waitFor(wait)] }] },
    {
      processId: 200,
      parentProcessId: 100,
      command: child,
      threads: [{ threadId: 200, lifetimeMs: 8000, ...thread }],
    },
  ],
});

const SLEEPING: Partial<ThreadSketch> = { onCpuMs: 10, waits: [{ waitClass: "sleep", count: 20, eachMs: 399 }] };

const TABLE: readonly { name: string; world: ReturnType<typeof family>; severity: Severity | undefined }[] = [
  { name: "a service whose children sleep", world: family({ thread: SLEEPING }), severity: "error" },
  {
    name: "a service whose children are busy",
    world: family({ thread: { onCpuMs: 7800 } }),
    severity: "info",
  },
  {
    name: "a service that runs `sleep`, which is a timer only in a shell",
    world: family({ child: "sleep", thread: SLEEPING }),
    severity: "error",
  },
  {
    name: "a shell that sleeps between two rounds",
    world: family({ parent: "sh", child: "sleep", thread: SLEEPING }),
    severity: undefined,
  },
  {
    name: "a shell waiting for one long-lived child",
    world: family({ parent: "sh", wait: { count: 0, eachMs: 0, openMs: 9700 }, thread: SLEEPING }),
    severity: undefined,
  },
  {
    name: "two waits, which may be chance",
    world: family({ wait: { count: 2, eachMs: 4000 }, thread: SLEEPING }),
    severity: undefined,
  },
  {
    name: "children that end at once",
    world: family({ wait: { count: 400, eachMs: 2 }, thread: SLEEPING }),
    severity: undefined,
  },
];

for (const { name, world, severity } of TABLE) {
  Deno.test(`childWait() yields ${severity ?? "nothing"} for ${name}`, () => {
    assert.deepEqual(childWait(buildFacts(world)).map((finding) => finding.severity), severity ? [severity] : []);
  });
}

Deno.test("childWait() names the waiter, the child and what the child did", () => {
  const [finding] = childWait(buildFacts(family({ thread: SLEEPING })));
  assert.match(finding?.title ?? "", /^api \(100\) waits for its child convert \(200\), .* 400\.00 ms each time\.$/);
  assert.match(finding?.evidence.notes?.join() ?? "", /mostly slept/);
});

Deno.test("childWait() leaves the word to the peer its child waits for", () => {
  const facts = buildFacts(family({
    thread: {
      onCpuMs: 100,
      waits: [{ waitClass: "network", object: PEER, systemCall: "recvfrom", count: 20, eachMs: 380 }],
    },
  }));
  assert.deepEqual(childWait(facts), []);
  const [finding] = slowPeer(facts);
  assert.deepEqual(finding?.consequences, ["api (100) waited 8000.00 ms for its child convert (200)."]);
  // The parent's waiting is counted on the child, so it does not dilute the share.
  assert.equal(finding?.severity, "critical");
});

Deno.test("childWait() looks through a child that only waits for its own", () => {
  const world = family({ thread: { waits: [waitFor({ count: 1, eachMs: 7900 })] } });
  const grandchild: ProcessSketch = {
    processId: 300,
    parentProcessId: 200,
    command: "curl",
    threads: [{
      threadId: 300,
      waits: [{ waitClass: "network", object: PEER, systemCall: "poll", count: 20, eachMs: 390 }],
    }],
  };
  const facts = buildFacts({ processes: [...world.processes, grandchild] });
  assert.deepEqual(childWait(facts), []);
  assert.equal(slowPeer(facts)[0]?.consequences.length, 2);
});

Deno.test("childWait() names the thread that waits with its own id", () => {
  const { processes: [, child] } = family({ thread: SLEEPING });
  const [finding] = childWait(buildFacts({
    processes: [
      {
        processId: 100,
        command: "m",
        threads: [{ threadId: 100, onCpuMs: 300 }, { threadId: 121, command: "vforker", waits: [waitFor()] }],
      },
      ...(child === undefined ? [] : [child]),
    ],
  }));
  assert.match(finding?.title ?? "", /^vforker \(121\) waits for its child convert \(200\)/);
});

/** A shell and the two ends of a pipeline: one reads what the other writes, nearly all its life. */
const pipeline = (writer: Partial<ThreadSketch>): { processes: readonly ProcessSketch[] } => ({
  processes: [
    { processId: 100, command: "sh", threads: [{ threadId: 100, onCpuMs: 300, waits: [waitFor()] }] },
    {
      processId: 200,
      parentProcessId: 100,
      command: "sort",
      threads: [{ threadId: 200, lifetimeMs: 8000, ...writer }],
    },
    {
      processId: 300,
      parentProcessId: 100,
      command: "uniq",
      threads: [{
        threadId: 300,
        lifetimeMs: 8000,
        onCpuMs: 200,
        waits: [{
          waitClass: "pipe",
          object: { kind: "pipe", inode: 9 },
          systemCall: "read",
          count: 20,
          eachMs: 390,
          waker: { processId: 200, threadId: 200, command: "sort" },
        }],
      }],
    },
  ],
});

Deno.test("childWait() judges a pipeline by those of its parts that do not wait for each other", () => {
  const severities = (writer: Partial<ThreadSketch>) =>
    childWait(buildFacts(pipeline(writer))).map(({ severity }) => severity);
  assert.deepEqual(severities({ onCpuMs: 6000, waits: [{ waitClass: "sleep", count: 1, eachMs: 2000 }] }), ["info"]);
  assert.deepEqual(severities(SLEEPING), ["error"]);
});
