/**
 * The file a recording goes to. It holds command lines and paths, so it is its
 * owner's alone, and never a file that somebody else put in its place.
 *
 * @module
 */

import { basename, dirname } from "node:path";
import type { RecordingSink } from "../../engine/mod.ts";
import { RunError } from "../run_error.ts";
import { describeFileProblem } from "./file_problem.ts";

export interface RecordingFile extends RecordingSink, AsyncDisposable {
  /** As it was given. */
  readonly path: string;
  /** Puts the file in its place: from now on it stays, whatever becomes of the run. @throws {RunError} */
  keep(): Promise<void>;
  /** Removes what was not kept, at once; for the end of the process itself. */
  abandon(): void;
}

/**
 * Makes a file that will take the place of `path`, which may be a regular file
 * of ours; a link, a device, a pipe or a file of somebody else is refused.
 *
 * @throws {RunError} When nothing can be recorded there
 */
export async function openRecordingFile(path: string): Promise<RecordingFile> {
  try {
    refuseForeign(await lookAt(path), path);
    // O_CREAT | O_EXCL, mode 0600: never a file or link that somebody put there.
    const temporaryPath = await Deno.makeTempFile({
      dir: dirname(path),
      prefix: `.${basename(path)}.`,
      suffix: ".tmp",
    });
    const file = await Deno.open(temporaryPath, { write: true });
    return toRecordingFile(file, { path, temporaryPath });
  } catch (error) {
    throw toRunError(error, path);
  }
}

function toRecordingFile(file: Deno.FsFile, paths: { path: string; temporaryPath: string }): RecordingFile {
  const { path, temporaryPath } = paths;
  let isPending = true;
  function abandon(): void {
    if (isPending) Deno.removeSync(temporaryPath);
    isPending = false;
  }
  return {
    path,
    write: (bytes) => file.write(bytes),
    async keep() {
      try {
        refuseForeign(await lookAt(path), path);
        await Deno.rename(temporaryPath, path); // a link that came there since is replaced, not followed
        isPending = false;
      } catch (error) {
        throw toRunError(error, path);
      }
    },
    abandon,
    [Symbol.asyncDispose]() {
      file.close();
      abandon();
      return Promise.resolve();
    },
  };
}

function refuseForeign(found: Deno.FileInfo | undefined, path: string): void {
  if (found === undefined) return;
  if (!found.isFile) throw new RunError(`${prefix(path)}: found ${nameOf(found)}, wanted a new file or one to replace`);
  if (found.uid === Deno.uid()) return;
  throw new RunError(`${prefix(path)}: found a file of user ${found.uid}, wanted a new file or one of ours`);
}

async function lookAt(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function nameOf(found: Deno.FileInfo): string {
  if (found.isSymlink) return "a link";
  if (found.isDirectory) return "a directory";
  return "a device or pipe";
}

function toRunError(error: unknown, path: string): unknown {
  if (error instanceof RunError || !(error instanceof Error)) return error;
  return new RunError(`${prefix(path)}: ${describeFileProblem(error, path)}`, { cause: error });
}

function prefix(path: string): string {
  return `Cannot record to ${JSON.stringify(path)}`;
}

/** Yields the one line that says why a recording ended before its run. */
export function describeRecordingFailure(file: Pick<RecordingFile, "path">, reason: Error): string {
  return `Cannot go on recording to ${JSON.stringify(file.path)}: ${
    describeFileProblem(reason, file.path)
  }; the diagnosis goes on without`;
}
