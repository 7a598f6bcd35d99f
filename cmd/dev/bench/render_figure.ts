/**
 * How long the report of a run at the limits takes, in every form.
 *
 * @module
 */

import { OUTPUT_FORMATS } from "../../options.ts";
import { ROOT } from "../gate/steps.ts";
import { type Figure, formatValue, judgeAtMost } from "./figure.ts";
import { median } from "./statistics.ts";

const SECONDS_MAX = 1;

/** What a run of a minute delivers when 83,000 waits a second are slow. */
const EVENT_COUNT = 5_000_000;

/** Each is a process of its own, as a report is made once and by code that is not warm. */
const RUNS = 3;

/** What one run of `render_program.ts` says. */
export interface RenderRun {
  readonly reportMs: number;
  readonly renderMs: number;
  readonly bytes: number;
}

/** Renders each form `RUNS` times. @throws {Error} If a rendering fails */
export async function measureRender(): Promise<readonly Figure[]> {
  const byFormat = new Map<string, readonly RenderRun[]>();
  for (const format of OUTPUT_FORMATS) {
    const runs: RenderRun[] = [];
    for (let run = 0; run < RUNS; run++) runs.push(await renderOnce(format));
    byFormat.set(format, runs);
  }
  return [toFigure(byFormat)];
}

async function renderOnce(format: string): Promise<RenderRun> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", `${ROOT}cmd/dev/bench/render_program.ts`, format, String(EVENT_COUNT)],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).output();
  if (code !== 0) throw new Error(`Cannot measure rendering: the ${format} report ended with ${code}, wanted 0`);
  return readRenderRun(new TextDecoder().decode(stdout));
}

/** Yields the run that its line tells of. @throws {Error} If the line has no figures */
export function readRenderRun(line: string): RenderRun {
  const { reportMs, renderMs, bytes } = JSON.parse(line);
  if (![reportMs, renderMs, bytes].every((figure) => typeof figure === "number" && figure > 0)) {
    throw new Error(`Cannot measure rendering: found ${line.trim()}, wanted reportMs, renderMs and bytes`);
  }
  return { reportMs, renderMs, bytes };
}

/** Yields the figure: the slowest form by its median. */
export function toFigure(byFormat: ReadonlyMap<string, readonly RenderRun[]>): Figure {
  const forms = Array.from(byFormat, ([format, runs]) => ({
    format,
    seconds: median(runs.map(({ reportMs, renderMs }) => (reportMs + renderMs) / 1000)),
    bytes: Math.max(...runs.map(({ bytes }) => bytes)),
  })).toSorted((first, second) => second.seconds - first.seconds);
  const slowest = forms[0]?.seconds ?? Number.NaN;
  const each = forms.map(({ format, seconds, bytes }) =>
    `${format} ${formatValue(seconds)} s, ${formatValue(bytes / 1024)} KiB`
  );
  return {
    name: "report of a large run",
    value: slowest,
    unit: "s",
    target: `at most ${SECONDS_MAX}`,
    verdict: judgeAtMost(slowest, SECONDS_MAX),
    spread: each.join("; "),
    how: `from final measurements to text, the slowest form by the median of ${RUNS} processes: 2,000 threads, every ` +
      `table at its limit, ${EVENT_COUNT / 1e6} million events; the time to count them in is not in it`,
  };
}
