/**
 * The one option that a tool takes, a number.
 *
 * @module
 */

export interface NumberOption {
  /** Without the dashes. */
  readonly name: string;
  readonly fallback: number;
  readonly min: number;
  readonly max: number;
}

/**
 * Yields the number of `--NAME N` or `--NAME=N`, the fallback when `args` are empty, and
 * `undefined` for anything else: other words, more words, no integer from `min` to `max`.
 */
export function parseNumberOption(args: readonly string[], option: NumberOption): number | undefined {
  if (args.length === 0) return option.fallback;
  const [flag, value] = args.length === 1 ? (args[0] ?? "").split("=") : args;
  if (flag !== `--${option.name}` || value === undefined || args.length > 2 || !/^\d+$/.test(value)) return undefined;
  const number = Number(value);
  return number >= option.min && number <= option.max ? number : undefined;
}
