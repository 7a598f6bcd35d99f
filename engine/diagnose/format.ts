/**
 * How figures read: milliseconds with two decimals, percentages with one,
 * bytes to the base of 1024, wall-clock times in UTC.
 *
 * @module
 */

export function formatMs(valueMs: number): string {
  return `${valueMs.toFixed(2)} ms`;
}

/** A span of seconds as seconds, a shorter one as milliseconds: `10.00 s`, `1.3 ms`. */
export function formatLifetime(valueMs: number): string {
  return valueMs < 1000 ? `${valueMs.toFixed(1)} ms` : `${(valueMs / 1000).toFixed(2)} s`;
}

/** Of a share from 0 to 1. */
export function formatShare(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}

/** To the base of 1024; whole bytes without decimals. */
export function formatBytes(byteCount: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let value = byteCount;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${value} B` : `${value.toFixed(2)} ${units[unit]}`;
}

/** RFC 3339 in UTC with milliseconds. */
export function formatWallTime(unixMs: number): string {
  return new Date(Math.round(unixMs)).toISOString();
}

/** The time of day of {@linkcode formatWallTime}: `14:03:17.512`. */
export function formatTimeOfDay(unixMs: number): string {
  return formatWallTime(unixMs).slice(11, 23);
}

/** `1 wait`, `3 waits`. */
export function formatCount(count: number, singular: string, plural = `${singular}s`): string {
  return `${count} ${count === 1 ? singular : plural}`;
}

/** `a, b and 3 more`. */
export function formatList(
  items: readonly string[],
  options: { readonly itemsMax: number; readonly total?: number },
): string {
  const shown = items.slice(0, options.itemsMax);
  const hiddenCount = (options.total ?? items.length) - shown.length;
  return hiddenCount > 0 ? `${shown.join(", ")} and ${hiddenCount} more` : shown.join(", ");
}
