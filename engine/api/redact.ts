/**
 * Secrets on command lines: a report travels further than the process list it
 * was made from, so what looks like a credential is replaced by default.
 *
 * @module
 */

const REDACTED = "***";

/** Words that, in the name of an option or variable, say that its value is a secret. */
const SECRET_WORD = "pass(?:w(?:or)?d|phrase)?|pwd|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|" +
  "credentials?|auth(?:orization)?|bearer|session[-_]?id|cookie";

/** `--db-password`, `-token`, `--apiKey`: an option whose value is the next argument. */
const SECRET_OPTION = new RegExp(`^--?(?:[\\w.]*[-_.])?(?:${SECRET_WORD})$`, "i");

/** The same without a separator: `--dbPassword`. */
const SECRET_OPTION_CAMEL = /^--?[\w.-]*(?:Password|Passwd|Passphrase|Secret|Token|ApiKey|AccessKey|Credentials?)$/;

/** `password=x`, `--token=x`, `DB_PASSWORD=x`, `password: x`, also inside a longer argument such as a query string. */
const SECRET_ASSIGNMENT = new RegExp(
  `((?:^|[^A-Za-z0-9])[\\w.-]*(?:${SECRET_WORD})["']?\\s*[=:]\\s*)("[^"]*"|'[^']*'|[^\\s&;,"']+)`,
  "gi",
);

/** `Authorization: Basic x`: everything after the colon, scheme kept. */
const AUTHORIZATION_HEADER = /((?:proxy-)?authorization\s*[:=]\s*)(?:(basic|bearer|digest|negotiate|token)\s+)?\S.*/gi;

/** `scheme://user:password@host`: the whole userinfo, as either part may be a token. */
const URL_USERINFO = /([a-z][a-z0-9+.-]*:\/\/)[^/\s@]+@/gi;

/** Well-known token shapes that need no name beside them. */
const BARE_TOKEN =
  /\b(?:gh[pousr]_[A-Za-z0-9]{20,}|AKIA[A-Z0-9]{16}|xox[abposr]-[A-Za-z0-9-]{10,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)/g;

/** `sh -c "mysql --password x"`: an option and its value inside one argument. */
const SECRET_OPTION_INLINE = new RegExp(`(\\s--?(?:[\\w.]*[-_.])?(?:${SECRET_WORD})\\s+)(?!-)\\S+`, "gi");

/** Programs with a one-letter option for a password: its value follows at once, or is the next argument. */
const SHORT_OPTIONS: Readonly<Record<string, string>> = {
  mariadb: "-p",
  mysql: "-p",
  mysqladmin: "-p",
  mysqldump: "-p",
  "redis-cli": "-a",
  sshpass: "-p",
};

/** `curl -u user:password`; other programs use `-u` for a plain user name, so only with a colon. */
const USER_OPTION = /^(?:-u|--user|--proxy-user)$/;

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
  const program = commandLine[0]?.split("/").at(-1) ?? "";
  const shortOption = SHORT_OPTIONS[program];
  return commandLine.map((argument, index) => {
    const option = index > 0 ? commandLine[index - 1] ?? "" : "";
    if (shortOption !== undefined) {
      // mysql asks when `-p` stands alone, so what follows is no password there.
      if (option === shortOption && shortOptionTakesNext(program)) return REDACTED;
      if (argument.length > 2 && argument.startsWith(shortOption)) return shortOption + REDACTED;
    }
    if (isSecretOption(option) && !argument.startsWith("--")) return REDACTED;
    if (USER_OPTION.test(option) && argument.includes(":")) return REDACTED;
    return redactArgument(argument);
  });
}

function shortOptionTakesNext(program: string): boolean {
  return program === "redis-cli" || program === "sshpass";
}

function isSecretOption(option: string): boolean {
  return SECRET_OPTION.test(option) || SECRET_OPTION_CAMEL.test(option);
}

function redactArgument(argument: string): string {
  return argument
    .replace(
      AUTHORIZATION_HEADER,
      (_whole, name: string, scheme: string | undefined) =>
        scheme === undefined ? `${name}${REDACTED}` : `${name}${scheme} ${REDACTED}`,
    )
    .replace(URL_USERINFO, `$1${REDACTED}@`)
    .replace(
      SECRET_ASSIGNMENT,
      (whole, name: string) => /authorization\s*[:=]\s*$/i.test(name) ? whole : `${name}${REDACTED}`,
    )
    .replace(SECRET_OPTION_INLINE, `$1${REDACTED}`)
    .replace(BARE_TOKEN, REDACTED);
}
