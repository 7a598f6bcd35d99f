/**
 * The command line of the bench. Pure.
 *
 * @module
 */

/** What was asked for. */
export interface BenchOptions {
  /** A missed target fails the run. */
  readonly isCheck: boolean;
  /** Names of measurements; all of them when it is empty. */
  readonly only: readonly string[];
  /** Of each measurement, instead of what it takes by itself. */
  readonly seconds: number | undefined;
}

const SECONDS_MAX = 600;

/** Yields the options, or one line that says what is wrong. */
export function parseBenchOptions(args: readonly string[], names: readonly string[]): BenchOptions | string {
  let isCheck = false;
  let seconds: number | undefined;
  const only: string[] = [];
  const rest = args.flatMap((arg) => /^--(only|seconds)=/.test(arg) ? splitOnce(arg) : [arg]);
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === "--check") {
      isCheck = true;
    } else if (arg === "--only") {
      const name = rest.shift() ?? "";
      if (!names.includes(name)) return `--only wants one of ${names.join(", ")}, got ${JSON.stringify(name)}`;
      only.push(name);
    } else if (arg === "--seconds") {
      const text = rest.shift() ?? "";
      seconds = Number(text);
      if (text === "" || !(seconds > 0 && seconds <= SECONDS_MAX)) {
        return `--seconds wants a number above 0, at most ${SECONDS_MAX}, got ${JSON.stringify(text)}`;
      }
    } else {
      return `${JSON.stringify(arg)} is unknown, expected --check, --only NAME or --seconds N`;
    }
  }
  return { isCheck, only, seconds };
}

function splitOnce(arg: string): readonly string[] {
  const at = arg.indexOf("=");
  return [arg.slice(0, at), arg.slice(at + 1)];
}
