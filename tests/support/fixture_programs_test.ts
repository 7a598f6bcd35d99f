import { makeDiskDirectory } from "../../cmd/dev/demo/disk_directory.ts";
import { assert } from "./assert.ts";
import {
  FIXTURE_NAMES,
  type FixtureName,
  type FixtureSettings,
  numberOf,
  startFixture,
  type Statement,
} from "./fixture_programs.ts";
import { kernelTest } from "./kernel.ts";
import { AsyncService } from "./planted_service.ts";

const DURATION_MS = 250;

interface Row {
  readonly name: FixtureName;
  readonly does: string;
  readonly settings?: FixtureSettings;
  /** The path setting is a new file of this name on a disk. */
  readonly file?: string;
  readonly holds: (truth: Statement) => boolean;
}

/** The share of its window that a fixture spent in the waits it tallied. */
function share(truth: Statement, wait: string): number {
  return numberOf(truth, `${wait}_ms`) / numberOf(truth, "window_ms");
}

function meanMs(truth: Statement, wait: string): number {
  return numberOf(truth, `${wait}_ms`) / numberOf(truth, `${wait}_count`);
}

/** The last wait may be cut short by the end; no other is shorter than what was planted. */
function isAbout(truth: Statement, wait: string, plantedMs: number): boolean {
  return numberOf(truth, `${wait}_ms_max`) >= plantedMs - 1 && meanMs(truth, wait) >= 0.7 * plantedMs;
}

const isIdle = (truth: Statement): boolean => numberOf(truth, "cpu_ms") < 0.1 * numberOf(truth, "window_ms");

const ROWS: readonly Row[] = [
  {
    name: "asker",
    does: "waits for the answer of its worker",
    settings: { answer_ms: 20 },
    holds: (truth) => isAbout(truth, "ask", 20),
  },
  {
    name: "pair_asker",
    does: "waits for the answer of a process that is none of its own",
    settings: { delay_ms: 20 },
    holds: (truth) => isAbout(truth, "answer", 20),
  },
  { name: "deadlock", does: "waits for locks that nobody will give", holds: isIdle },
  {
    name: "file_worker",
    does: "does nothing before it is told to",
    holds: (truth) => truth["rounds"] === 0 && isIdle(truth),
  },
  { name: "poller", does: "looks again and again", holds: (truth) => numberOf(truth, "poll_count") > 100 },
  {
    name: "resource_hog",
    does: "is refused descriptors",
    settings: { what: "descriptors" },
    holds: (truth) => numberOf(truth, "refused_count") > 3,
  },
  {
    name: "resource_hog",
    does: "takes page faults all the time",
    settings: { what: "faults" },
    holds: (truth) => numberOf(truth, "minor_faults") > 1000,
  },
  {
    name: "resource_hog",
    does: "starts children all the time",
    settings: { what: "processes" },
    holds: (truth) => numberOf(truth, "started_count") > 3,
  },
  {
    name: "shared_port",
    does: "accepts nothing before it is told to",
    holds: (truth) => truth["own_count"] === 0 && truth["strange_count"] === 0 && isIdle(truth),
  },
  {
    name: "failing_connects",
    does: "connects to nobody before it is told to",
    holds: (truth) => truth["times"] === 0 && isIdle(truth),
  },
  {
    name: "socket_moves",
    does: "connects to nobody before it is told to",
    settings: { first_port: 9, second_port: 9 },
    holds: (truth) => truth["exchange_count"] === 0 && isIdle(truth),
  },
  {
    name: "socket_talker",
    does: "says nothing before it is told to",
    holds: (truth) => truth["times"] === 0 && isIdle(truth),
  },
  {
    name: "troubled_peer",
    does: "is refused every time",
    settings: { trouble: "refused" },
    holds: (truth) => numberOf(truth, "attempt_count") > 3 && truth["failed_count"] === truth["attempt_count"],
  },
  {
    name: "troubled_peer",
    does: "finds no local port but the first time",
    settings: { trouble: "ports" },
    holds: (truth) => numberOf(truth, "failed_count") > 3 && numberOf(truth, "connect_count") === 1,
  },
  {
    name: "slow_upstream",
    does: "waits for its upstream nearly all the time",
    settings: { delay_ms: 40 },
    holds: (truth) => share(truth, "upstream") > 0.9 && isAbout(truth, "upstream", 40) && isIdle(truth),
  },
  {
    name: "slow_upstream",
    does: "waits as long for datagrams",
    settings: { delay_ms: 40, transport: "udp" },
    holds: (truth) => share(truth, "upstream") > 0.9 && isAbout(truth, "upstream", 40) && isIdle(truth),
  },
  {
    name: "slow_upstream",
    does: "waits as long in poll()",
    settings: { delay_ms: 40, wait: "poll" },
    holds: (truth) => share(truth, "upstream") > 0.9 && isAbout(truth, "upstream", 40) && isIdle(truth),
  },
  {
    name: "epoll_client",
    does: "waits longer for its upstream than for its client",
    settings: { delay_ms: 30, think_ms: 10 },
    holds: (truth) =>
      isAbout(truth, "upstream", 30) && share(truth, "upstream") > share(truth, "idle") && isIdle(truth),
  },
  {
    name: "fsync_log",
    does: "spends its time in fsync",
    file: "audit.log",
    holds: (truth) => numberOf(truth, "fsync_count") > 5 && share(truth, "fsync") > 0.3,
  },
  {
    name: "call_paths",
    does: "waits three times as long in one function as in the other",
    holds: (truth) => isAbout(truth, "orders", 10) && isAbout(truth, "prices", 30) && isIdle(truth),
  },
  {
    name: "lock_holder",
    does: "makes three workers wait for a sleeper",
    settings: { hold_ms: 30 },
    holds: (truth) => share(truth, "lock") > 1.5 && isAbout(truth, "hold", 30),
  },
  {
    name: "lock_holder",
    does: "makes them wait for a thread that computes",
    settings: { hold_ms: 30, holder: "burn", workers: 1 },
    holds: (truth) => share(truth, "lock") > 0.4 && numberOf(truth, "cpu_ms") > 30,
  },
  {
    name: "lock_holder",
    does: "makes them wait for an fsync",
    settings: { hold_ms: 30, holder: "fsync" },
    file: "audit.log",
    holds: (truth) => share(truth, "lock") > 1.5 && isAbout(truth, "hold", 30),
  },
  {
    name: "lock_holder",
    does: "makes them wait for an upstream",
    settings: { hold_ms: 30, holder: "upstream" },
    holds: (truth) => share(truth, "lock") > 1.5 && isAbout(truth, "hold", 30),
  },
  {
    name: "cpu_hogs",
    does: "waits for CPUs once it has more threads than they are",
    settings: { threads: 2 * navigator.hardwareConcurrency },
    holds: (truth) => share(truth, "run_delay") > 0.4 * navigator.hardwareConcurrency,
  },
  {
    name: "pipe_waiter",
    does: "waits for the writer",
    settings: { delay_ms: 40 },
    holds: (truth) => numberOf(truth, "pipe_count") >= 3 && numberOf(truth, "pipe_ms_max") >= 40 && isIdle(truth),
  },
  {
    name: "child_waiter",
    does: "waits for each child",
    settings: { child_ms: 40 },
    holds: (truth) => share(truth, "child") > 0.9 && numberOf(truth, "child_ms_max") >= 40,
  },
  {
    name: "child_waiter",
    does: "waits inside vfork()",
    settings: { child_ms: 40, by: "vfork" },
    holds: (truth) => share(truth, "child") > 0.9 && numberOf(truth, "child_ms_max") >= 40,
  },
  {
    name: "crash_loop",
    does: "sees its child exit with 3",
    settings: { interval_ms: 20 },
    holds: (truth) => numberOf(truth, "crash_count") >= 5 && isIdle(truth),
  },
  {
    name: "crash_loop",
    does: "sees its child die of SIGSEGV",
    settings: { interval_ms: 20, by: "segv" },
    holds: (truth) => numberOf(truth, "crash_count") >= 5,
  },
  {
    name: "job_pool",
    does: "gets answers to its jobs and mostly waits for more",
    settings: { pause_ms: 20 },
    holds: (truth) => numberOf(truth, "job_count") >= 8,
  },
  {
    name: "hot_paths",
    does: "computes about twice as long in one function as in the other",
    holds: (truth) => {
      const ratio = numberOf(truth, "prices_ms") / numberOf(truth, "orders_ms");
      return ratio > 1.5 && ratio < 2.7;
    },
  },
  {
    name: "fork_flood",
    does: "starts no child until it is told to",
    holds: (truth) => numberOf(truth, "process_count") === 0 && isIdle(truth),
  },
  {
    name: "major_faults",
    does: "faults its pages in from the disk",
    file: "pages.bin",
    holds: (truth) => {
      return numberOf(truth, "major_fault_count") > 100 &&
        numberOf(truth, "major_fault_count") > 0.9 * numberOf(truth, "touch_count");
    },
  },
  ...["nanosleep", "pause", "poll", "epoll", "sigwait", "condition"].map((how): Row => ({
    name: "sleeper",
    does: `does nothing in ${how}`,
    settings: { in: how, duration_ms: 120 },
    holds: isIdle,
  })),
  {
    name: "busy",
    does: "computes without a wait of its own",
    holds: (truth) => numberOf(truth, "cpu_ms") > 0.3 * numberOf(truth, "window_ms"),
  },
  {
    name: "healthy_service",
    does: "answers from one thread at once",
    holds: (truth) => numberOf(truth, "request_count") > 50 && meanMs(truth, "request") < 5,
  },
  {
    name: "healthy_service",
    does: "answers from a thread per client at once",
    settings: { by: "threads" },
    holds: (truth) => numberOf(truth, "request_count") > 50 && meanMs(truth, "request") < 5,
  },
  {
    name: "short_threads",
    does: "makes many threads and processes",
    holds: (truth) => numberOf(truth, "thread_count") > 200 && numberOf(truth, "process_count") > 10,
  },
  {
    name: "exec_chain",
    does: "executes itself several times",
    settings: { stage_ms: 40 },
    holds: (truth) => numberOf(truth, "exec_count") >= 3,
  },
  {
    name: "stopped",
    does: "is stopped most of the time and goes on each time",
    settings: { stop_ms: 60 },
    holds: (truth) => numberOf(truth, "stopped_count") >= 2 && share(truth, "stopped") > 0.5,
  },
];

for (const { name, does, settings, file, holds } of ROWS) {
  kernelTest(`${name} ${does} and ends by itself`, { requires: ["clang"] }, async () => {
    await using directory = await makeDiskDirectory(["a", "b"]);
    await using fixture = await startFixture(name, {
      duration_ms: DURATION_MS,
      ...settings,
      ...(file === undefined ? {} : { path: `${directory.path}/${file}` }),
    });

    const truth = await fixture.ended();
    assert.ok(holds(truth), JSON.stringify(truth));
  });
}

Deno.test("every fixture has a row", () => {
  assert.deepEqual([...new Set(ROWS.map((row) => row.name))].sort(), [...FIXTURE_NAMES].sort());
});

kernelTest(
  "finish() ends a fixture long before its time and still yields what it measured",
  { requires: ["clang"] },
  async () => {
    await using fixture = await startFixture("slow_upstream", { duration_ms: 30_000, delay_ms: 5 });

    assert.ok(numberOf(await fixture.finish(), "window_ms") < 10_000);
  },
);

kernelTest("disposal kills a fixture and what runs beside it", { requires: ["clang"] }, async () => {
  let processIds: readonly number[];
  {
    await using fixture = await startFixture("slow_upstream", { duration_ms: 30_000 });
    processIds = await childrenOf(await parentOf(fixture.processId));
    assert.equal(processIds.length, 2, "the client and, beside it, its upstream");
    assert.ok(processIds.includes(fixture.processId));
    for (const processId of processIds) await Deno.readLink(`/proc/${processId}/exe`);
  }
  // A dead process that nobody waited for yet still has an entry, but runs no program.
  for (const processId of processIds) {
    await assert.rejects(Deno.readLink(`/proc/${processId}/exe`), Deno.errors.NotFound);
  }
});

async function parentOf(processId: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${processId}/status`);
  return Number(/^PPid:\s*(\d+)$/m.exec(status)?.[1]);
}

async function childrenOf(processId: number): Promise<readonly number[]> {
  const text = await Deno.readTextFile(`/proc/${processId}/task/${processId}/children`);
  return text.trim().split(" ").map(Number);
}

kernelTest("startFixture() says why when the program cannot be set up", { requires: ["clang"] }, async () => {
  await assert.rejects(
    startFixture("fsync_log", { path: "/nowhere/audit.log" }),
    /ended before it was ready, with code 71/,
  );
});

Deno.test("AsyncService waits for its upstream nearly all the time", async () => {
  await using service = await AsyncService.start({ delayMs: 20, pauseMs: 0, durationMs: 10_000 });
  assert.ok(service.processId > 0 && service.upstreamPort > 0);

  const truth = await service.finish();
  assert.ok(meanMs(truth, "upstream") >= 19, JSON.stringify(truth));
});
