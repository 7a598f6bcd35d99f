/**
 * The screen of `--top`: what is traced, how completely, and one line per
 * thread. Pure: lines in, lines out.
 *
 * @module
 */

import type { Books, Measurements } from "../api/measurements.ts";
import { sanitizeText } from "../api/text.ts";
import { formatCount } from "./format.ts";
import { incompleteCategories } from "./report.ts";
import { fitColumns } from "./text_width.ts";
import { sortTopRows, TOP_ORDERS, type TopOrder, type TopRow } from "./top_rows.ts";

/** What a terminal gives. */
export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
  /** Its characters go beyond ASCII. */
  readonly isUnicode: boolean;
}

/** Everything one frame shows. */
export interface TopFrame {
  /** What is looked at, for people. */
  readonly label: string;
  /** Of the look so far; `undefined` before the first totals came. */
  readonly measurements: Pick<Measurements, "window" | "threads" | "books"> | undefined;
  /** Where the time of the last second went. */
  readonly rows: readonly TopRow[];
  /** Largest first. */
  readonly order: TopOrder;
  /** Threads scrolled past. */
  readonly offset: number;
}

/** Smaller terminals are not drawn for. */
export const SCREEN_COLUMNS_MIN = 40;
/** Likewise. */
export const SCREEN_ROWS_MIN = 10;

/** Yields exactly `size.rows` lines of exactly `size.columns` columns. */
export function renderTopScreen(frame: TopFrame, size: ScreenSize): readonly string[] {
  const mark = size.isUnicode ? "\u2026" : ".";
  const toLine = (text: string) => fitColumns(toTerminalText(text, size), size.columns, { mark });
  if (size.columns < SCREEN_COLUMNS_MIN || size.rows < SCREEN_ROWS_MIN) {
    const small = `Too small: want ${SCREEN_COLUMNS_MIN}x${SCREEN_ROWS_MIN}; q quits`;
    return fillRows([toLine(small)], size, toLine(""));
  }
  const columns = columnsFor(size.columns);
  const header = [
    toLine(`podtrace top: ${frame.label}`),
    toLine(describeState(frame)),
    toLine(describeSums(frame)),
    toLine(columns.map((column) => column.align(column.title, toCell(column, mark))).join(" ")),
  ];
  const bodyRows = size.rows - header.length - 1;
  const sorted = sortTopRows(frame.rows, frame.order);
  const body = sorted.slice(frame.offset, frame.offset + bodyRows).map((row) =>
    toLine(
      columns.map((column) => column.align(toTerminalText(column.cell(row), size), toCell(column, mark))).join(" "),
    )
  );
  return [
    ...fillRows([...header, ...body], { ...size, rows: size.rows - 1 }, toLine("")),
    toLine(describeKeys(frame, size)),
  ];
}

/** Yields how far a screen of this size can be scrolled. */
export function topOffsetMax(rowCount: number, size: Pick<ScreenSize, "rows">): number {
  return Math.max(0, rowCount - Math.max(1, size.rows - 5));
}

function fillRows(lines: readonly string[], size: Pick<ScreenSize, "rows">, blank: string): readonly string[] {
  return Array.from({ length: size.rows }, (_, index) => lines[index] ?? blank);
}

/** Names come from traced processes: what could steer the terminal is written out, and ASCII terminals get ASCII. */
function toTerminalText(text: string, size: Pick<ScreenSize, "isUnicode">): string {
  const safe = sanitizeText(text, { bytesMax: 1024 });
  return size.isUnicode ? safe : safe.replace(/[^\x20-\x7e]/gu, "?");
}

interface Column {
  readonly title: string;
  readonly width: number;
  readonly cell: (row: TopRow) => string;
  readonly align: (text: string, cell: { width: number; mark: string }) => string;
}

function toCell(column: Column, mark: string): { width: number; mark: string } {
  return { width: column.width, mark };
}

function alignLeft(text: string, { width, mark }: { width: number; mark: string }): string {
  return fitColumns(text, width, { mark });
}

function alignRight(text: string, { width }: { width: number }): string {
  return text.padStart(width);
}

/** With pid, classes and object from here on; below, the classes stand together. */
const WIDE_COLUMNS_MIN = 72;

const COMMAND_WIDTH = 15;
const NARROW_COMMAND_WIDTH = 12;

/** Less than this of an object's name tells nothing. */
const OBJECT_WIDTH_MIN = 8;

function columnsFor(columns: number): readonly Column[] {
  const isWide = columns >= WIDE_COLUMNS_MIN;
  const commandWidth = columns >= 2 * SCREEN_COLUMNS_MIN + NARROW_COMMAND_WIDTH ? COMMAND_WIDTH : NARROW_COMMAND_WIDTH;
  const shown: Column[] = [
    ...(isWide ? [numberColumn("PID", (row) => row.processId)] : []),
    numberColumn("TID", (row) => row.threadId),
    { title: "COMMAND", width: commandWidth, cell: (row) => row.command, align: alignLeft },
    shareColumn("CPU", (row) => row.onCpuShare),
    shareColumn("RUN", (row) => row.runnableShare),
    ...(isWide
      ? [
        shareColumn("NET", (row) => row.blockedShares.net),
        shareColumn("DSK", (row) => row.blockedShares.disk),
        shareColumn("LCK", (row) => row.blockedShares.lock),
        shareColumn("OTH", (row) => row.blockedShares.other),
      ]
      : [shareColumn("BLK", blockedShareOf)]),
    shareColumn("IDL", (row) => row.blockedShares.idle),
  ];
  const used = shown.reduce((sum, column) => sum + column.width + 1, 0);
  const width = columns - used;
  if (width < OBJECT_WIDTH_MIN) return shown;
  return [...shown, { title: "WAITS FOR", width, cell: (row) => row.topObject ?? "", align: alignLeft }];
}

function numberColumn(title: string, valueOf: (row: TopRow) => number): Column {
  return { title, width: 7, cell: (row) => String(valueOf(row)), align: alignRight };
}

/** In percent of the last second. */
function shareColumn(title: string, shareOf: (row: TopRow) => number): Column {
  return {
    title,
    width: 3,
    cell: (row) => {
      const share = shareOf(row);
      return share > 0 && share < 0.005 ? "~0" : String(Math.round(share * 100));
    },
    align: alignRight,
  };
}

function blockedShareOf({ blockedShares }: TopRow): number {
  return blockedShares.net + blockedShares.disk + blockedShares.lock + blockedShares.other;
}

/** How long the look is, of how many threads, and how complete. */
function describeState({ measurements }: TopFrame): string {
  if (measurements === undefined) return "the first second is being looked at";
  const { window, threads, books } = measurements;
  const seconds = Math.round((window.endMs - window.beginMs) / 1000);
  const living = threads.filter((thread) => !thread.exited).length;
  const ended = threads.length - living;
  return `${seconds} s, ${describeLoss(books)}; ${formatCount(living, "thread")}${ended > 0 ? `, ${ended} ended` : ""}`;
}

function describeLoss(books: Books): string {
  const lostCount = Object.values(books.ledger).reduce(
    (total, { dropped }) => total + Object.values(dropped).reduce((sum, count) => sum + count, 0),
    0,
  );
  const asked = new Set(books.cost.hooks.filter((hook) => hook.isAskedFor).map((hook) => hook.plane));
  const incomplete = incompleteCategories(books).filter(({ completeness }) =>
    completeness.verdict !== "blind" || asked.size === 0 || !completeness.reason.includes("not asked for")
  );
  const verdicts = incomplete.map(({ category, completeness }) =>
    completeness.verdict === "partial"
      ? `${category} PARTIAL ${completeness.percent.toFixed(1)}%`
      : `${category} ${completeness.verdict.toUpperCase()}`
  );
  return `${verdicts.length === 0 ? "COMPLETE" : verdicts.join(", ")}, ${lostCount} lost`;
}

/** Where the time of all threads together went in the last second. */
function describeSums({ rows }: TopFrame): string {
  if (rows.length === 0) return "no thread to show";
  const mean = (shareOf: (row: TopRow) => number) =>
    `${(rows.reduce((sum, row) => sum + shareOf(row), 0) / rows.length * 100).toFixed(1)}%`;
  return `on CPU ${mean((row) => row.onCpuShare)}, run queue ${mean((row) => row.runnableShare)}, blocked ${
    mean(blockedShareOf)
  }, idle ${mean((row) => row.blockedShares.idle)} of the threads' time`;
}

function describeKeys(frame: TopFrame, size: ScreenSize): string {
  const orders = Object.entries(TOP_ORDERS)
    .map(([name, { key }]) => name === frame.order ? `[${key} ${name}]` : `${key} ${name}`);
  const scroll = frame.rows.length > size.rows - 5 ? " up/down" : "";
  return `q quit${scroll} | ${orders.join(" ")}`;
}
