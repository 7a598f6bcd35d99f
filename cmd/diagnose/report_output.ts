/**
 * Where the report goes: stdout, or a file that is complete or not there.
 *
 * @module
 */

import { basename, dirname } from "node:path";
import { RunError } from "../run_error.ts";
import { describeFileProblem } from "./file_problem.ts";
import type { TextOutput } from "../text_output.ts";

export interface ReportOutput extends AsyncDisposable {
  /**
   * Delivers the whole report; once.
   *
   * @throws {RunError} When it cannot be written
   * @throws {OutputGoneError} When the reader of stdout is gone
   */
  deliver(report: string): Promise<void>;
  /** Removes what is half done, at once; for the end of the process itself. */
  abandon(): void;
}

/** A report names processes, paths and peers: it is its owner's alone. */
const REPORT_MODE = 0o600;

/** The report on stdout. */
export function stdoutReport(stdout: TextOutput): ReportOutput {
  return {
    deliver: (report) => stdout.write(report),
    abandon: () => {},
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/**
 * Opens `path` for a report before there is one, so that a mistake shows before
 * anything is attached. A regular file is replaced as a whole by `deliver`
 * (written beside it, then renamed); a device or pipe is written to directly.
 *
 * @throws {RunError} When no report could be written there
 */
export async function openReportFile(path: string): Promise<ReportOutput> {
  try {
    const info = await existing(path);
    if (info?.isDirectory) throw new RunError(`Cannot write the report to ${quote(path)}: it is a directory`);
    if (info !== undefined && !info.isFile) return await openStream(path);
    return await openReplacement(path, info === undefined ? undefined : await Deno.realPath(path));
  } catch (error) {
    throw toRunError(error, path);
  }
}

async function existing(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function openStream(path: string): Promise<ReportOutput> {
  const file = await Deno.open(path, { write: true });
  return {
    async deliver(report) {
      try {
        await writeAll(file, report);
      } catch (error) {
        throw toRunError(error, path);
      }
    },
    abandon: () => {},
    [Symbol.asyncDispose]: () => Promise.resolve(file.close()),
  };
}

/** @param realPath of the file that is replaced, links followed; `undefined`: there is none */
async function openReplacement(path: string, realPath: string | undefined): Promise<ReportOutput> {
  if (realPath !== undefined) await assertWritable(realPath);
  const destination = realPath ?? path;
  const makeTemporary = () =>
    Deno.makeTempFileSync({ dir: dirname(destination), prefix: `.${basename(destination)}.`, suffix: ".tmp" });
  // Only to find out: what is killed before the report is there leaves nothing beside it.
  Deno.removeSync(makeTemporary());
  let pendingPath: string | undefined;
  function abandon(): void {
    if (pendingPath !== undefined) Deno.removeSync(pendingPath);
    pendingPath = undefined;
  }
  return {
    async deliver(report) {
      try {
        const temporaryPath = pendingPath = makeTemporary();
        using file = await Deno.open(temporaryPath, { write: true });
        await writeAll(file, report);
        await file.sync();
        await Deno.chmod(temporaryPath, REPORT_MODE);
        await Deno.rename(temporaryPath, destination);
        pendingPath = undefined;
      } catch (error) {
        throw toRunError(error, path);
      }
    },
    abandon,
    [Symbol.asyncDispose]: () => Promise.resolve(abandon()),
  };
}

/** Replacing a file needs no right to it, only to its folder; still, what is write-protected stays. */
async function assertWritable(path: string): Promise<void> {
  using _file = await Deno.open(path, { write: true });
}

async function writeAll(file: Deno.FsFile, text: string): Promise<void> {
  let rest = new TextEncoder().encode(text);
  while (rest.length > 0) rest = rest.subarray(await file.write(rest));
}

function toRunError(error: unknown, path: string): unknown {
  if (error instanceof RunError || !(error instanceof Error)) return error;
  return new RunError(`Cannot write the report to ${quote(path)}: ${describeFileProblem(error, path)}`, {
    cause: error,
  });
}

function quote(text: string): string {
  return JSON.stringify(text);
}
