import { assert } from "../../tests/support/assert.ts";
import { commandWords, parseCommandLine } from "../args.ts";
import { COMPLETION_SHELLS } from "../options.ts";
import { renderCompletion } from "./completion.ts";

const COMMANDS = commandWords();

/** Asks a real bash what it offers for the last of `words`, as its completion does. */
async function offersOf(words: readonly string[]): Promise<readonly string[]> {
  const script = `${renderCompletion("bash", COMMANDS)}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _podtrace; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: ["--norc", "-c", script, "bash", "podtrace", ...words],
  }).output();
  const decoder = new TextDecoder();
  assert.deepEqual([code, decoder.decode(stderr)], [0, ""], words.join(" "));
  // A program that two folders of PATH hold comes twice; bash shows it once.
  return [...new Set(decoder.decode(stdout).split("\n").filter((line) => line !== ""))];
}

Deno.test("a real bash completes commands, options and their values", async () => {
  const rows: readonly (readonly [words: readonly string[], offers: readonly string[]])[] = [
    [["d"], ["diagnose", "doctor"]],
    [["--v"], ["--version"]],
    [["completion", ""], ["bash", "zsh", "fish", "-v", "--version", "-h", "--help"]],
    [["diagnose", "--output-"], ["--output-file"]],
    [["diagnose", "-o", "j"], ["json"]],
    [["diagnose", "--now", "--output", "=", "te"], ["text"]],
    [["diagnose", "--log-level", "="], ["debug", "info", "warn", "error"]],
    [["doctor", "-o", ""], ["text", "json"]],
    [["diagnose", "--fail-on", "cr"], ["critical"]],
    [["diagnose", "--filter", "ne"], ["net"]],
    [["diagnose", "--filter", "net,lo"], ["net,lock"]],
    [["diagnose", "--pid", ""], []],
    [["diagnose", "--output-file", "/etc/passw"], ["/etc/passwd"]],
    [["diagnose", "--duration", "3s", "--", "chgr"], ["chgrp"]],
    [["diagnose", "--", "ls", "/etc/passw"], ["/etc/passwd"]],
    // A command of another name is a word like any other.
    [["doctor", "diagnose", "--p"], []],
    [["nonsense", "--hel"], ["--help"]],
  ];
  for (const [words, offers] of rows) {
    const found = await offersOf(words);
    assert.deepEqual(found.filter((name) => !name.startsWith("/etc/passwd-")), offers, words.join(" "));
  }
});

Deno.test("a real bash reads the script without a word of complaint, and completes for podtrace alone", async () => {
  const script = `${renderCompletion("bash", COMMANDS)}complete -p podtrace`;
  const { stdout, stderr } = await new Deno.Command("bash", { args: ["--norc", "-c", script] }).output();
  const decoder = new TextDecoder();
  assert.deepEqual(
    [decoder.decode(stdout), decoder.decode(stderr)],
    ["complete -F _podtrace podtrace\n", ""],
  );
});

for (const shell of COMPLETION_SHELLS) {
  Deno.test(`renderCompletion() offers every command and option of the help to ${shell}`, () => {
    const script = renderCompletion(shell, COMMANDS);
    for (const { name, options, words } of COMMANDS) {
      for (const word of [name, ...words]) assert.ok(script.includes(word), word);
      for (const { long, choices } of options) {
        const word = shell === "fish" ? `-l ${long.slice(2)}` : long;
        assert.ok(script.includes(word), `${name} ${word}`);
        assert.ok(choices.every((choice) => script.includes(choice)), `${name} ${long}`);
      }
    }
    assert.match(script, /\n$/);
  });
}

Deno.test("commandWords() holds what the help offers, and nothing hidden or reserved", () => {
  assert.deepEqual(COMMANDS.map(({ name }) => name), ["", "diagnose", "doctor", "completion"]);
  for (const { name, options } of COMMANDS) {
    const parsed = parseCommandLine(name === "" ? ["--help"] : [name, "--help"]);
    const help = parsed.kind === "help" ? parsed.text : "";
    const offered = Array.from(help.matchAll(/^ +(?:-\w, )?(--[a-z-]+)/gm), ([, long]) => long);
    assert.deepEqual(options.map(({ long }) => long), offered, name);
  }
  assert.ok(COMMANDS.every(({ options }) => options.every(({ long }) => long !== "--namespace")));
});
