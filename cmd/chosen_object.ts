/**
 * The BPF object of a run: the one of this build, or one that somebody chose.
 *
 * @module
 */

import { EngineError, type EngineErrorCode } from "../engine/api/errors.ts";
import { sanitizeText } from "../engine/api/text.ts";
import { readBpfObjectFile, readChosenBpfObject } from "../engine/mod.ts";
import { OBJECT_VARIABLE } from "./options.ts";
import type { ProcessContext } from "./process_context.ts";

/** What the object itself can be to blame for. */
const OBJECT_CODES: ReadonlySet<EngineErrorCode> = new Set<EngineErrorCode>(["layout_mismatch", "object_rejected"]);

/** Yields the path somebody chose; `undefined`: nobody did. */
export function chosenObjectPath({ environment }: Pick<ProcessContext, "environment">): string | undefined {
  return environment(OBJECT_VARIABLE) || undefined;
}

/**
 * Yields what `use` makes of the object's bytes.
 *
 * @throws {EngineError} Whatever `use` throws; what is wrong with an object that somebody chose says which one it is
 */
export async function useObject<T>(
  context: Pick<ProcessContext, "environment">,
  use: (objectBytes: Uint8Array<ArrayBuffer>) => Promise<T>,
): Promise<T> {
  const path = chosenObjectPath(context);
  if (path === undefined) return await use(await readBpfObjectFile());
  const objectBytes = await readChosenBpfObject(path);
  try {
    return await use(objectBytes);
  } catch (error) {
    if (!(error instanceof EngineError) || !OBJECT_CODES.has(error.code)) throw error;
    const place = `${OBJECT_VARIABLE} is ${sanitizeText(path)}`;
    throw new EngineError(error.code, `${error.message} (${place})`, { cause: error });
  }
}
