/**
 * Completion for zsh (pure).
 *
 * @module
 */

import type { CommandWords, OptionWords } from "../options.ts";
import { isPath } from "./option_value.ts";

/** Yields the script, to be found as `_podtrace` in a folder of `fpath`. */
export function renderZsh(commands: readonly CommandWords[]): string {
  const named = commands.filter(({ name }) => name !== "");
  const root = commands.find(({ name }) => name === "");
  return `#compdef podtrace
_podtrace() {
  local context state line
  typeset -A opt_args
  if ((CURRENT == 2)); then
    local -a commands=(
${named.map(({ name, description }) => `      ${quote(`${name}:${description}`)}\n`).join("")}    )
    _describe -t commands command commands
    _arguments ${(root?.options ?? []).map(specOf).join(" ")}
    return
  fi
  local -i separator=\${words[(i)--]}
  if ((separator < CURRENT)); then
    # A command line of its own.
    shift $separator words
    ((CURRENT -= separator))
    _normal
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
${named.map(commandCase).join("")}  esac
}
# Loaded by compinit, or read with source.
if [[ $funcstack[1] == _podtrace ]]; then
  _podtrace "$@"
else
  compdef _podtrace podtrace
fi
`;
}

function commandCase({ name, options, words }: CommandWords): string {
  const specs = [
    ...options.map(specOf),
    ...(words.length === 0 ? [] : [quote(`1:shell:(${words.join(" ")})`)]),
  ];
  return `    ${name})\n      _arguments ${specs.join(" \\\n        ")}\n      ;;\n`;
}

/** One option as `_arguments` reads it: `*` because none forbids its repetition here. */
function specOf(option: OptionWords): string {
  const { long, short, description, valueName } = option;
  const value = valueName === undefined ? "" : `:${escape(valueName)}:${actionOf(option)}`;
  const names = short === undefined ? [long] : [long, short];
  const mark = valueName === undefined ? () => "" : (name: string) => name.startsWith("--") ? "=" : "+";
  return names.map((name) => quote(`*${name}${mark(name)}[${escape(description)}]${value}`)).join(" ");
}

function actionOf(option: OptionWords): string {
  const { choices, isList, valueName } = option;
  if (isList) return `_values -s , ${escape(valueName ?? "")} ${choices.join(" ")}`;
  if (choices.length > 0) return `(${choices.join(" ")})`;
  return isPath(option) ? "_files" : " ";
}

/** Within a specification these end a part. */
function escape(text: string): string {
  return text.replace(/[\\:[\]]/g, "\\$&");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
