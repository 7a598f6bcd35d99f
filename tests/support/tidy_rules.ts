/**
 * What a linter does not see: names, kinds of files, leftovers, links (pure).
 *
 * @module
 */

/** One file of the tree. */
export interface TreeFile {
  /** From the root of the tree. */
  readonly path: string;
  /** Empty for what is not text. */
  readonly text: string;
}

/** A kind of file, and what is asked of it besides what is asked of every file. */
export interface FileKind {
  readonly name:
    | "build"
    | "c"
    | "data"
    | "generated"
    | "golden"
    | "licence"
    | "markdown"
    | "recording"
    | "style"
    | "typescript";
  readonly pattern: RegExp;
}

/** Every tracked file must be of one of these; the first match decides. */
export const FILE_KINDS: readonly FileKind[] = [
  { name: "licence", pattern: /^(bpf\/)?LICENSE$/ },
  { name: "build", pattern: /^(\.ci\/run|\.gitignore|deno\.lock)$/ },
  { name: "generated", pattern: /^(bpf|engine\/[a-z]+)\/generated\// },
  { name: "golden", pattern: /^tests\/golden\/.*\.(json|txt)$|__snapshots__\/.*\.snap$/ },
  { name: "recording", pattern: /^(tests\/fixtures\/recordings|cmd\/dev\/demo)\/[a-z_]+\.rec$/ },
  { name: "typescript", pattern: /\.ts$/ },
  { name: "c", pattern: /^(bpf|tests\/fixtures|cmd\/dev\/(demo|bench))\/.*\.[ch]$/ },
  { name: "style", pattern: /^engine\/diagnose\/html\/[a-z_]+\.css$/ },
  { name: "markdown", pattern: /^([A-Z]+|docs\/[a-z0-9_]+)\.md$/ },
  {
    name: "data",
    pattern:
      /^((deno|(docs|engine\/diagnose|tests\/fixtures)\/[a-z0-9_/.]+)\.json|tests\/fixtures\/tls\/[a-z_]+\.pem)$/,
  },
];

/** A longer file wants to be two. */
export const LINES_MAX = 700;

/** Yields the kind of `path`, or `undefined` where the table has none. */
export function kindOf(path: string): FileKind["name"] | undefined {
  return FILE_KINDS.find((kind) => kind.pattern.test(path))?.name;
}

/** Yields everything untidy about one file, one line each. */
export function fileProblems(file: TreeFile): readonly string[] {
  const kind = kindOf(file.path);
  if (kind === undefined) return ["no row of FILE_KINDS in tests/support/tidy_rules.ts covers it"];
  const rules = RULES.filter((rule) => rule.kinds.includes(kind));
  return rules.flatMap((rule) => rule.problems(file));
}

/** Yields the relative targets of Markdown links, outside of code. */
export function linkTargets(markdown: string): readonly string[] {
  const prose = markdown.replace(/^```.*?^```/gms, "").replace(/`[^`\n]*`/g, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target.replace(/#.*$/, ""))
    .filter((target) => target !== "" && !/^[a-z]+:/.test(target));
}

/** Yields the names of the tasks that a text tells its reader to run. */
export function mentionedTasks(text: string): readonly string[] {
  return [...text.matchAll(/\bdeno(?:@[0-9.]+)? task ([a-z]+)/g)].map(([, name = ""]) => name);
}

/** Yields the versions of Deno that a text names for npx. */
export function mentionedDenoVersions(text: string): readonly string[] {
  return [...text.matchAll(/\bdeno@([0-9.]*[0-9])/g)].map(([, version = ""]) => version);
}

interface Rule {
  readonly kinds: readonly FileKind["name"][];
  problems(file: TreeFile): readonly string[];
}

const CODE = ["c", "typescript"] as const;
const WRITTEN = [...CODE, "build", "data", "markdown", "style"] as const;

const RULES: readonly Rule[] = [
  { kinds: CODE, problems: ({ path }) => nameProblems(path) },
  { kinds: [...WRITTEN, "generated", "golden"], problems: ({ path, text }) => placeProblems(path, text) },
  { kinds: WRITTEN, problems: ({ text }) => spaceProblems(text) },
  { kinds: ["typescript"], problems: ({ text }) => lineProblems(text, /\t/, "a tab") },
  { kinds: CODE, problems: ({ text }) => lineProblems(text, UNFINISHED, "an unfinished mark") },
  { kinds: CODE, problems: ({ text }) => lengthProblems(text) },
  { kinds: ["c"], problems: ({ path, text }) => licenceProblems(path, text) },
  { kinds: ["generated"], problems: ({ path, text }) => path.endsWith(".ts") ? generatedProblems(text) : [] },
];

/** Drawers for leftovers: the name says nothing about what is in it. */
const DRAWER_WORDS: ReadonlySet<string> = new Set(["common", "helper", "helpers", "manager", "misc", "util", "utils"]);
const DRAWER_NAMES: ReadonlySet<string> = new Set(["constants", "types"]);

function nameProblems(path: string): readonly string[] {
  const name = path.split("/").at(-1) ?? "";
  const stem = name.split(".")[0] ?? "";
  const isDrawer = DRAWER_NAMES.has(stem) || stem.split("_").some((word) => DRAWER_WORDS.has(word));
  return [
    ...(path.split("/").every((part) => /^[a-z0-9_.]+$/.test(part)) ? [] : ["its name is not snake_case"]),
    ...(isDrawer ? ["its name is a drawer for leftovers"] : []),
  ];
}

// The brackets keep these patterns from finding themselves.
const UNFINISHED = /\b(TO[D]O|FIX[M]E|XX[X]|HAC[K])\b/;

/** Folders of one person's machine. */
const MACHINE_PATH = /(^|[^a-z0-9_.])\/(wor[k]|hom[e]\/[a-z]+|far[m]|Use[r]s)\/|(^|["'\s(=])\/roo[t]\//;

/** Hosts that packages come from: reached through their clients' settings, never named. */
const REGISTRY_HOST =
  /pro[x]y\.golang|regis[t]ry\.npm|de[b]\.debian|pythonhos[t]ed|repo1?\.mav[e]n|static\.crat[e]s|regis[t]ry-1\.docker/;

function placeProblems(path: string, text: string): readonly string[] {
  if (path === "deno.lock") return [];
  return [
    ...lineProblems(text, MACHINE_PATH, "a path of one machine"),
    ...lineProblems(text, REGISTRY_HOST, "a registry's host"),
  ];
}

function spaceProblems(text: string): readonly string[] {
  return [
    ...lineProblems(text, /[ \t\r]+$/, "white space at the end"),
    ...(/[^\n]\n$/.test(text) ? [] : ["it does not end with exactly one line break"]),
  ];
}

function lengthProblems(text: string): readonly string[] {
  const lineCount = text.split("\n").length - 1;
  return lineCount <= LINES_MAX ? [] : [`it has ${lineCount} lines, at most ${LINES_MAX} are allowed`];
}

/** What is loaded into the kernel says its licence on its first line. */
function licenceProblems(path: string, text: string): readonly string[] {
  const isKernelCode = path.startsWith("bpf/") || path.endsWith(".bpf.c");
  const isMarked = /^(\/\*|\/\/) SPDX-License-Identifier: GPL-2\.0\b/.test(text);
  return !isKernelCode || isMarked ? [] : ["its first line lacks SPDX-License-Identifier: GPL-2.0"];
}

function generatedProblems(text: string): readonly string[] {
  const head = text.split("\n").slice(0, 6).join("\n");
  return /\bgenerated\b/i.test(head) ? [] : ["its first lines do not say that it is generated"];
}

function lineProblems(text: string, pattern: RegExp, what: string): readonly string[] {
  return text.split("\n").flatMap((line, index) => pattern.test(line) ? [`line ${index + 1} has ${what}`] : []);
}
