/**
 * Completion for fish (pure).
 *
 * @module
 */

import type { CommandWords, OptionWords } from "../options.ts";
import { isPath } from "./option_value.ts";

/** Yields the script. */
export function renderFish(commands: readonly CommandWords[]): string {
  const lines = commands.flatMap((command) => {
    const condition = command.name === "" ? "__fish_use_subcommand" : `__fish_seen_subcommand_from ${command.name}`;
    const words = command.words.map((word) => {
      const description = commands.find(({ name }) => name === word)?.description;
      return lineOf(condition, ["-a", word, ...(description === undefined ? [] : ["-d", quote(description)])]);
    });
    return [...words, ...command.options.map((option) => lineOf(condition, optionWords(option)))];
  });
  // Files only where an option says so, and after "--".
  return ["# fish completion for podtrace", "complete -c podtrace -f", ...lines, ...AFTER_SEPARATOR, ""].join("\n");
}

const AFTER_SEPARATOR = [
  'complete -c podtrace -n "contains -- -- (commandline -opc)" -F',
  'complete -c podtrace -n "test (commandline -opc)[-1] = --" -a "(__fish_complete_command)"',
];

function optionWords(option: OptionWords): readonly string[] {
  const { long, short, description, valueName, choices, isList } = option;
  return [
    "-l",
    long.replace(/^--/, ""),
    ...(short === undefined ? [] : ["-s", short.replace(/^-/, "")]),
    ...(valueName === undefined ? [] : isPath(option) ? ["-r", "-F"] : ["-x"]),
    ...(choices.length === 0 ? [] : ["-a", quote(isList ? listOf(choices) : choices.join(" "))]),
    "-d",
    quote(description),
  ];
}

/** A function of fish's own that completes one after another, comma-separated. */
function listOf(choices: readonly string[]): string {
  return `(__fish_append , ${choices.join(" ")})`;
}

function lineOf(condition: string, words: readonly string[]): string {
  return `complete -c podtrace -n ${quote(condition)} ${words.join(" ")}`;
}

function quote(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
