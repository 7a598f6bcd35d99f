/**
 * What makes a shell complete podtrace's command line, made from the very words
 * that help shows (pure).
 *
 * @module
 */

import type { CommandWords, CompletionShell } from "../options.ts";
import { renderBash } from "./bash.ts";
import { renderFish } from "./fish.ts";
import { renderZsh } from "./zsh.ts";

/** Yields the script for `shell`. */
export function renderCompletion(shell: CompletionShell, commands: readonly CommandWords[]): string {
  return RENDERERS[shell](commands);
}

const RENDERERS: Readonly<Record<CompletionShell, (commands: readonly CommandWords[]) => string>> = {
  bash: renderBash,
  fish: renderFish,
  zsh: renderZsh,
};
