/**
 * Which threads serve clients, seen from how they wait for them.
 *
 * @module
 */

import type { WaitMeasurement, WaitObject } from "../../api/measurements.ts";
import type { TargetFacts, ThreadFacts } from "../facts.ts";
import { isSocketPair } from "../wait_object.ts";

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

/** Whether it does so for many of them at once: what holds one up holds all of them up. */
export function isEventLoop(thread: ThreadFacts): boolean {
  return servesClients(thread) && clientWaits(thread).some(({ systemCall }) => LOOP_CALLS.has(systemCall ?? ""));
}
