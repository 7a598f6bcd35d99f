/**
 * Waiting for the world in tests: for a condition, never for a time.
 *
 * @module
 */

const INTERVAL_MS = 10;
const TIMEOUT_MS = 10_000;

/**
 * Resolves with what `look` yields as soon as that is not `undefined` or false.
 *
 * @param options.what completes "Waited in vain until ..."
 * @throws {Error} When it did not come true in time
 */
export async function until<Found>(
  look: () => Found | undefined | false | Promise<Found | undefined | false>,
  options: { readonly what: string; readonly timeoutMs?: number },
): Promise<Found> {
  const { what, timeoutMs = TIMEOUT_MS } = options;
  const endMs = performance.now() + timeoutMs;
  while (true) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > endMs) throw new Error(`Waited in vain until ${what}: ${timeoutMs} ms are over`);
    await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
  }
}
