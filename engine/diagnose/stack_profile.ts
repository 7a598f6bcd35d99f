/**
 * Where in the program time went: what its threads computed and where they
 * waited, by the functions on their stacks.
 *
 * @module
 */

import { type CpuSampleMeasurement, SAMPLES_PER_SECOND } from "../api/profile_measurements.ts";
import type { FrameProblem, Measurements, StackFrame, WaitClass } from "../api/measurements.ts";
import { groupBy, WAIT_CLASS_ORDER } from "./facts.ts";

/** Stacks of one part that are told apart; the others are in its total. */
export const PROFILE_STACKS_MAX = 50;

/** Lines of one folded profile, those with most time. */
export const FOLDED_LINES_MAX = 1000;

/** One frame of stacks that pass through the same functions, wherever in them they were. */
export interface ProfileFrame {
  /** The function's name, or where the code lies: "module[buildid:9f…]+0x1234", "0x…". */
  readonly text: string;
  /** The file its code is in; `undefined`: none, or not known. */
  readonly module: string | undefined;
  /** Of that file; `undefined`: none, or not read. */
  readonly buildId: string | undefined;
  /** `text` is a function's name. */
  readonly isResolved: boolean;
}

/** Stacks of the same functions together. */
export interface HotStack {
  /** Innermost first. */
  readonly frames: readonly ProfileFrame[];
  /** Of samples: an estimate. */
  readonly totalMs: number;
  /** Waits or samples. */
  readonly count: number;
  /** Of the part's time; 0 to 1. */
  readonly share: number;
}

/** Computing, or one class of waits. */
export interface ProfilePart {
  /** `undefined`: computing. */
  readonly waitClass: WaitClass | undefined;
  /** With and without a stack. */
  readonly totalMs: number;
  /** Waits or samples. */
  readonly count: number;
  /** Of the total: no stack could be taken. */
  readonly withoutStackMs: number;
  /** At most `PROFILE_STACKS_MAX`, most time first. */
  readonly stacks: readonly HotStack[];
  /** Stacks beyond those. */
  readonly omittedStackCount: number;
}

/** Frames of one file, or of none, that have no name for one reason. */
export interface UnnamedFrames {
  /** The file their code is in; `undefined`: none, or not known. */
  readonly module: string | undefined;
  /** `undefined`: nobody said, as in older recordings. */
  readonly problem: FrameProblem | undefined;
  /** One per wait or sample whose stack passes through it. */
  readonly count: number;
}

/** Everything stacks tell of one run. */
export interface StackProfile {
  /** Computing first, then classes of waits, most time first; parts without any stack are left out. */
  readonly parts: readonly ProfilePart[];
  /** One line per process and stack for flame graphs: names from the outermost in, ";" between, then samples. */
  readonly foldedOnCpu: readonly string[];
  /** As above, the class of the wait innermost, then microseconds. */
  readonly foldedOffCpu: readonly string[];
  /** Frames of all stacks, one per wait or sample. */
  readonly frameCount: number;
  /** Those without a name, most first. */
  readonly unnamed: readonly UnnamedFrames[];
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** One row of either kind. */
interface Weighed {
  readonly userStack: readonly StackFrame[];
  readonly processId: number;
  readonly waitClass?: WaitClass;
  readonly totalMs: number;
  readonly count: number;
}

/** Rows of one process, wait class and stack: what both the parts and the folded lines are made of. */
interface StackGroup {
  readonly processId: number;
  readonly waitClass: WaitClass | undefined;
  readonly userStack: readonly StackFrame[];
  /** The functions, outermost first: stacks of the same ones share it. */
  readonly path: string;
  totalMs: number;
  count: number;
  /** Of a folded line: each row's own is rounded. */
  amount: number;
}

/** Yields where in the program time went; `undefined` when no stack was taken. */
export function toStackProfile(measurements: Measurements): StackProfile | undefined {
  const samples = measurements.cpuSamples.map(toWeighed);
  const ofSamples = groupStacks(samples, (sample) => sample.count);
  const ofWaits = groupStacks(measurements.waits, (wait) => Math.round(wait.totalMs * 1000));
  if (ofSamples.length + ofWaits.length === 0) return undefined;
  const groupsByClass = groupBy(ofWaits, (group) => group.waitClass);
  const waits = groupBy(measurements.waits, (wait) => wait.waitClass);
  const parts = [
    toPart(samples, { waitClass: undefined, groups: ofSamples }),
    ...WAIT_CLASS_ORDER
      .map((waitClass) => toPart(waits.get(waitClass) ?? [], { waitClass, groups: groupsByClass.get(waitClass) ?? [] }))
      .sort((first, second) => second.totalMs - first.totalMs),
  ].filter((part) => part.stacks.length > 0);
  const commands = new Map(measurements.processes.map(({ processId, command }) => [processId, command]));
  const groups = [...ofSamples, ...ofWaits];
  return {
    parts,
    foldedOnCpu: fold(ofSamples, commands),
    foldedOffCpu: fold(ofWaits, commands),
    frameCount: sumOf(groups, ({ userStack, count }) => userStack.length * count),
    unnamed: unnamedFrames(groups),
  };
}

function toWeighed({ userStack, processId, sampleCount }: CpuSampleMeasurement): Weighed {
  return { userStack, processId, count: sampleCount, totalMs: sampleCount * 1000 / SAMPLES_PER_SECOND };
}

/** In order of first appearance; the engine hands out one array per stack, so most are known without their names. */
function groupStacks<Row extends Weighed>(rows: readonly Row[], amountOf: (row: Row) => number): StackGroup[] {
  const paths = new Map<readonly StackFrame[], string>();
  const groups = new Map<string, StackGroup>();
  for (const row of rows) {
    const { userStack, processId, waitClass } = row;
    if (userStack.length === 0) continue;
    let path = paths.get(userStack);
    if (path === undefined) paths.set(userStack, path = pathOf(userStack));
    const key = `${processId} ${waitClass} ${path}`;
    let group = groups.get(key);
    if (group === undefined) {
      group = { processId, waitClass, userStack, path, totalMs: 0, count: 0, amount: 0 };
      groups.set(key, group);
    }
    group.totalMs += row.totalMs;
    group.count += row.count;
    group.amount += amountOf(row);
  }
  return [...groups.values()];
}

/** What separates names in a folded line is replaced in them. */
function pathOf(stack: readonly StackFrame[]): string {
  let path = "";
  for (let place = stack.length - 1; place >= 0; place--) {
    const frame = stack[place];
    if (frame !== undefined) path += `${labelOf(frame).replaceAll(";", ":")};`;
  }
  return path;
}

function toPart(
  rows: readonly Weighed[],
  { waitClass, groups }: { readonly waitClass: WaitClass | undefined; readonly groups: readonly StackGroup[] },
): ProfilePart {
  const totalMs = sumOf(rows, (row) => row.totalMs);
  const stacks = Array.from(groupBy(groups, (group) => group.path).values(), (sameStack) => {
    const ofStackMs = sumOf(sameStack, (group) => group.totalMs);
    return {
      userStack: sameStack[0]?.userStack ?? [],
      totalMs: ofStackMs,
      count: sumOf(sameStack, (group) => group.count),
      share: totalMs > 0 ? Math.min(1, ofStackMs / totalMs) : 0,
    };
  }).sort((first, second) => second.totalMs - first.totalMs || second.count - first.count);
  return {
    waitClass,
    totalMs,
    count: sumOf(rows, (row) => row.count),
    withoutStackMs: sumOf(rows.filter((row) => row.userStack.length === 0), (row) => row.totalMs),
    stacks: stacks.slice(0, PROFILE_STACKS_MAX).map(({ userStack, ...figures }): HotStack => ({
      frames: userStack.map(toProfileFrame),
      ...figures,
    })),
    omittedStackCount: Math.max(0, stacks.length - PROFILE_STACKS_MAX),
  };
}

function unnamedFrames(groups: readonly StackGroup[]): readonly UnnamedFrames[] {
  const found = new Map<string, Mutable<UnnamedFrames>>();
  for (const { userStack, count } of groups) {
    for (const { isResolved, module, problem } of userStack) {
      if (isResolved) continue;
      const key = `${problem} ${module}`;
      const known = found.get(key);
      if (known === undefined) found.set(key, { module, problem, count });
      else known.count += count;
    }
  }
  return [...found.values()].sort((first, second) => second.count - first.count);
}

function labelOf(frame: StackFrame): string {
  return frame.function ?? frame.text;
}

function toProfileFrame(frame: StackFrame): ProfileFrame {
  const { module, buildId, isResolved } = frame;
  return { text: labelOf(frame), module, buildId, isResolved };
}

/** "shop;main;load_prices;read;[network] 123000"; processes of one name are one line. */
function fold(groups: readonly StackGroup[], commands: ReadonlyMap<number, string>): readonly string[] {
  const amounts = new Map<string, number>();
  for (const { path, processId, waitClass, amount } of groups) {
    if (amount <= 0) continue;
    const root = (commands.get(processId) || `pid ${processId}`).replaceAll(";", ":");
    const line = `${root};${waitClass === undefined ? path.slice(0, -1) : `${path}[${waitClass}]`}`;
    amounts.set(line, (amounts.get(line) ?? 0) + amount);
  }
  return Array.from(amounts).sort((first, second) => second[1] - first[1] || (first[0] < second[0] ? -1 : 1))
    .slice(0, FOLDED_LINES_MAX).map(([line, amount]) => `${line} ${amount}`);
}

function sumOf<Row>(rows: readonly Row[], figure: (row: Row) => number): number {
  return rows.reduce((total, row) => total + figure(row), 0);
}
