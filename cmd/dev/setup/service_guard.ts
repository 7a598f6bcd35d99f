/**
 * Keeps a package installation from starting services.
 *
 * @module
 */

/** Consulted by Debian's invoke-rc.d and deb-systemd-invoke before a service starts; 101 forbids it. */
const POLICY_PATH = "/usr/sbin/policy-rc.d";

const POLICY_TEXT = "#!/bin/sh\n# Written by podtrace's setup for one installation; safe to remove.\nexit 101\n";

/**
 * Forbids services to start until disposal. A policy that is there already and
 * not left over from an interrupted set-up stays in force, untouched.
 */
export function forbidServiceStarts(policyPath: string = POLICY_PATH): Disposable {
  const present = readIfPresent(policyPath);
  if (present !== undefined && present !== POLICY_TEXT) return { [Symbol.dispose]: () => {} };
  Deno.writeTextFileSync(policyPath, POLICY_TEXT, { mode: 0o755 });
  return {
    [Symbol.dispose]: () => {
      if (readIfPresent(policyPath) === POLICY_TEXT) Deno.removeSync(policyPath);
    },
  };
}

function readIfPresent(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
