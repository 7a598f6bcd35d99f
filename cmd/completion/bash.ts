/**
 * Completion for bash 4 and later (pure).
 *
 * @module
 */

import type { CommandWords, OptionWords } from "../options.ts";
import { isPath } from "./option_value.ts";

/** Yields the script; names hold no quotes and no blanks. */
export function renderBash(commands: readonly CommandWords[]): string {
  const names = commands.map(({ name }) => name).filter((name) => name !== "");
  return `# bash completion for podtrace
_podtrace() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} command= word i
  COMPREPLY=()
  # "--output=json" comes as three words.
  if [[ $current == = ]]; then
    current=
  elif [[ $previous == = ]]; then
    previous=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $word == -- ]]; then
      # A command line of its own: a program, then what it likes.
      if ((i == COMP_CWORD - 1)); then
        mapfile -t COMPREPLY < <(compgen -c -- "$current")
      else
        compopt -o filenames 2> /dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
      fi
      return
    fi
    case $command:$word in
      ${names.map((name) => `:${name}`).join(" | ")}) command=$word ;;
    esac
  done
  case $command:$previous in
${commands.flatMap(valueCases).map((line) => `    ${line}\n`).join("")}  esac
  case $command in
${commands.map((command) => `    ${wordCase(command)}\n`).join("")}  esac
}
complete -F _podtrace podtrace
`;
}

/** What may stand after an option that takes a value. */
function valueCases(command: CommandWords): readonly string[] {
  return command.options.filter(({ valueName }) => valueName !== undefined).map((option) => {
    const names = [option.long, ...(option.short === undefined ? [] : [option.short])];
    const pattern = names.map((name) => `${command.name}:${name}`).join(" | ");
    return `${pattern}) ${valueReply(option)}return ;;`;
  });
}

function valueReply(option: OptionWords): string {
  const words = option.choices.join(" ");
  if (option.isList) {
    // What stands before the last comma stays.
    return `mapfile -t COMPREPLY < <(compgen -P "\${current%"\${current##*,}"}" -W "${words}" -- "\${current##*,}"); `;
  }
  if (option.choices.length > 0) return `${reply(words)}; `;
  return isPath(option)
    ? 'compopt -o filenames 2> /dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$current"); '
    : "";
}

function wordCase({ name, options, words, takesCommand }: CommandWords): string {
  const flags = options.flatMap(({ long, short }) => short === undefined ? [long] : [short, long]);
  const all = [...words, ...flags, ...(takesCommand ? ["--"] : [])].join(" ");
  return `${name === "" ? '""' : name}) ${reply(all)} ;;`;
}

function reply(words: string): string {
  return `mapfile -t COMPREPLY < <(compgen -W "${words}" -- "$current")`;
}
