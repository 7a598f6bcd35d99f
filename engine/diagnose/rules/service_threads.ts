/**
 * Which threads serve clients, seen from how they wait for them.
 *
 * @module
 */

import type { WaitMeasurement, WaitObject } from "../../api/measurements.ts";
import type { SocketEndpoint } from "../../api/socket_measurements.ts";
import type { TargetFacts, ThreadFacts } from "../facts.ts";
import { describeObject, isSocketPair } from "../wait_object.ts";

/** Calls by which one thread waits for many clients at once. */
const LOOP_CALLS: ReadonlySet<string> = new Set([
  "epoll_wait",
  "epoll_pwait",
  "epoll_pwait2",
  "poll",
  "ppoll",
  "select",
  "pselect6",
  "io_uring_enter",
]);

const CLIENT_KINDS: ReadonlySet<WaitObject["kind"]> = new Set<WaitObject["kind"]>(["server", "unixServer"]);

/** So few waits for clients may be a health check's. */
const CLIENT_WAITS_MIN = 3;

/** An answer that takes as long is late. */
const ANSWER_MS_MIN = 5;

/** Yields every thread of the target. */
export function threadsOf(facts: TargetFacts): readonly ThreadFacts[] {
  return Array.from(facts.processes.values()).flatMap((process) => process.threads);
}

/** Yields the thread's waits for clients; those at a pair of sockets are between parts of one program. */
export function clientWaits(thread: ThreadFacts): readonly WaitMeasurement[] {
  return thread.waits.filter(({ waitClass, object }) =>
    waitClass === "idle" && CLIENT_KINDS.has(object.kind) && !isSocketPair(object)
  );
}

/** Whether the thread took work from clients, and not just once. */
export function servesClients(thread: ThreadFacts): boolean {
  return clientWaits(thread).reduce((sum, wait) => sum + wait.count, 0) >= CLIENT_WAITS_MIN;
}

/** A thread that clients wait for, and what its clients are called. */
export interface ServingThread {
  readonly thread: ThreadFacts;
  readonly clients: string;
}

/**
 * Yields every thread that serves clients. One that is held up so much that
 * there is always a client does not wait for any: where the sockets of a process say
 * that it answers, and late, it is its only thread, or the only one that polls.
 */
export function servingThreads(facts: TargetFacts): readonly ServingThread[] {
  return Array.from(facts.processes.values()).flatMap((process) => {
    const seen = process.threads.filter(servesClients);
    if (seen.length > 0) return seen.map((thread) => ({ thread, clients: clientsOf(thread) }));
    const endpoint = lateEndpoint(facts, process.info.processId);
    const [only, ...others] = process.threads.length === 1 ? process.threads : process.threads.filter(polls);
    const isOne = endpoint !== undefined && only !== undefined && others.length === 0;
    return isOne ? [{ thread: only, clients: describeObject(endpoint) }] : [];
  });
}

function clientsOf(thread: ThreadFacts): string {
  const [clients] = clientWaits(thread);
  return clients === undefined ? "its clients" : describeObject(clients.object);
}

function polls(thread: ThreadFacts): boolean {
  const waits = thread.waits.filter(({ systemCall }) => LOOP_CALLS.has(systemCall ?? ""));
  return waits.reduce((sum, wait) => sum + wait.count, 0) >= CLIENT_WAITS_MIN;
}

/** Yields a port at which the process answered its clients several times, and late on average. */
function lateEndpoint(facts: TargetFacts, processId: number): SocketEndpoint | undefined {
  return facts.peers.find(({ role, processId: owner, endpoint, responses: { count, totalMs } }) =>
    role === "server" && owner === processId && endpoint !== undefined && !isSocketPair(endpoint) &&
    count >= CLIENT_WAITS_MIN &&
    totalMs >= ANSWER_MS_MIN * count
  )?.endpoint;
}

/** Whether it does so for many of them at once: what holds one up holds all of them up. */
export function isEventLoop(thread: ThreadFacts): boolean {
  return servesClients(thread) && clientWaits(thread).some(({ systemCall }) => LOOP_CALLS.has(systemCall ?? ""));
}
