/**
 * From argv to the command that was meant. The only importer of commander.
 *
 * @module
 */

import { Command, CommanderError, Option } from "commander";
import {
  type CommandWords,
  COMPLETION_SHELLS,
  type CompletionShell,
  DIAGNOSE_OPTIONS,
  type DiagnoseArguments,
  DOCTOR_OPTIONS,
  type DoctorArguments,
  type OptionDefinition,
  REPEATABLE_DIAGNOSE_OPTIONS,
  RESERVED_COMMANDS,
  RESERVED_FLAGS,
} from "./options.ts";
import { VERSION } from "./version.ts";

/** What a command line asks for. */
export type CommandLine =
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "version"; readonly text: string }
  /** It asks for nothing that can be done; `message` is one line. */
  | { readonly kind: "usage"; readonly message: string }
  | { readonly kind: "diagnose"; readonly arguments: DiagnoseArguments }
  | { readonly kind: "doctor"; readonly arguments: DoctorArguments }
  | { readonly kind: "completion"; readonly shell: CompletionShell };

/** The same on every terminal, so that the documentation can show it. */
const HELP_COLUMNS = 100;

const EXAMPLES = `
Examples:
  podtrace diagnose --pid 4711
  podtrace diagnose --container 3f2a9c0d1e4b --duration 1m -o json --output-file report.json
  podtrace diagnose --pid 4711 --follow --filter net,lock
  podtrace diagnose -- ./nightly-import --all

Exit codes: 0 done, 1 error, 2 wrong usage, 3 nothing was seen, 4 findings with --fail-on
`;

const DOCTOR_EXAMPLES = `
Examples:
  podtrace doctor
  podtrace doctor -o json > doctor.json
  setpriv --bounding-set=-all,+bpf,+perfmon -- podtrace doctor

Exit codes: 0 this machine can be traced, 1 it cannot (the first lines say why), 2 wrong usage
`;

const COMPLETION_EXAMPLES = `
Examples:
  source <(podtrace completion bash)
  podtrace completion bash > /etc/bash_completion.d/podtrace
  podtrace completion zsh > "\${fpath[1]}/_podtrace"
  podtrace completion fish > ~/.config/fish/completions/podtrace.fish
`;

/** The doctor's name in the contract. */
const DOCTOR_ALIAS = "diagnose-env";

/** What has a help of its own. */
const SERVED_COMMANDS: readonly string[] = ["diagnose", "doctor", DOCTOR_ALIAS, "completion"];

const COMMANDS: readonly string[] = [...SERVED_COMMANDS, ...RESERVED_COMMANDS];

const NO_COMMAND: CommandLine = {
  kind: "usage",
  message: 'Cannot run: no command given, expected "podtrace diagnose" and a target (see podtrace --help)',
};

/**
 * Yields the command that `argv` (without the program's own name) means. Pure:
 * prints nothing, ends nothing.
 */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const [first = ""] = argv;
  if (first === "help") return parseCommandLine([...argv.slice(1, 2), "--help"]);
  const misplaced = findMisplacedFlag(first);
  if (misplaced !== undefined) return { kind: "usage", message: misplaced };

  const { words, command } = splitAtCommand(argv);
  // A word that is no command is the mistake, whatever follows it.
  const isCommandUnknown = !first.startsWith("-") && !COMMANDS.includes(first);
  const output: string[] = [];
  let parsed: CommandLine | undefined;
  const root = buildRoot({
    write: (text) => output.push(text),
    accept: (commandLine) => parsed = commandLine,
    command,
  });
  try {
    root.parse(isCommandUnknown ? words.slice(0, 1) : words, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return fromCommanderError(error, { argv, output: output.join("") });
  }
  return parsed ?? NO_COMMAND;
}

/** Everything after the first `--` belongs to the command that is to be traced. */
function splitAtCommand(argv: readonly string[]): { words: readonly string[]; command: string[] | undefined } {
  const separator = argv.indexOf("--");
  if (separator === -1) return { words: argv, command: undefined };
  return { words: argv.slice(0, separator), command: argv.slice(separator + 1) };
}

interface Parsing {
  readonly write: (text: string) => void;
  readonly accept: (commandLine: CommandLine) => void;
  readonly command: readonly string[] | undefined;
}

function buildRoot(parsing: Parsing): Command {
  const root = new Command("podtrace")
    .description("Says why a process, container or cgroup is slow and where its time goes, without changing it.")
    .exitOverride()
    .configureOutput({ writeOut: parsing.write, writeErr: () => {}, getOutHelpWidth: () => HELP_COLUMNS })
    .configureHelp({ subcommandTerm: (subcommand) => subcommand.name() })
    .helpCommand(false)
    .version(`podtrace v${VERSION}`, "-v, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .usage("COMMAND [options]")
    // Options before a subcommand belong to the root; this must come before any passThroughOptions().
    .enablePositionalOptions();
  addDiagnose(root, parsing);
  addDoctor(root, { ...parsing, name: "doctor", formatDefault: "text" });
  addDoctor(root, { ...parsing, name: DOCTOR_ALIAS, formatDefault: "json" });
  addCompletion(root, parsing);
  for (const name of RESERVED_COMMANDS) addReservedCommand(root, { name, accept: parsing.accept });
  return root;
}

function addDiagnose(root: Command, parsing: Parsing): void {
  const diagnose = root.command("diagnose")
    .description("Looks at one target for a while and reports what it waits for.")
    .usage("[options] (--pid N | --cgroup PATH | --container ID | --system-wide | --replay FILE | -- COMMAND ARGS...)")
    .version(`podtrace v${VERSION}`, "-v, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .argument("[words...]")
    .passThroughOptions()
    .addHelpText("after", EXAMPLES);
  // The one argument exists to be refused with advice; help must not offer it.
  diagnose.configureHelp({ visibleArguments: () => [] });
  for (const { flags, description } of REPEATABLE_DIAGNOSE_OPTIONS) {
    diagnose.addOption(
      new Option(flags, description).argParser((value, previous: readonly string[] = []) => [...previous, value]),
    );
  }
  for (const { flags, description } of DIAGNOSE_OPTIONS) diagnose.option(flags, description);
  for (const { word, short, advice } of RESERVED_FLAGS) {
    const flags = short === undefined ? `${word} [value]` : `${short}, ${word} [value]`;
    diagnose.addOption(new Option(flags).hideHelp());
    diagnose.on(`option:${word.slice(2)}`, () => {
      throw new ReservedWordError(`Cannot use ${word}: ${advice}`);
    });
  }
  diagnose.action((words: string[], options: Record<string, unknown>) => {
    const given = toDiagnoseArguments(options, { words, command: parsing.command });
    parsing.accept({ kind: "diagnose", arguments: given });
  });
}

function addDoctor(
  root: Command,
  parsing: Parsing & { readonly name: string; readonly formatDefault: DoctorArguments["formatDefault"] },
): void {
  const { name, formatDefault } = parsing;
  const doctor = root.command(name, { hidden: name === DOCTOR_ALIAS })
    .description("Says whether this machine can be traced, how well, and what is missing.")
    .usage("[options]")
    .version(`podtrace v${VERSION}`, "-v, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .argument("[words...]")
    .addHelpText("after", DOCTOR_EXAMPLES);
  doctor.configureHelp({ visibleArguments: () => [] });
  for (const { flags, description } of DOCTOR_OPTIONS) doctor.option(flags, description);
  doctor.action((words: string[], options: Record<string, unknown>) => {
    const given = { output: textOf(options.output), formatDefault, words, command: parsing.command };
    parsing.accept({ kind: "doctor", arguments: given });
  });
}

function addCompletion(root: Command, parsing: Parsing): void {
  const shells = COMPLETION_SHELLS.join(", ");
  const completion = root.command("completion")
    .description(`Prints what makes a shell complete podtrace's command line: ${shells}.`)
    .usage(`(${COMPLETION_SHELLS.join(" | ")})`)
    .version(`podtrace v${VERSION}`, "-v, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .argument("[words...]")
    .addHelpText("after", COMPLETION_EXAMPLES);
  completion.configureHelp({ visibleArguments: () => [] });
  completion.action((words: string[]) => {
    const shell = COMPLETION_SHELLS.find((name) => name === words[0]);
    const isAlone = words.length === 1 && parsing.command === undefined;
    if (shell !== undefined && isAlone) return parsing.accept({ kind: "completion", shell });
    const found = words.length === 0 ? "no shell was named" : `found "${words.join(" ")}"`;
    parsing.accept({ kind: "usage", message: `Cannot complete: ${found}, expected one of ${shells}` });
  });
}

/** Yields the program itself, then every command that help offers, as completion needs them. */
export function commandWords(): readonly CommandWords[] {
  const root = buildRoot({ write: () => {}, accept: () => {}, command: undefined });
  const commands = root.createHelp().visibleCommands(root);
  const names = commands.map((command) => command.name());
  return [
    toCommandWords(root, { name: "", words: names, definitions: [] }),
    ...commands.map((command) => {
      const name = command.name();
      return toCommandWords(command, {
        name,
        words: name === "completion" ? COMPLETION_SHELLS : [],
        definitions: DEFINITIONS[name] ?? [],
      });
    }),
  ];
}

const DEFINITIONS: Readonly<Record<string, readonly OptionDefinition[]>> = {
  diagnose: [...REPEATABLE_DIAGNOSE_OPTIONS, ...DIAGNOSE_OPTIONS],
  doctor: DOCTOR_OPTIONS,
};

function toCommandWords(
  command: Command,
  about: Pick<CommandWords, "name" | "words"> & { readonly definitions: readonly OptionDefinition[] },
): CommandWords {
  const { name, words, definitions } = about;
  const options = command.createHelp().visibleOptions(command).map((option) => {
    const { choices = [], isList = false } = definitions.find(({ flags }) => flags === option.flags) ?? {};
    return {
      long: option.long ?? option.flags,
      short: option.short,
      description: option.description,
      valueName: /[<[]([^>\]]+)[>\]]/.exec(option.flags)?.[1],
      choices,
      isList,
    };
  });
  return { name, description: command.description(), options, words, takesCommand: name === "diagnose" };
}

function addReservedCommand(root: Command, options: { name: string; accept: Parsing["accept"] }): void {
  const { name, accept } = options;
  root.command(name, { hidden: true })
    .helpOption(false)
    .argument("[words...]")
    .allowUnknownOption()
    .passThroughOptions()
    .action(() => {
      accept({
        kind: "usage",
        message: `Cannot run "${name}": it is not in this build yet, this build has "diagnose" and "doctor"`,
      });
    });
}

/** Ends the parse at the first word that is kept for later. */
class ReservedWordError extends CommanderError {
  override readonly name = "ReservedWordError";

  constructor(message: string) {
    super(1, "podtrace.reserved", message);
  }
}

function toDiagnoseArguments(
  options: Record<string, unknown>,
  rest: { words: readonly string[]; command: readonly string[] | undefined },
): DiagnoseArguments {
  return {
    pid: textsOf(options.pid),
    cgroup: textsOf(options.cgroup),
    container: textsOf(options.container),
    isSystemWide: options.systemWide === true,
    command: rest.command,
    words: rest.words,
    duration: textOf(options.duration),
    diagnose: textOf(options.diagnose),
    isNow: options.now === true,
    output: textOf(options.output),
    outputFile: textOf(options.outputFile),
    record: textOf(options.record),
    replay: textOf(options.replay),
    failOn: textOf(options.failOn),
    filter: textsOf(options.filter),
    isFollow: options.follow === true,
    isTop: options.top === true,
    errorThreshold: textOf(options.errorThreshold),
    rttThreshold: textOf(options.rttThreshold),
    fsThreshold: textOf(options.fsThreshold),
    slowWait: textOf(options.slowWait),
    hasUserStacks: options.stacks === true,
    logLevel: textOf(options.logLevel),
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** Flags of the contract's single command, given where a command is wanted now. */
function findMisplacedFlag(first: string): string | undefined {
  const [flag = ""] = first.split("=");
  const reserved = RESERVED_FLAGS.find(({ word, short }) => word === flag || short === flag);
  if (reserved !== undefined) return `Cannot use ${reserved.word}: ${reserved.advice} (podtrace diagnose --help)`;
  const known = [...REPEATABLE_DIAGNOSE_OPTIONS, ...DIAGNOSE_OPTIONS]
    .some(({ flags }) => flags.split(/[ ,]+/).includes(flag) && flag.startsWith("-"));
  return known ? `Cannot use ${flag} before a command: write "podtrace diagnose ${flag} ..."` : undefined;
}

function fromCommanderError(
  error: CommanderError,
  given: { argv: readonly string[]; output: string },
): CommandLine {
  switch (error.code) {
    case "commander.helpDisplayed":
      return { kind: "help", text: `${given.output.trimEnd()}\n` };
    case "commander.version":
      return { kind: "version", text: given.output };
    case "podtrace.reserved":
      return { kind: "usage", message: error.message };
    case "commander.help":
      return NO_COMMAND;
    default: {
      const [first = ""] = given.argv;
      const help = SERVED_COMMANDS.includes(first) ? `podtrace ${first} --help` : "podtrace --help";
      return { kind: "usage", message: `Cannot read the command line: ${toOneLine(error.message)} (see ${help})` };
    }
  }
}

/** commander writes its suggestion in parentheses on a second line. */
function toOneLine(message: string): string {
  return message.replace(/^error: /, "").replace(/\s*\n\s*\(Did (.*)\)/, ", did $1");
}
