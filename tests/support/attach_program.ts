/**
 * Attaches the program `takes` of the object named on the command line, and
 * prints how that ended.
 *
 * @module
 */

import { EngineError } from "../../engine/api/errors.ts";
import { attachBpfObject } from "../../engine/backend/object_loader.ts";
import { openLibbpf } from "../../engine/ffi/libbpf.ts";
import { openLibc } from "../../engine/ffi/libc.ts";

if (import.meta.main) console.log(attach(Deno.args[0] ?? ""));

function attach(path: string): string {
  using libc = openLibc();
  using library = openLibbpf(libc);

  const bytes = Deno.readFileSync(path);
  try {
    using attached = attachBpfObject(library, bytes, {
      name: "mixed",
      hooks: [{ hook: "switch", providers: ["takes"] }],
    });

    return `attached ${attached.providers.get("switch")}`;
  } catch (error) {
    if (error instanceof EngineError) return `${error.code}: ${error.message}`;
    throw error;
  }
}
