import { assert } from "../tests/support/assert.ts";
import { type CommandLine, parseCommandLine } from "./args.ts";
import { DIAGNOSE_OPTIONS, type DiagnoseArguments, REPEATABLE_DIAGNOSE_OPTIONS, RESERVED_FLAGS } from "./options.ts";
import { VERSION } from "./version.ts";

const POD_LINE = "pods cannot be targets in this build yet, name the container with --container ID";

function usageMessageOf(argv: readonly string[]): string {
  const parsed = parseCommandLine(argv);
  assert.equal(parsed.kind, "usage", argv.join(" "));
  return parsed.kind === "usage" ? parsed.message : "";
}

function diagnoseArgumentsOf(argv: readonly string[]): DiagnoseArguments {
  const parsed: CommandLine = parseCommandLine(["diagnose", ...argv]);
  if (parsed.kind !== "diagnose") throw new Error(`expected a diagnose command, got ${JSON.stringify(parsed)}`);
  return parsed.arguments;
}

const NOTHING: DiagnoseArguments = {
  pid: [],
  cgroup: [],
  container: [],
  isSystemWide: false,
  command: undefined,
  words: [],
  duration: undefined,
  diagnose: undefined,
  isNow: false,
  output: undefined,
  outputFile: undefined,
  record: undefined,
  replay: undefined,
  failOn: undefined,
  filter: [],
  isFollow: false,
  isTop: false,
  errorThreshold: undefined,
  rttThreshold: undefined,
  fsThreshold: undefined,
  slowWait: undefined,
  hasUserStacks: false,
  logLevel: undefined,
};

Deno.test("parseCommandLine() splits the words of diagnose and gives no defaults", () => {
  assert.deepEqual(diagnoseArgumentsOf([]), NOTHING);
  assert.deepEqual(diagnoseArgumentsOf(["--pid", "1", "--pid=22"]), { ...NOTHING, pid: ["1", "22"] });
  assert.deepEqual(diagnoseArgumentsOf(["--cgroup", "/a", "--container", "b"]), {
    ...NOTHING,
    cgroup: ["/a"],
    container: ["b"],
  });
  assert.deepEqual(diagnoseArgumentsOf(["-o", "json", "--output-file", "r", "--system-wide", "--now"]), {
    ...NOTHING,
    output: "json",
    outputFile: "r",
    isSystemWide: true,
    isNow: true,
  });
  assert.deepEqual(
    diagnoseArgumentsOf(["--slow-wait=5ms", "--stacks", "--fail-on", "error", "--log-level", "debug"]),
    { ...NOTHING, slowWait: "5ms", hasUserStacks: true, failOn: "error", logLevel: "debug" },
  );
  assert.deepEqual(
    diagnoseArgumentsOf(["--filter=net,fs", "--filter", "lock", "--follow", "--error-threshold", "5"]),
    { ...NOTHING, filter: ["net,fs", "lock"], isFollow: true, errorThreshold: "5" },
  );
  assert.deepEqual(
    diagnoseArgumentsOf(["--rtt-threshold", "20", "--fs-threshold=-1"]),
    { ...NOTHING, rttThreshold: "20", fsThreshold: "-1" },
  );
});

Deno.test("parseCommandLine() hands over negative and empty values for the validator to judge", () => {
  assert.equal(diagnoseArgumentsOf(["--duration", "-5s"]).duration, "-5s");
  assert.equal(diagnoseArgumentsOf(["--duration="]).duration, "");
  assert.deepEqual(diagnoseArgumentsOf(["--pid", "-3"]).pid, ["-3"]);
});

Deno.test("parseCommandLine() gives everything after the first -- to the command", () => {
  assert.deepEqual(diagnoseArgumentsOf(["--now", "--", "ls", "--pid", "--", "--help"]), {
    ...NOTHING,
    isNow: true,
    command: ["ls", "--pid", "--", "--help"],
  });
  assert.deepEqual(diagnoseArgumentsOf(["--"]).command, []);
});

Deno.test("parseCommandLine() leaves options after a bare word alone, so that the word is what is refused", () => {
  assert.deepEqual(diagnoseArgumentsOf(["ls", "-l", "--bogus"]).words, ["ls", "-l", "--bogus"]);
});

Deno.test("parseCommandLine() answers help and version wherever they stand before --", () => {
  for (const argv of [["--version"], ["-v"], ["diagnose", "--version"], ["diagnose", "-v"]]) {
    assert.deepEqual(parseCommandLine(argv), { kind: "version", text: `podtrace v${VERSION}\n` });
  }
  const root = parseCommandLine(["--help"]);
  assert.deepEqual(parseCommandLine(["help"]), root);
  assert.deepEqual(parseCommandLine(["-h"]), root);
  const diagnose = parseCommandLine(["diagnose", "--help"]);
  assert.deepEqual(parseCommandLine(["help", "diagnose"]), diagnose);
  assert.deepEqual(parseCommandLine(["diagnose", "--pid", "3", "-h", "--", "ls"]), diagnose);
  assert.equal(root.kind, "help");
  assert.equal(diagnose.kind, "help");
});

Deno.test("parseCommandLine() offers every option in the help and none that is reserved", () => {
  const help = parseCommandLine(["diagnose", "--help"]);
  const text = help.kind === "help" ? help.text : "";
  for (const { flags } of [...REPEATABLE_DIAGNOSE_OPTIONS, ...DIAGNOSE_OPTIONS]) assert.ok(text.includes(flags), flags);
  for (const { word } of RESERVED_FLAGS) assert.ok(!new RegExp(`${word}\\b(?!-)`).test(text), word);
});

Deno.test("parseCommandLine() names the mistake and the nearest word in one line", () => {
  const table: readonly (readonly [argv: string, message: string])[] = [
    ["", 'Cannot run: no command given, expected "podtrace diagnose" and a target (see podtrace --help)'],
    ["-- ls", 'Cannot run: no command given, expected "podtrace diagnose" and a target (see podtrace --help)'],
    [
      "diagnos",
      "Cannot read the command line: unknown command 'diagnos', did you mean diagnose? (see podtrace --help)",
    ],
    ["xyz --help", "Cannot read the command line: unknown command 'xyz' (see podtrace --help)"],
    [
      "--verson",
      "Cannot read the command line: unknown option '--verson', did you mean --version? (see podtrace --help)",
    ],
    [
      "diagnose --dration 3s",
      "Cannot read the command line: unknown option '--dration', did you mean --duration? (see podtrace diagnose --help)",
    ],
    ["diagnose -x", "Cannot read the command line: unknown option '-x' (see podtrace diagnose --help)"],
    [
      "diagnose --pid",
      "Cannot read the command line: option '--pid <N>' argument missing (see podtrace diagnose --help)",
    ],
    ["--duration 5s", 'Cannot use --duration before a command: write "podtrace diagnose --duration ..."'],
    ["-o json", 'Cannot use -o before a command: write "podtrace diagnose -o ..."'],
  ];
  for (const [argv, message] of table) {
    assert.equal(usageMessageOf(argv === "" ? [] : argv.split(" ")), message);
  }
});

Deno.test("parseCommandLine() knows the doctor by both names, each with its own default", () => {
  const doctorOf = (argv: readonly string[]) => {
    const parsed = parseCommandLine(argv);
    if (parsed.kind !== "doctor") throw new Error(`expected a doctor command, got ${JSON.stringify(parsed)}`);
    return parsed.arguments;
  };
  const nothing = { output: undefined, formatDefault: "text", words: [], command: undefined };
  assert.deepEqual(doctorOf(["doctor"]), nothing);
  assert.deepEqual(doctorOf(["diagnose-env"]), { ...nothing, formatDefault: "json" });
  assert.deepEqual(doctorOf(["doctor", "-o", "xml", "a"]), { ...nothing, output: "xml", words: ["a"] });
  assert.deepEqual(doctorOf(["doctor", "--", "ls"]), { ...nothing, command: ["ls"] });
  assert.match(
    usageMessageOf(["doctor", "--otput", "json"]),
    /did you mean --output\? \(see podtrace doctor --help\)$/,
  );
  const help = parseCommandLine(["help", "diagnose-env"]);
  assert.match(help.kind === "help" ? help.text : "", /^Usage: podtrace diagnose-env /);
});

Deno.test("parseCommandLine() takes exactly one shell to complete for", () => {
  assert.deepEqual(parseCommandLine(["completion", "zsh"]), { kind: "completion", shell: "zsh" });
  const expected = "expected one of bash, zsh, fish";
  assert.equal(usageMessageOf(["completion"]), `Cannot complete: no shell was named, ${expected}`);
  assert.equal(usageMessageOf(["completion", "tcsh"]), `Cannot complete: found "tcsh", ${expected}`);
  assert.equal(usageMessageOf(["completion", "bash", "zsh"]), `Cannot complete: found "bash zsh", ${expected}`);
  assert.equal(usageMessageOf(["completion", "bash", "--", "x"]), `Cannot complete: found "bash", ${expected}`);
});

Deno.test("parseCommandLine() says that a reserved command is not in this build yet, whatever follows it", () => {
  for (const name of ["operator", "agent", "report-uploader"]) {
    for (const rest of [[], ["--help"], ["--metrics-addr", ":8080"]]) {
      assert.equal(
        usageMessageOf([name, ...rest]),
        `Cannot run "${name}": it is not in this build yet, this build has "diagnose" and "doctor"`,
      );
    }
  }
});

Deno.test("parseCommandLine() keeps the contract's 26 flags: used here, or refused with what to use now", () => {
  const thresholds = ["--error-threshold", "--rtt-threshold", "--fs-threshold"];
  const used = ["--container", "--diagnose", "--log-level", "--version", "--filter", ...thresholds];
  assert.equal(RESERVED_FLAGS.length + used.length, 26);
  for (const { word, advice } of RESERVED_FLAGS) {
    for (const argv of [[word], [word, "value"], [`${word}=value`], ["--now", word, "--pid", "3"]]) {
      assert.equal(usageMessageOf(["diagnose", ...argv]), `Cannot use ${word}: ${advice}`);
    }
    assert.equal(usageMessageOf([`${word}=value`]), `Cannot use ${word}: ${advice} (podtrace diagnose --help)`);
  }
  assert.equal(usageMessageOf(["diagnose", "-n", "shop", "--pods", "x"]), `Cannot use --namespace: ${POD_LINE}`);
  assert.equal(
    usageMessageOf(["-n", "shop", "web-0"]),
    `Cannot use --namespace: ${POD_LINE} (podtrace diagnose --help)`,
  );
});

Deno.test("docs/cli.md shows the help as it is printed", async () => {
  const page = await Deno.readTextFile(new URL("../docs/cli.md", import.meta.url));
  for (const argv of [["--help"], ["diagnose", "--help"]]) {
    const help = parseCommandLine(argv);
    assert.ok(help.kind === "help" && page.includes(`\`\`\`text\n${help.text}\`\`\`\n`), argv.join(" "));
  }
});
