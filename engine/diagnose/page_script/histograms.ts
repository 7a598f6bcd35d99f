/**
 * Large histograms, drawn when their row is opened.
 *
 * @module
 */

/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

import { histogramPicture } from "../html/chart_paths.ts";
import { all, svgElement } from "./elements.ts";

const SIZE = { width: 480, height: 96 };

/** Draws each histogram once, and opens everything for the printer. */
export function startHistograms(): void {
  for (const details of all(document, "details", HTMLDetailsElement)) {
    details.addEventListener("toggle", () => draw(details));
  }
  addEventListener("beforeprint", () => {
    for (const details of all(document, "details", HTMLDetailsElement)) draw(details);
  });
}

function draw(details: HTMLDetailsElement): void {
  const place = details.querySelector(".histogram");
  if (!(place instanceof HTMLElement) || place.childElementCount > 0) return;
  const buckets = readBuckets(place.dataset["buckets"] ?? "");
  const picture = histogramPicture(buckets, { ...SIZE, bucketsMin: 8 });
  if (picture === undefined) return;
  const svg = svgElement("svg", { viewBox: `0 0 ${SIZE.width} ${SIZE.height}`, class: "spark large" });
  svg.append(svgElement("path", { d: picture.path }));
  const list = document.createElement("ol");
  list.className = "buckets";
  const total = buckets.reduce((sum, count) => sum + count, 0);
  for (let index = picture.first; index <= picture.last; index++) {
    const item = document.createElement("li");
    const count = buckets[index] ?? 0;
    const share = (count / total * 100).toFixed(1);
    item.textContent = `${formatUs(2 ** index)} to ${formatUs(2 ** (index + 1))}: ${count} (${share}%)`;
    list.append(item);
  }
  place.append(svg, list);
}

function readBuckets(text: string): readonly number[] {
  const [first = "", counts = ""] = text.split(":");
  if (counts === "") return [];
  return [...new Array<number>(Number(first)).fill(0), ...counts.split(",").map(Number)];
}

/** The first bucket holds everything shorter as well. */
function formatUs(us: number): string {
  if (us <= 1) return "0";
  if (us < 1000) return `${us} us`;
  if (us < 1_000_000) return `${toThree(us / 1000)} ms`;
  return `${toThree(us / 1_000_000)} s`;
}

function toThree(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
