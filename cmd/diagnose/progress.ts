/**
 * The status line of a running window.
 *
 * @module
 */

import type { RunProgress } from "./run_observer.ts";

/** Yields "12 s of 30 s, 14 threads, 231 waits". */
export function formatProgress(progress: RunProgress, time: { elapsedMs: number; durationMs: number }): string {
  const elapsedS = Math.floor(Math.min(time.elapsedMs, time.durationMs) / 1000);
  const durationS = Math.ceil(time.durationMs / 1000);
  return `${elapsedS} s of ${durationS} s, ${counted(progress.threadCount, "thread")}, ` +
    counted(progress.waitCount, "wait");
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
