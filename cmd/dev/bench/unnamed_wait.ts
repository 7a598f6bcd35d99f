/**
 * How much of a busy service's waiting the time ledger has no name for.
 *
 * @module
 */

import { buildFixture, startFixture } from "../../../tests/support/fixture_programs.ts";
import { makeDiskDirectory } from "../demo/disk_directory.ts";
import { SlowUpstream } from "../demo/slow_upstream.ts";
import { numberOf, parseStatement } from "../demo/started_program.ts";
import { type Figure, formatValue, judgeAtMost } from "./figure.ts";
import { LineProgram } from "./line_program.ts";

const UNNAMED_PERCENT_MAX = 5;

/** A ledger of less says little: a hundredth of a busy thread's second. */
const NON_IDLE_WAIT_MS_MIN = 100;

const CLIENT_COUNT = 8;
const UPSTREAM_DELAY_MS = 5;

/** Longer than attaching and a diagnosis take; the fixtures are ended before. */
const FIXTURE_DURATION_MS_MAX = 120_000;

const MAIN = new URL("../../../main.ts", import.meta.url).pathname;

/** What of a report is judged. */
export interface NamedShare {
  readonly unnamedPercent: number;
  /** Neither idle nor delegated. */
  readonly waitMs: number;
}

/** Diagnoses both services for `durationMs` each. @throws {Error} If a diagnosis fails or saw too little */
export async function measureUnnamedWait(options: { durationMs: number }): Promise<readonly Figure[]> {
  return [
    toFigure("unnamed wait, threads", await diagnoseThreads(options.durationMs), {
      how: "a process of threads contending for a lock whose holder syncs a file, one calling an upstream, and one " +
        "serving clients, diagnosed together",
      durationMs: options.durationMs,
    }),
    toFigure("unnamed wait, async", await diagnoseEventLoops(options.durationMs), {
      how:
        `a Deno HTTP service under ${CLIENT_COUNT} clients that asks an upstream and syncs a log for each request, ` +
        "and an epoll loop in C with an upstream, diagnosed together",
      durationMs: options.durationMs,
    }),
  ];
}

function toFigure(name: string, found: NamedShare, about: { how: string; durationMs: number }): Figure {
  return {
    name,
    value: found.unnamedPercent,
    unit: "% of the non-idle wait has no name",
    target: `at most ${UNNAMED_PERCENT_MAX}`,
    verdict: judgeAtMost(found.unnamedPercent, UNNAMED_PERCENT_MAX),
    spread: `of ${formatValue(found.waitMs / 1000)} s waited in ${formatValue(about.durationMs / 1000)} s`,
    how: `timeLedger.unnamedShare of podtrace diagnose -o json, delegated waits left out: ${about.how}`,
  };
}

async function diagnoseThreads(durationMs: number): Promise<NamedShare> {
  await using directory = await makeDiskDirectory(["state"]);
  const duration = { duration_ms: FIXTURE_DURATION_MS_MAX };
  await using locks = await startFixture("lock_holder", {
    ...duration,
    holder: "fsync",
    path: `${directory.path}/audit.log`,
  });
  await using caller = await startFixture("slow_upstream", { ...duration, delay_ms: UPSTREAM_DELAY_MS });
  await using server = await startFixture("healthy_service", { ...duration, by: "threads" });

  return await diagnose([locks, caller, server].map(({ processId }) => processId), durationMs);
}

async function diagnoseEventLoops(durationMs: number): Promise<NamedShare> {
  await buildFixture("epoll_client");
  await using directory = await makeDiskDirectory(["state"]);
  await using upstream = new SlowUpstream({ port: 0, delayMs: UPSTREAM_DELAY_MS });
  await using loop = await startFixture("epoll_client", { duration_ms: FIXTURE_DURATION_MS_MAX });
  await using service = new LineProgram(Deno.execPath(), [
    "run",
    "--quiet",
    "--no-config",
    "-A",
    new URL("busy_service.ts", import.meta.url).pathname,
    String(upstream.port),
    `${directory.path}/requests.log`,
    String(FIXTURE_DURATION_MS_MAX),
  ], { isEndedByInput: false });
  const ready = parseStatement((await service.answer()).replace("READY ", ""));
  await using _load = new HttpLoad(numberOf(ready, "port"));

  return await diagnose([numberOf(ready, "pid"), loop.processId], durationMs);
}

/** Clients that send their next request when the last is answered. */
class HttpLoad implements AsyncDisposable {
  readonly #client = Deno.createHttpClient({ poolMaxIdlePerHost: CLIENT_COUNT });
  readonly #clients: readonly Promise<void>[];
  #isStopped = false;

  constructor(port: number) {
    const url = `http://127.0.0.1:${port}/`;
    this.#clients = Array.from({ length: CLIENT_COUNT }, () => this.#request(url));
  }

  async #request(url: string): Promise<void> {
    while (!this.#isStopped) {
      const response = await fetch(url, { client: this.#client });
      await response.text();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#clients);
    this.#client.close();
  }
}

async function diagnose(processIds: readonly number[], durationMs: number): Promise<NamedShare> {
  const targets = processIds.flatMap((processId) => ["--pid", String(processId)]);
  const args = ["diagnose", ...targets, "--duration", `${Math.round(durationMs)}ms`, "-o", "json"];
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", MAIN, ...args, "--log-level", "warn"],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).output();
  if (code !== 0) throw new Error(`Cannot measure unnamed waits: podtrace diagnose ended with ${code}, wanted 0`);
  return readNamedShare(new TextDecoder().decode(stdout));
}

/**
 * Yields what a JSON report says, of waits that are neither idle nor delegated:
 * a thread that waits for another traced thread is named twice over, and must
 * not dilute the share.
 *
 * @throws {Error} If it saw too little waiting to say anything
 */
export function readNamedShare(json: string): NamedShare {
  const { total, unnamedShare } = JSON.parse(json).timeLedger;
  const nonIdleMs = total.blockedMs - total.idleMs;
  const waitMs = nonIdleMs - total.delegatedMs;
  if (!(waitMs >= NON_IDLE_WAIT_MS_MIN)) {
    throw new Error(
      `Cannot measure unnamed waits: found ${waitMs} ms of non-idle waiting, wanted ${NON_IDLE_WAIT_MS_MIN} or more`,
    );
  }
  return { unnamedPercent: Math.min(unnamedShare * nonIdleMs / waitMs, 1) * 100, waitMs };
}
