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
  /**
   * A cgroup target is two levels deep, and the program lives in the inner one.
   * A command is started by podtrace itself, which waits until it has ended.
   */
  readonly target: "process" | "cgroup" | "command";
  /** What its cgroup may have; needs a target that is not a process. */
  readonly limits?: GroupLimits;
  /** It waits for SIGUSR1, and gets it before it is looked at. A command gets it when it is ready. */
  readonly isToldToGo?: boolean;
  /** The rule that has to speak up; `undefined`: none may, above info; "any": it is the figures that count. */
  readonly findingId: string | undefined;
  /** What the finding has to name, anywhere in its title or evidence. */
  readonly names: (ready: Statement) => readonly string[];
  /** Of `diagnose`, beside the target, the time and the format. */
  readonly arguments?: readonly string[];
  /** Yields what is wrong with the figures of its sections; absent: they are not looked at. */
  readonly figureProblems?: (report: JsonReport) => readonly string[];
  /** It would disturb others that are looked at together with it, or be disturbed. */
  readonly isAlone?: boolean;
  /** The run is recorded, and replayed in the machine and outside of it. */
  readonly isRecorded?: boolean;
  /** What `diagnose --now` has to name too; absent: it is not asked. */
  readonly nowNames?: (ready: Statement) => readonly string[];
}

/** Of a cgroup; those that are absent are not limited. */
export interface GroupLimits {
  readonly cpus?: number;
  readonly memoryBytes?: number;
  /** To the disk that holds `DISK_FOLDER`. */
  readonly writtenBytesPerSecond?: number;
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

/** How often the talker asks on each of its sockets; every request is of 100 bytes, every answer of 200. */
const TALKS = 40;

/** On each connection, but for the first: three more on top of each other, two after them, and one that is reset. */
const TALKED: Readonly<Record<string, { readonly sends: number; readonly receives: number }>> = {
  "127.0.0.1:": { sends: 2 * TALKS + 6, receives: 2 * TALKS + 5 },
  "[::1]:": { sends: TALKS, receives: TALKS },
  "(udp)": { sends: TALKS, receives: TALKS },
  "unix socket": { sends: TALKS, receives: TALKS },
};

/** To the byte, whatever serves the hooks. */
function talkProblems({ peers = [], command }: JsonReport): readonly string[] {
  const clients = peers.filter(({ role }) => role === "client");
  const problems = Object.entries(TALKED).flatMap(([sign, { sends, receives }]) => {
    const found = clients.filter(({ target, failed_connects }) =>
      failed_connects === 0 &&
      (sign.endsWith(":") ? target.startsWith(sign) && !target.includes("(") : target.includes(sign))
    );
    const figures = found.map((peer) =>
      [peer.send_operations, peer.sent_bytes, peer.receive_operations, peer.received_bytes].join(" ")
    );
    const wanted = [sends, 100 * sends, receives, 200 * receives].join(" ");
    return figures.join() === wanted ? [] : [`${sign} ${figures.join() || "is not there"}, wanted ${wanted}`];
  });
  const refused = clients.filter(({ failed_connects }) => failed_connects === 7).length;
  return [
    ...problems,
    ...(refused === 1 ? [] : [`${refused} peers refused 7 connects, wanted 1`]),
    ...exitProblems(command, 0),
  ];
}

function exitProblems(command: JsonReport["command"], wanted: number): readonly string[] {
  return command?.exitCode === wanted ? [] : [`the command ended with ${command?.exitCode}, wanted ${wanted}`];
}

const FILE_ROUNDS = 50;

/** Each round writes, reads and syncs one file, which it makes, renames and removes. */
function roundProblems({ filesystem, command }: JsonReport): readonly string[] {
  const made = filesystem?.top_files?.find(({ Target }) => Target === `${DISK_FOLDER}/made`)?.Count ?? 0;
  const { fsync_operations: syncs = 0, errors = 0 } = filesystem ?? {};
  return [
    ...(made === 3 * FILE_ROUNDS ? [] : [`${made} operations on the file, wanted ${3 * FILE_ROUNDS}`]),
    ...(syncs === FILE_ROUNDS ? [] : [`${syncs} fsyncs, wanted ${FILE_ROUNDS}`]),
    ...(errors >= FILE_ROUNDS ? [] : [`${errors} failures, wanted ${FILE_ROUNDS} reads of no descriptor`]),
    ...exitProblems(command, 0),
  ];
}

/** Two thirds of the time in one function, a third in the other. */
function sampleProblems({ stacks }: JsonReport): readonly string[] {
  const counts = ["parse_prices", "parse_orders"].map((name) => {
    const lines = stacks?.foldedOnCpu.filter((line) => line.includes(`;${name} `)) ?? [];
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
  });
  const [prices = 0, orders = 0] = counts;
  const isShared = prices + orders >= 100 && prices > 1.5 * orders && orders > 0;
  return isShared
    ? []
    : [`${prices} samples in one function and ${orders} in the other, wanted two to one of some 250`];
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
    isRecorded: true,
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
    name: "pages read from the disk",
    program: "major_faults",
    settings: { path: `${DISK_FOLDER}/pages.bin` },
    target: "process",
    isAlone: true,
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
    isAlone: true,
    findingId: "cpu-wait",
    names: () => ["hog-"],
  },
  {
    name: "busy threads under a CPU limit",
    program: "cpu_hogs",
    settings: { threads: 2 },
    target: "cgroup",
    limits: { cpus: 0.2 },
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
    name: "sockets of every kind, counted",
    program: "socket_talker",
    settings: { times: TALKS, delay_ms: 2 },
    target: "command",
    isToldToGo: true,
    findingId: "connection-failures",
    names: () => ["ECONNREFUSED"],
    figureProblems: talkProblems,
  },
  {
    name: "operations on files, counted",
    program: "file_worker",
    settings: { rounds: FILE_ROUNDS, path: DISK_FOLDER },
    target: "command",
    isToldToGo: true,
    arguments: ["--filter", "time,fs"],
    findingId: "any",
    names: () => [],
    figureProblems: roundProblems,
  },
  {
    name: "process that is killed for want of memory",
    program: "resource_hog",
    settings: { what: "memory", hold_bytes: 48 << 20 },
    target: "command",
    limits: { memoryBytes: 24 << 20 },
    isToldToGo: true,
    findingId: "oom-kill",
    names: () => ["resource_hog"],
    figureProblems: ({ command }) => exitProblems(command, 137),
  },
  {
    name: "group that is nearly full",
    program: "resource_hog",
    settings: { what: "memory", hold_bytes: 30 << 20 },
    target: "cgroup",
    limits: { memoryBytes: 32 << 20 },
    isToldToGo: true,
    findingId: "memory-limit",
    names: () => [],
  },
  {
    name: "group at its limit of writing",
    program: "fsync_log",
    settings: { write_bytes: 1 << 18, path: `${DISK_FOLDER}/audit.log` },
    target: "cgroup",
    limits: { writtenBytesPerSecond: 1 << 20 },
    findingId: "io-limit",
    names: () => [],
  },
  {
    name: "segments that are lost",
    program: "troubled_peer",
    settings: { trouble: "lossy" },
    target: "process",
    findingId: "retransmits",
    names: upstreamPeer,
  },
  {
    name: "service that does not accept fast enough",
    program: "troubled_peer",
    settings: { trouble: "crowded", as: "server", callers: 4 },
    target: "process",
    findingId: "listen-overflow",
    names: (ready) => [String(ready["upstream_port"])],
  },
  {
    name: "what threads compute",
    program: "hot_paths",
    settings: {},
    target: "process",
    arguments: ["--stacks"],
    findingId: "any",
    names: () => [],
    figureProblems: sampleProblems,
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

/** What a locked kernel is asked: the first, which any plane that is shut would spoil. */
const LOCKED_SCENARIO_COUNT = 1;

/** Which scenarios a machine goes through. */
export interface ScenarioChoice {
  readonly isLocked: boolean;
  /** Parts of names, in lower case; none: all scenarios. */
  readonly only: readonly string[];
}

/** Yields the chosen ones; the guest and the judge ask alike. */
export function chooseScenarios({ isLocked, only }: ScenarioChoice): readonly Scenario[] {
  if (isLocked) return SCENARIOS.slice(0, LOCKED_SCENARIO_COUNT);
  return SCENARIOS.filter(({ name }) => only.length === 0 || only.some((part) => name.toLowerCase().includes(part)));
}

/**
 * Yields which of them are looked at together, in one run of podtrace: to load
 * the programs is most of what a run takes in an emulated machine.
 */
export function toLooks(scenarios: readonly Scenario[]): readonly (readonly Scenario[])[] {
  const together = scenarios.filter(isShared);
  const alone = scenarios.filter((scenario) => !isShared(scenario)).map((scenario) => [scenario]);
  return together.length === 0 ? alone : [...alone, together];
}

/**
 * Its finding is told from those of others by its target; figures are of the
 * whole report, and diagnose takes many processes but one cgroup.
 */
function isShared({ target, isAlone, arguments: given, figureProblems, nowNames }: Scenario): boolean {
  return target === "process" && isAlone !== true && given === undefined && figureProblems === undefined &&
    nowNames === undefined;
}
