/**
 * What the guest says to the host over its second serial port, and where things
 * lie in its root file system.
 *
 * @module
 */

import type { JsonReport } from "../../../engine/diagnose/report_schema.ts";
import type { Statement } from "../demo/started_program.ts";

export type GuestLine =
  | { readonly kind: "kernel"; readonly release: string }
  | DoctorOutcome
  | LookOutcome
  | { readonly kind: "failed"; readonly name: string; readonly message: string }
  | { readonly kind: "end" };

/** One run of podtrace over the programs of one or more scenarios. */
export interface LookOutcome extends Answer {
  readonly kind: "look";
  readonly scenarios: readonly {
    readonly name: string;
    /** What the planted program said when it was set up. */
    readonly ready: Statement;
    /** As findings name it: "pid:4711". */
    readonly target: string;
  }[];
}

/** What came of one scenario. */
export interface ScenarioOutcome extends Answer {
  readonly kind: "scenario";
  readonly name: string;
  readonly ready: Statement;
}

interface Answer {
  /** How podtrace ended. */
  readonly code: number;
  readonly report?: JsonReport | undefined;
  /** Its standard error. */
  readonly said: string;
  /** All that `diagnose --now` printed, where it was asked. */
  readonly now?: string | undefined;
  /** What became of its recording, where one was made. */
  readonly replay?: Replay | undefined;
}

/** Yields the outcome of every scenario of a look: the report with its findings alone, where there were others. */
export function toOutcomes(lines: readonly GuestLine[]): readonly OutcomeLine[] {
  return lines.flatMap((line): readonly OutcomeLine[] => {
    if (line.kind !== "look") return [line];
    const { scenarios, report, ...answer } = line;
    return scenarios.map(({ name, ready, target }) => ({
      ...answer,
      kind: "scenario",
      name,
      ready,
      report: report && scenarios.length > 1
        ? { ...report, findings: report.findings.filter((finding) => finding.target === target) }
        : report,
    }));
  });
}

/** What is judged. */
export type OutcomeLine = Exclude<GuestLine, LookOutcome> | ScenarioOutcome;

/** A recording, replayed where it was made. */
export interface Replay {
  readonly code: number;
  readonly said: string;
  /** To the byte. */
  readonly isSame: boolean;
  /** The file, in base64. */
  readonly recording: string;
}

/** What `doctor -o json` said. */
export interface DoctorOutcome {
  readonly kind: "doctor";
  readonly code: number;
  readonly said: string;
  readonly report?: DoctorReport | undefined;
}

/** The part of docs/doctor.schema.json that is looked at. */
export interface DoctorReport {
  readonly canDiagnose: boolean;
  readonly reason: string;
  readonly lockdown: string;
  readonly hooks: readonly {
    readonly hook: string;
    readonly providers: readonly { readonly program: string; readonly verdict: string; readonly reason: string }[];
  }[];
}

/** As deep in the tree as in the checkout: the object is found relative to it. */
export const GUEST_MAIN = "/app/engine/backend/main.js";
export const GUEST_DRIVER = "/app/guest.js";
export const GUEST_OBJECT = "/app/dist/bpf/podtrace.x86_64.bpf.o";
export const GUEST_PROGRAMS = "/programs";
export const GUEST_GO = "/programs/go";
export const GUEST_DENO = "/bin/deno";

/** Yields the lines of a port's log; what a terminal adds and a line cut off by the end are left out. */
export function parseGuestLines(log: string): readonly GuestLine[] {
  const lines = log.split("\n").slice(0, -1).map((line) => line.trim()).filter((line) => line.startsWith("{"));
  return lines.map((line) => JSON.parse(line) as GuestLine); // written by guest.ts, of this same checkout
}

/** A boot parameter the kernel does not know, which it therefore hands to the first process as a variable. */
const ONLY_VARIABLE = "PODTRACE_ONLY";

/** Yields the boot parameter that names the chosen scenarios; "" for all of them. */
export function toOnlyParameter(only: readonly string[]): string {
  return only.length === 0 ? "" : `${ONLY_VARIABLE}=${only.map(encodeURIComponent).join()}`;
}

/** The counterpart of `toOnlyParameter`, in the guest. */
export function parseOnlyVariable(variable: (name: string) => string | undefined): readonly string[] {
  const text = variable(ONLY_VARIABLE) ?? "";
  return text === "" ? [] : text.split(",").map(decodeURIComponent);
}
