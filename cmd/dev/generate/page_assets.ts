/**
 * The script and the style of the HTML report as strings, with the hashes by
 * which the page's policy knows them.
 *
 * @module
 */

import { paletteCss } from "../../../engine/diagnose/html/palette.ts";
import { runCommand } from "../run_command.ts";

const SCRIPT_SOURCE = "engine/diagnose/page_script/main.ts";
const STYLE_SOURCE = "engine/diagnose/html/page.css";

/** Yields the text of the module, not formatted. @throws {Error} With the bundler's own words */
export async function renderPageAssets(root: string): Promise<string> {
  const script = await bundleScript(root);
  const style = compactCss(`${paletteCss()}\n${await Deno.readTextFile(`${root}${STYLE_SOURCE}`)}`);
  // The policy must not meet what would end the element early.
  for (const [name, text] of [["script", script], ["style", style]] as const) {
    if (text.includes(`</${name}`)) throw new Error(`Cannot inline the page's ${name}: found its end tag inside`);
  }
  return [
    "/** Generated from engine/diagnose/page_script and engine/diagnose/html/page.css; do not edit. */",
    "",
    "/** The page's script. */",
    `export const PAGE_SCRIPT = ${JSON.stringify(script)};`,
    "/** Its hash as Content-Security-Policy spells it. */",
    `export const PAGE_SCRIPT_HASH = ${JSON.stringify(await policyHash(script))};`,
    "/** The page's style. */",
    `export const PAGE_STYLE = ${JSON.stringify(style)};`,
    "/** Its hash. */",
    `export const PAGE_STYLE_HASH = ${JSON.stringify(await policyHash(style))};`,
    "",
  ].join("\n");
}

async function bundleScript(root: string): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "podtrace-page-" });
  try {
    const path = `${folder}/page.js`;
    const { code, output } = await runCommand(Deno.execPath(), {
      args: ["bundle", "--quiet", "--platform=browser", "--format=iife", "--minify", `--output=${path}`, SCRIPT_SOURCE],
      cwd: root,
      output: "capture",
    });
    if (code !== 0) throw new Error(`Cannot bundle ${SCRIPT_SOURCE}: ${output}`);
    return (await Deno.readTextFile(path)).trim();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Yields CSS without comments and indentation; one rule's line stays a line. */
export function compactCss(css: string): string {
  return css.replace(/\/\*.*?\*\//gs, "").split("\n").map((line) => line.trim()).filter((line) => line !== "").join(
    "\n",
  );
}

/** Yields "sha256-…" of the text as UTF-8. */
export async function policyHash(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return `sha256-${btoa(String.fromCharCode(...digest))}`;
}
