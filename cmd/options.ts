/**
 * The words of the command line: commands, options, defaults, and the words
 * that are kept for later. Plain data; `args.ts` reads it, docs/cli.md shows it.
 *
 * @module
 */

import { FILTER_CATEGORIES } from "../engine/api/filter.ts";
import { DEFAULT_THRESHOLDS } from "../engine/api/thresholds.ts";
import { SEVERITIES } from "../engine/api/severity.ts";

export interface OptionDefinition {
  /** As help shows it: "-o, --output <FORMAT>". */
  readonly flags: string;
  readonly description: string;
  /** What its value may be, for completion; checked where the value is read. */
  readonly choices?: readonly string[];
  /** Several of `choices`, comma-separated. */
  readonly isList?: true;
}

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

export const OUTPUT_FORMATS = ["text", "json", "csv", "html"] as const;

export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** What holds for options that are not given. */
export const DIAGNOSE_DEFAULTS = {
  duration: "30s",
  slowWait: "10ms",
  errorThreshold: String(DEFAULT_THRESHOLDS.errorPercent),
  rttThreshold: String(DEFAULT_THRESHOLDS.rttMs),
  fsThreshold: String(DEFAULT_THRESHOLDS.fsMs),
  output: "text",
  logLevel: "info",
} as const;

/** Options that may be given several times; each value counts. */
export const REPEATABLE_DIAGNOSE_OPTIONS: readonly OptionDefinition[] = [
  { flags: "--pid <N>", description: "trace this process and its descendants; repeatable" },
  { flags: "--cgroup <PATH>", description: "trace everything in this cgroup and below" },
  { flags: "--container <ID>", description: "trace this container, by its id or the first 12 or more digits of it" },
  {
    flags: "--filter <LIST>",
    description: `only these, comma-separated: ${
      FILTER_CATEGORIES.join(" ")
    }; repeatable (default all, fs per file not)`,
    choices: FILTER_CATEGORIES,
    isList: true,
  },
];

export const DIAGNOSE_OPTIONS: readonly OptionDefinition[] = [
  { flags: "--system-wide", description: "trace every process but podtrace itself" },
  {
    flags: "--duration <DURATION>",
    description: `how long to look, at most 24h (default ${DIAGNOSE_DEFAULTS.duration}; a command: until it ends)`,
  },
  { flags: "--diagnose <DURATION>", description: "the same as --duration" },
  { flags: "--now", description: "only say what every thread is doing at this instant" },
  { flags: "--follow", description: "show events as they happen; without a duration until Ctrl+C, then the report" },
  { flags: "--top", description: "show threads by where their time goes, on a live screen until q is pressed" },
  {
    flags: "-o, --output <FORMAT>",
    description: `${OUTPUT_FORMATS.join(", ")} (default ${DIAGNOSE_DEFAULTS.output})`,
    choices: OUTPUT_FORMATS,
  },
  { flags: "--record <FILE>", description: "also write down all that is seen, for --replay; FILE is yours alone" },
  {
    flags: "--replay <FILE>",
    description: "make the report of what --record wrote down; no other target, no rights needed",
  },
  { flags: "--output-file <PATH>", description: "write the report there instead of to stdout" },
  {
    flags: "--fail-on <SEVERITY>",
    description: `exit with 4 on a finding at least: ${SEVERITIES.join(", ")}`,
    choices: SEVERITIES,
  },
  {
    flags: "--slow-wait <DURATION>",
    description: `single waits at least this long are recorded (default ${DIAGNOSE_DEFAULTS.slowWait})`,
  },
  {
    flags: "--error-threshold <PERCENT>",
    description: `failures from this share of attempts on are a finding (default ${DIAGNOSE_DEFAULTS.errorThreshold})`,
  },
  {
    flags: "--rtt-threshold <MS>",
    description: `answers of peers that take this long are slow (default ${DIAGNOSE_DEFAULTS.rttThreshold})`,
  },
  {
    flags: "--fs-threshold <MS>",
    description: `operations on files that take this long are slow (default ${DIAGNOSE_DEFAULTS.fsThreshold})`,
  },
  { flags: "--stacks", description: "record where in the program threads wait and what they compute" },
  {
    flags: "--log-level <LEVEL>",
    description: `${LOG_LEVELS.join(", ")} (default ${DIAGNOSE_DEFAULTS.logLevel})`,
    choices: LOG_LEVELS,
  },
];

/** A word this build knows and does not serve, with what to do instead. */
export interface ReservedWord {
  readonly word: string;
  readonly advice: string;
}

export const RESERVED_COMMANDS: readonly string[] = ["operator", "agent", "report-uploader"];

export const POD_ADVICE = "pods cannot be targets in this build yet, name the container with --container ID";
const EXPORT_ADVICE = "exporters are not in this build yet, write the report with -o json --output-file PATH";

/** The flags of pod targets and of exporters; none takes effect, each says what to use now. */
export const RESERVED_FLAGS: readonly (ReservedWord & { readonly short?: string })[] = [
  { word: "--namespace", short: "-n", advice: POD_ADVICE },
  { word: "--namespaces", advice: POD_ADVICE },
  { word: "--pods", advice: POD_ADVICE },
  { word: "--pod-selector", advice: POD_ADVICE },
  { word: "--all-in-namespace", advice: POD_ADVICE },
  { word: "--export", advice: "the report's format is chosen with -o json or -o csv" },
  { word: "--metrics", advice: EXPORT_ADVICE },
  { word: "--tracing", advice: EXPORT_ADVICE },
  { word: "--tracing-otlp-endpoint", advice: EXPORT_ADVICE },
  { word: "--tracing-jaeger-endpoint", advice: EXPORT_ADVICE },
  { word: "--tracing-splunk-endpoint", advice: EXPORT_ADVICE },
  { word: "--tracing-splunk-token", advice: EXPORT_ADVICE },
  { word: "--tracing-sample-rate", advice: EXPORT_ADVICE },
  { word: "--profiling", advice: "stacks of waits and of computing are recorded with --stacks" },
  { word: "--exporter-from-file", advice: EXPORT_ADVICE },
  { word: "--summary-file", advice: EXPORT_ADVICE },
  { word: "--termination-message-path", advice: EXPORT_ADVICE },
  { word: "--report-to", advice: EXPORT_ADVICE },
];

/** What `podtrace diagnose` was given, split into words and nothing more. */
export interface DiagnoseArguments {
  readonly pid: readonly string[];
  readonly cgroup: readonly string[];
  readonly container: readonly string[];
  readonly isSystemWide: boolean;
  /** What stands after `--`; `undefined` when there is no `--`. */
  readonly command: readonly string[] | undefined;
  /** Words that belong to no option. */
  readonly words: readonly string[];
  readonly duration: string | undefined;
  readonly diagnose: string | undefined;
  readonly isNow: boolean;
  readonly output: string | undefined;
  readonly outputFile: string | undefined;
  readonly record: string | undefined;
  readonly replay: string | undefined;
  readonly failOn: string | undefined;
  readonly filter: readonly string[];
  readonly isFollow: boolean;
  readonly isTop: boolean;
  readonly errorThreshold: string | undefined;
  readonly rttThreshold: string | undefined;
  readonly fsThreshold: string | undefined;
  readonly slowWait: string | undefined;
  readonly hasUserStacks: boolean;
  readonly logLevel: string | undefined;
}

/** Names another BPF object file than the one this build was made with. */
export const OBJECT_VARIABLE = "PODTRACE_BPF_OBJECT";

export const DOCTOR_FORMATS = ["text", "json"] as const;

export type DoctorFormat = (typeof DOCTOR_FORMATS)[number];

export const DOCTOR_OPTIONS: readonly OptionDefinition[] = [
  {
    flags: "-o, --output <FORMAT>",
    description: `${DOCTOR_FORMATS.join(" or ")} (default text; json for diagnose-env)`,
    choices: DOCTOR_FORMATS,
  },
];

/** What `podtrace doctor` was given. */
export interface DoctorArguments {
  readonly output: string | undefined;
  /** When `output` is not given: the contract's name of the command answers in JSON. */
  readonly formatDefault: DoctorFormat;
  /** Words that belong to no option. */
  readonly words: readonly string[];
  /** What stands after `--`. */
  readonly command: readonly string[] | undefined;
}

export const COMPLETION_SHELLS = ["bash", "zsh", "fish"] as const;

export type CompletionShell = (typeof COMPLETION_SHELLS)[number];

/** One option, as completion needs it. */
export interface OptionWords {
  /** "--output" */
  readonly long: string;
  /** "-o" */
  readonly short: string | undefined;
  readonly description: string;
  /** "FORMAT"; `undefined`: it takes no value. */
  readonly valueName: string | undefined;
  /** Empty: whatever the user likes. */
  readonly choices: readonly string[];
  readonly isList: boolean;
}

/** One command, as completion needs it. */
export interface CommandWords {
  /** "" for the program itself. */
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionWords[];
  /** What may stand where no option does. */
  readonly words: readonly string[];
  /** Whether `--` begins a command line of its own. */
  readonly takesCommand: boolean;
}
