/**
 * What is tried in the machine: planted programs, how podtrace is pointed at
 * them, and what its report has to say. Both sides read this: the guest what to
 * start, the host what to expect.
 *
 * @module
 */

import type { Statement } from "../demo/started_program.ts";
import type { JsonReport } from "../../../engine/diagnose/report_schema.ts";
import type { FixtureName, FixtureSettings } from "../../../tests/support/fixture_programs.ts";

export interface Scenario {
  readonly name: string;
  readonly program: FixtureName;
  readonly settings: FixtureSettings;
  /** A cgroup target is two levels deep, and the program lives in the inner one. */
  readonly target: "process" | "cgroup";
  /** CPUs its cgroup is held to; needs a cgroup target. */
  readonly cpus?: number;
  /** The rule that has to speak up; `undefined`: none may, above info. */
  readonly findingId: string | undefined;
  /** What the finding has to name, anywhere in its title or evidence. */
  readonly names: (ready: Statement) => readonly string[];
  /** Of `diagnose`, beside the target, the time and the format. */
  readonly arguments?: readonly string[];
  /** Yields what is wrong with the figures of its sections; absent: they are not looked at. */
  readonly figureProblems?: (report: JsonReport) => readonly string[];
  /** What `diagnose --now` has to name too; absent: it is not asked. */
  readonly nowNames?: (ready: Statement) => readonly string[];
}

/** Lies on a disk of its own, two mounts deep. */
export const DISK_FOLDER = "/disk/srv/state";

const upstreamPeer = (ready: Statement): readonly string[] => [`127.0.0.1:${ready["upstream_port"]}`];

/** What went over the connection: the calls of either kind, and their bytes. */
function transferProblems({ tcp, completeness }: JsonReport): readonly string[] {
  if (completeness.transfers.verdict === "blind") return []; // judged as such
  if (tcp === undefined) return ["no figures of TCP at all"];
  const { send_operations: sends, receive_operations: receives, sent_bytes, received_bytes } = tcp;
  const isWhole = sends > 0 && Math.abs(sends - receives) <= 1 && sent_bytes > 0 && received_bytes > 0;
  return isWhole ? [] : [`${sends} sends and ${receives} receives, wanted as many of one as of the other, and some`];
}

/** Each round of the log is one write and one fsync. */
function fileProblems({ filesystem }: JsonReport): readonly string[] {
  if (filesystem === undefined) return ["no figures of files at all"];
  const { write_operations: writes = 0, fsync_operations: fsyncs = 0, top_files = [] } = filesystem;
  const isNamed = top_files.some(({ Target }) => Target === `${DISK_FOLDER}/audit.log`);
  return [
    ...(fsyncs > 0 && Math.abs(writes - fsyncs) <= 1 ? [] : [`${writes} writes and ${fsyncs} fsyncs, wanted as many`]),
    ...(isNamed ? [] : [`the log is not among ${JSON.stringify(top_files)}`]),
  ];
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "slow upstream in recv",
    program: "slow_upstream",
    settings: {},
    target: "process",
    findingId: "slow-peer",
    names: upstreamPeer,
    figureProblems: transferProblems,
    // It waits for the answer 99 % of the time.
    nowNames: (ready) => ["caller", `recvfrom ${upstreamPeer(ready).join()}`],
  },
  {
    name: "slow upstream in poll, as a cgroup",
    program: "slow_upstream",
    settings: { wait: "poll" },
    target: "cgroup",
    findingId: "slow-peer",
    names: upstreamPeer,
  },
  {
    name: "slow upstream in an epoll loop",
    program: "epoll_client",
    settings: {},
    target: "process",
    findingId: "slow-peer",
    names: upstreamPeer,
  },
  {
    name: "lock whose holder sleeps",
    program: "lock_holder",
    settings: { holder: "sleep" },
    target: "process",
    findingId: "lock-contention",
    names: (ready) => [String(ready["lock_address"]), "flusher"],
  },
  {
    name: "lock whose holder waits for an upstream",
    program: "lock_holder",
    settings: { holder: "upstream" },
    target: "process",
    findingId: "slow-peer",
    names: (ready) => [...upstreamPeer(ready), "flusher", "lock"],
  },
  {
    name: "fsync-heavy log",
    program: "fsync_log",
    settings: { write_bytes: 1 << 18, path: `${DISK_FOLDER}/audit.log` },
    target: "process",
    findingId: "disk-stall",
    names: () => ["fsync", `${DISK_FOLDER}/audit.log`, "flusher"],
  },
  {
    name: "every operation on files",
    program: "fsync_log",
    settings: { write_bytes: 1 << 18, path: `${DISK_FOLDER}/audit.log` },
    target: "process",
    arguments: ["--filter", "time,fs"],
    findingId: "disk-stall",
    names: () => ["fsync", `${DISK_FOLDER}/audit.log`],
    figureProblems: fileProblems,
  },
  {
    name: "pages read from the disk",
    program: "major_faults",
    settings: { path: `${DISK_FOLDER}/pages.bin` },
    target: "process",
    findingId: "page-fault",
    // Named within its file system: a fault does not say through which mount.
    names: () => ["srv/state/pages.bin"],
  },
  {
    name: "pipe with a slow writer",
    program: "pipe_waiter",
    settings: {},
    target: "process",
    findingId: "pipe-wait",
    names: () => ["pipe"],
  },
  {
    name: "slow children",
    program: "child_waiter",
    settings: {},
    target: "process",
    findingId: "child-wait",
    names: () => ["child"],
  },
  {
    name: "children that fail again and again",
    program: "crash_loop",
    settings: {},
    target: "process",
    findingId: "crash-loop",
    names: () => ["crasher", "3"],
  },
  {
    name: "more busy threads than CPUs",
    program: "cpu_hogs",
    settings: { threads: 3 },
    target: "process",
    findingId: "cpu-wait",
    names: () => ["hog-"],
  },
  {
    name: "busy threads under a CPU limit",
    program: "cpu_hogs",
    settings: { threads: 2 },
    target: "cgroup",
    cpus: 0.2,
    findingId: "cpu-throttling",
    names: () => ["0.2"],
  },
  {
    name: "peer at which nobody listens",
    program: "troubled_peer",
    settings: { trouble: "refused" },
    target: "process",
    findingId: "connection-failures",
    names: (ready) => [`127.0.0.1:${ready["upstream_port"]}`, "ECONNREFUSED"],
  },
  {
    name: "peer that resets every connection",
    program: "troubled_peer",
    settings: { trouble: "reset" },
    target: "process",
    findingId: "connection-resets",
    names: (ready) => [`127.0.0.1:${ready["upstream_port"]}`, "ECONNRESET"],
  },
  {
    name: "idle process",
    program: "sleeper",
    settings: { in: "epoll" },
    target: "process",
    findingId: undefined,
    names: () => [],
  },
];

/** How long each program is looked at. */
export const DIAGNOSE_DURATION = "3s";
