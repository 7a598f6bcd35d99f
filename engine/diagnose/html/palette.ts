/**
 * Colours of the page, for light and dark, as custom properties of its style.
 *
 * @module
 */

/** One colour on light and on dark ground. */
export type ColourPair = readonly [light: string, dark: string];

/** Ground and text. */
export const SURFACE_COLOURS: Readonly<Record<string, ColourPair>> = {
  ground: ["#f6f7f8", "#0e1116"],
  surface: ["#ffffff", "#161b22"],
  raised: ["#f0f2f4", "#1e252e"],
  line: ["#d8dde3", "#2c3541"],
  text: ["#1a2028", "#e7ebf0"],
  muted: ["#56616d", "#9ba7b4"],
  accent: ["#1d5fc4", "#7fb2ff"],
  track: ["#e6e9ed", "#262e38"],
  next: ["#e9f3ee", "#12261f"],
};

/** Severities; they are text as well as stripes. */
export const SEVERITY_COLOURS: Readonly<Record<string, ColourPair>> = {
  critical: ["#b3162c", "#ff8a93"],
  error: ["#b5400f", "#ffa270"],
  warning: ["#8a5a00", "#eabf56"],
  info: ["#1d5fc4", "#7fb2ff"],
  calm: ["#15734a", "#5ecf9b"],
};

/** What a thread's time can be; parts of bars, never text. */
export const STATE_COLOURS: Readonly<Record<string, ColourPair>> = {
  onCpu: ["#2e9e6b", "#3fae7b"],
  runnable: ["#d9a021", "#d4a637"],
  throttled: ["#cc5a1e", "#dd6f35"],
  network: ["#3577dd", "#4f8fee"],
  diskRead: ["#8a6bee", "#927bec"],
  diskWrite: ["#a447cf", "#b566dc"],
  lock: ["#d3315f", "#e25780"],
  pipe: ["#1593a8", "#2ba9be"],
  child: ["#8c6d3a", "#a98a54"],
  pageFault: ["#c549a0", "#d46cb5"],
  stopped: ["#454e59", "#aab4bf"],
  other: ["#6d7985", "#7f8b98"],
  unattributed: ["#a5aeb8", "#56626f"],
  idle: ["#e6e9ed", "#262e38"],
};

/** Yields the custom properties: light, dark where the system asks for it, and either where the reader chose. */
export function paletteCss(): string {
  const all = { ...SURFACE_COLOURS, ...SEVERITY_COLOURS, ...STATE_COLOURS };
  const declare = (index: 0 | 1) => Object.entries(all).map(([name, pair]) => `--${name}:${pair[index]}`).join(";");
  const light = `color-scheme:light;${declare(0)}`;
  const dark = `color-scheme:dark;${declare(1)}`;
  const states = Object.keys(STATE_COLOURS).map((name) =>
    `.s-${name}{fill:var(--${name});background-color:var(--${name})}`
  );
  const severities = Object.keys(SEVERITY_COLOURS).map((name) => `.is-${name}{--severity:var(--${name})}`);
  return [
    `:root{${light}}`,
    `@media screen and (prefers-color-scheme:dark){:root{${dark}}}`,
    `@media screen{:root[data-theme=light]{${light}}:root[data-theme=dark]{${dark}}}`,
    ...states,
    ...severities,
  ].join("\n");
}
