/**
 * Secrets on command lines: a report travels further than the process list it
 * was made from, so what looks like a credential is replaced by default. In
 * doubt it is: a port hidden by mistake costs less than a password shown.
 *
 * Every expression here takes time linear in the text: command lines are input
 * of strangers. So names are found by their characters and judged afterwards.
 *
 * @module
 */

const REDACTED = "***";

/** Words that, in the name of an option or variable, say that its value is a secret. */
const SECRET_WORD = "pass(?:w(?:or)?d|phrase)?|pwd|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|" +
  "credentials?|auth(?:orization)?|bearer|session[-_]?id|cookie";

/** `SECRET_KEY_BASE`, `secret-value`, `secretKey`: more may follow this one word. */
const SECRET_AND_MORE = "secret(?:[-_.]|key|value)[\\w.-]*";

/** `db-admin-password`, `token`, `secret-key`: an option's name without its dashes. */
const SECRET_OPTION = new RegExp(`(?:^|[-_.])(?:${SECRET_WORD}|${SECRET_AND_MORE})$`, "i");

/** The same without a separator: `dbPassword`. */
const SECRET_OPTION_CAMEL = /(?:Password|Passwd|Passphrase|Secret|SecretKey|Token|ApiKey|AccessKey|Credentials?)$/;

/** The name of a variable, header or member: `DB_PASSWORD`, `dbtoken`. */
const SECRET_NAME = new RegExp(`(?:${SECRET_WORD}|${SECRET_AND_MORE})$`, "i");

/** `--secret-file`: the value says where the secret is. */
const PLACE_NAME = /(?:file|path|dir|name)$/i;

/** `name=`, `"name": `; also inside a longer argument such as a query string. */
const ASSIGNMENT = /(?<![\w.-])([\w.-]+)["']?\s*[=:]\s*/g;

/** What follows an assignment; a quote that never closes reaches to the end. */
const ASSIGNED = /"[^"]*(?:"|$)|'[^']*(?:'|$)|(?:(?:basic|bearer|token)\s+)?[^\s&;,"']+/iy;

/** `Authorization: Basic x`: everything after the colon, scheme kept. */
const AUTHORIZATION_HEADER = /((?:proxy-)?authorization\s*[:=]\s*)(?:(basic|bearer|digest|negotiate|token)\s+)?\S.*/gi;

/** `Cookie: a=1; sid=x`: everything after the colon. */
const COOKIE_HEADER = /(cookie\s*[:=]\s*)\S.*/gi;

/** Well-known token shapes that need no name beside them. */
const BARE_TOKEN =
  /\b(?:gh[pousr]_[A-Za-z0-9]{20,}|AKIA[A-Z0-9]{16}|xox[abposr]-[A-Za-z0-9-]{10,}|eyJ[\w-]{8,512}\.[\w-]{8,}\.[\w-]*)/g;

interface ShortOption {
  readonly option: string;
  readonly takesNext: boolean;
}

/** Programs with a one-letter option for a password: its value follows at once, or is the next argument. */
const SHORT_OPTIONS: ReadonlyMap<string, ShortOption> = new Map<string, ShortOption>([
  ...["mongo", "mongodump", "mongorestore", "mongosh", "sshpass"]
    .map((program) => [program, { option: "-p", takesNext: true }] as const),
  ["redis-cli", { option: "-a", takesNext: true }],
]);

/** `mysql`, `mysqlimport`, `mysql-8.4`, `mariadb-check`: all of the family. */
const MYSQL_PROGRAM = /^(?:mysql|mariadb)[\w.-]*$/i;

/** mysql asks when `-p` stands alone, so what follows is no password there. */
const MYSQL_OPTION: ShortOption = { option: "-p", takesNext: false };

/** `docker login -p x`; without `login` the same option is a port. */
const LOGIN_PROGRAMS: readonly string[] = ["az", "buildah", "docker", "helm", "nerdctl", "oc", "podman", "skopeo"];
const LOGIN_OPTION: ShortOption = { option: "-p", takesNext: true };

/** `curl -u user:password`; other programs use `-u` for a plain user name, so only with a colon. */
const USER_OPTION = /^(?:-u|--user|--proxy-user)$/;
const USER_ASSIGNMENT = /^(--(?:proxy-)?user=)[^:]*:/;

/** `-u`, `-sSu`, `-uuser:password`: flags of curl that take no value may come before it. */
const CURL_USER = /^(-[0-6sSkLvfgijlnNpqRaBGIOJ#]*[uU])(.*)$/s;

/** Words as a shell splits them, roughly; a quote that never closes reaches to the end. */
const SHELL_WORD = /(?:"[^"]*(?:"|$)|'[^']*(?:'|$)|[^\s"'])+/g;

/**
 * Yields the arguments with values that look like secrets replaced by `***`.
 * The number and order of the arguments stay as they are.
 *
 * @example
 * ```ts
 * import { redactCommandLine } from "./redact.ts";
 * console.assert(redactCommandLine(["app", "--password", "hunter2"])[2] === "***");
 * ```
 */
export function redactCommandLine(commandLine: readonly string[]): readonly string[] {
  return redactOptions(commandLine, redactArgument);
}

/** Hides the values of options; what is none goes through `redactOther`. */
function redactOptions(words: readonly string[], redactOther: (word: string) => string): readonly string[] {
  // `env mysql`, `sudo -u me mysql`: every word may be the program, and what it is called with stays with it.
  const programs = new Set<string>();
  return words.map((word, index) => {
    const shown = redactValue(word, { option: index > 0 ? words[index - 1] ?? "" : "", programs }) ?? redactOther(word);
    const program = programOf(word);
    if (program !== undefined) programs.add(program);
    return shown;
  });
}

function programOf(word: string): string | undefined {
  if (word.startsWith("-")) return undefined;
  const name = word.split(/[^\w.-]+/).findLast((part) => part !== "");
  if (name === undefined) return undefined;
  const isKnown = name === "curl" || name === "login" || SHORT_OPTIONS.has(name) || MYSQL_PROGRAM.test(name) ||
    LOGIN_PROGRAMS.includes(name);
  return isKnown ? name : undefined;
}

/** Yields the word as it is shown if it is the value of an option, or has one attached. */
function redactValue(word: string, context: { option: string; programs: ReadonlySet<string> }): string | undefined {
  const { option, programs } = context;
  for (const short of shortOptionsOf(programs)) {
    if (short.takesNext && option === short.option) return REDACTED;
    if (word.length > short.option.length && word.startsWith(short.option)) return short.option + REDACTED;
  }
  if (isSecretOption(option) && !word.startsWith("--")) return REDACTED;
  const userAssignment = USER_ASSIGNMENT.exec(word);
  if (userAssignment !== null) return `${userAssignment[1]}${REDACTED}`;
  if (USER_OPTION.test(option) && word.includes(":")) return REDACTED;
  if (!programs.has("curl")) return undefined;
  if (CURL_USER.exec(option)?.[2] === "" && word.includes(":")) return REDACTED;
  const attached = CURL_USER.exec(word);
  return attached?.[2]?.includes(":") ? `${attached[1]}${REDACTED}` : undefined;
}

function shortOptionsOf(programs: ReadonlySet<string>): readonly ShortOption[] {
  const options = [...programs].flatMap((program) =>
    MYSQL_PROGRAM.test(program) ? MYSQL_OPTION : SHORT_OPTIONS.get(program) ?? []
  );
  const isLogin = programs.has("login") && LOGIN_PROGRAMS.some((program) => programs.has(program));
  return isLogin ? [...options, LOGIN_OPTION] : options;
}

function isSecretOption(option: string): boolean {
  const name = /^--?([\w.-]+)$/.exec(option)?.[1];
  if (name === undefined || PLACE_NAME.test(name)) return false;
  return SECRET_OPTION.test(name) || SECRET_OPTION_CAMEL.test(name);
}

function redactArgument(argument: string): string {
  const text = argument
    .replace(
      AUTHORIZATION_HEADER,
      (_whole, name: string, scheme: string | undefined) =>
        scheme === undefined ? `${name}${REDACTED}` : `${name}${scheme} ${REDACTED}`,
    )
    .replace(COOKIE_HEADER, `$1${REDACTED}`)
    .replace(/\S+/g, redactUserinfo);
  return redactInlineOptions(redactAssignments(text).replace(BARE_TOKEN, REDACTED));
}

/** `sh -c "mysql --password x"`: options and their values inside one argument. */
function redactInlineOptions(text: string): string {
  if (!/\s/.test(text)) return text;
  const words = text.match(SHELL_WORD) ?? [];
  const shown = redactOptions(words, (word) => {
    const quote = word[0];
    const isQuoted = word.length > 2 && (quote === '"' || quote === "'") && word.indexOf(quote, 1) === word.length - 1;
    return isQuoted ? `${quote}${redactInlineOptions(word.slice(1, -1))}${quote}` : word;
  });
  let index = 0;
  return text.replace(SHELL_WORD, (word) => shown[index++] ?? word);
}

function redactAssignments(text: string): string {
  const parts: string[] = [];
  let shownEnd = 0;
  for (const match of text.matchAll(ASSIGNMENT)) {
    const [whole, name = ""] = match;
    const valueStart = match.index + whole.length;
    if (match.index < shownEnd || !SECRET_NAME.test(name) || PLACE_NAME.test(name)) continue;
    if (/authorization$/i.test(name)) continue; // its header is hidden already, the scheme is not a secret
    ASSIGNED.lastIndex = valueStart;
    const value = ASSIGNED.exec(text)?.[0];
    if (value === undefined) continue;
    parts.push(text.slice(shownEnd, valueStart), REDACTED);
    shownEnd = valueStart + value.length;
  }
  return parts.join("") + text.slice(shownEnd);
}

/**
 * `scheme://user:password@host`: the whole userinfo, as either part may be a
 * token, up to the last `@`: passwords are often written without escapes.
 */
function redactUserinfo(word: string): string {
  const end = word.lastIndexOf("@");
  for (let at = word.indexOf("://"); at >= 0 && at + 3 < end; at = word.indexOf("://", at + 3)) {
    const start = at + 3;
    if (hasUserinfo(word, start)) return `${word.slice(0, start)}${REDACTED}${word.slice(end)}`;
  }
  return word;
}

/** Tells `me:pass/word@host` from `host:80/path@2x.png`: the web has ports, and paths with an `@`. */
function hasUserinfo(word: string, start: number): boolean {
  const length = word.slice(start).search(/[/?#]/);
  const authority = length < 0 ? word.slice(start) : word.slice(start, start + length);
  if (authority.includes("@")) return true;
  if (!authority.includes(":") || authority.startsWith("[")) return false;
  return !(/(?:http|ws)s?:\/\/$/i.test(word.slice(Math.max(0, start - 8), start)) && /:\d*$/.test(authority));
}
