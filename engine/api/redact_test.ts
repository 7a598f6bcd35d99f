import { assert } from "../../tests/support/assert.ts";
import { redactCommandLine } from "./redact.ts";

const SECRETS: readonly { given: readonly string[]; shown: readonly string[] }[] = [
  { given: ["app", "--password", "hunter2"], shown: ["app", "--password", "***"] },
  { given: ["app", "--db-password", "hunter2"], shown: ["app", "--db-password", "***"] },
  { given: ["app", "--dbPassword", "hunter2"], shown: ["app", "--dbPassword", "***"] },
  { given: ["app", "--password=hunter2"], shown: ["app", "--password=***"] },
  { given: ["app", "--api-key", "k1"], shown: ["app", "--api-key", "***"] },
  { given: ["app", "-token", "t1"], shown: ["app", "-token", "***"] },
  { given: ["env", "DB_PASSWORD=hunter2", "app"], shown: ["env", "DB_PASSWORD=***", "app"] },
  { given: ["app", "password=a;user=b"], shown: ["app", "password=***;user=b"] },
  { given: ["curl", "http://h/?user=me&token=abc&x=1"], shown: ["curl", "http://h/?user=me&token=***&x=1"] },
  { given: ["curl", "-H", "Authorization: Bearer abc.def"], shown: ["curl", "-H", "Authorization: Bearer ***"] },
  { given: ["curl", "-H", "authorization: abc def"], shown: ["curl", "-H", "authorization: ***"] },
  { given: ["curl", "-H", "X-Api-Key: abc"], shown: ["curl", "-H", "X-Api-Key: ***"] },
  { given: ["curl", "-u", "me:hunter2", "http://h"], shown: ["curl", "-u", "***", "http://h"] },
  { given: ["psql", "postgres://me:hunter2@db:5432/shop"], shown: ["psql", "postgres://***@db:5432/shop"] },
  { given: ["git", "clone", "https://tok@host/x"], shown: ["git", "clone", "https://***@host/x"] },
  { given: ["sh", "-c", "mysql --password='a b' x"], shown: ["sh", "-c", "mysql --password=*** x"] },
  { given: ["app", `{"secret": "s3"}`], shown: ["app", `{"secret": ***}`] },
  { given: ["sh", "-c", "app --password hunter2 --verbose"], shown: ["sh", "-c", "app --password *** --verbose"] },
  { given: ["/usr/bin/mysql", "-phunter2", "shop"], shown: ["/usr/bin/mysql", "-p***", "shop"] },
  { given: ["mysqlimport", "-phunter2", "shop"], shown: ["mysqlimport", "-p***", "shop"] },
  { given: ["/opt/mysql-8.4/bin/mysql-8.4", "-phunter2"], shown: ["/opt/mysql-8.4/bin/mysql-8.4", "-p***"] },
  { given: ["mariadb-check", "-phunter2"], shown: ["mariadb-check", "-p***"] },
  { given: ["redis-cli", "-a", "hunter2", "ping"], shown: ["redis-cli", "-a", "***", "ping"] },
  { given: ["sshpass", "-p", "hunter2", "ssh", "h"], shown: ["sshpass", "-p", "***", "ssh", "h"] },
  { given: ["app", "AKIAABCDEFGHIJKLMNOP"], shown: ["app", "***"] },
  { given: ["app", "--db-admin-password", "hunter2"], shown: ["app", "--db-admin-password", "***"] },
  { given: ["app", "--aws-secret-access-key", "k1"], shown: ["app", "--aws-secret-access-key", "***"] },
  { given: ["app", "--secret-key", "k1"], shown: ["app", "--secret-key", "***"] },
  { given: ["app", "--secret-key=k1"], shown: ["app", "--secret-key=***"] },
  { given: ["env", "SECRET_KEY_BASE=k1", "app"], shown: ["env", "SECRET_KEY_BASE=***", "app"] },
  { given: ["app", `--password="hunter2`], shown: ["app", "--password=***"] },
  { given: ["curl", "-uuser:pw", "http://h"], shown: ["curl", "-u***", "http://h"] },
  { given: ["curl", "-sSu", "user:pw"], shown: ["curl", "-sSu", "***"] },
  { given: ["curl", "--user=me:pw"], shown: ["curl", "--user=***"] },
  { given: ["curl", "-H", "Cookie: a=1; sid=S"], shown: ["curl", "-H", "Cookie: ***"] },
  { given: ["curl", "-H", "X-Auth-Token: Bearer abc"], shown: ["curl", "-H", "X-Auth-Token: ***"] },
  { given: ["psql", "postgres://u:p/w@h/db"], shown: ["psql", "postgres://***@h/db"] },
  { given: ["psql", "postgres://u:p@w@h x@y"], shown: ["psql", "postgres://***@h x@y"] },
  { given: ["app", "http://h:80/?db=postgres://u:p@h"], shown: ["app", "http://h:80/?db=postgres://***@h"] },
  { given: ["sh", "-c", "mysql -phunter2"], shown: ["sh", "-c", "mysql -p***"] },
  { given: ["sh", "-c", "cd /x;mysql -p'a b' shop"], shown: ["sh", "-c", "cd /x;mysql -p*** shop"] },
  { given: ["sh", "-c", "bash -c 'mysql -phunter2'"], shown: ["sh", "-c", "bash -c 'mysql -p***'"] },
  { given: ["sh", "-c", "app --token 'a b' -v"], shown: ["sh", "-c", "app --token *** -v"] },
  { given: ["env", "mysql", "-phunter2"], shown: ["env", "mysql", "-p***"] },
  { given: ["mysql", "-u", "docker", "-phunter2"], shown: ["mysql", "-u", "docker", "-p***"] },
  { given: ["docker", "login", "-u", "me", "-p", "X", "h"], shown: ["docker", "login", "-u", "me", "-p", "***", "h"] },
];

for (const { given, shown } of SECRETS) {
  Deno.test(`redactCommandLine() hides the secret in: ${shown.join(" ")}`, () => {
    assert.deepEqual(redactCommandLine(given), shown);
  });
}

const HARMLESS: readonly (readonly string[])[] = [
  ["redis-server", "*:6379"],
  ["tail", "-u", "nobody"],
  ["app", "--password-file", "/run/secrets/db"],
  ["app", "--tokenizer", "bpe"],
  ["mysql", "-p", "shop"],
  ["ssh", "-p", "22", "host"],
  ["app", "--password", "--verbose"],
  ["curl", "http://host:80/path@2x.png"],
  ["curl", "http://[::1]:80/path@2x.png"],
  ["docker", "run", "-p", "80:80", "-v", "/run/secrets:/run/secrets", "app"],
  ["app", "--secret-file", "/run/x", "--secret-name=db"],
  ["sh", "-c", "tail -u nobody  'a b' -p 22 | wc"],
  [],
];

for (const commandLine of HARMLESS) {
  Deno.test(`redactCommandLine() leaves alone: ${commandLine.join(" ")}`, () => {
    assert.deepEqual(redactCommandLine(commandLine), commandLine);
  });
}

Deno.test("redactCommandLine() takes time in proportion to the text, whatever it is", () => {
  const LENGTH = 1 << 17;
  const pieces = [
    "a",
    "-",
    "--",
    " ",
    "secret",
    "secret-",
    "-secret",
    "eyJabcdefgh-",
    "eyJabcdefgh.",
    "http://",
    "a:",
    "@",
    "a=",
    '"',
    "'",
  ];
  const more = ["\"'", '="', "cookie", "cookie ", "authorization ", "mysql -p", "x://a:1/", "-u", "password=", "a= "];
  for (const piece of [...pieces, ...more]) {
    const text = piece.repeat(LENGTH / piece.length);
    const startMs = performance.now();
    for (const given of [text, `${text}!`, `--${text}`, `x ${text}`]) redactCommandLine(["curl", given, given]);
    // A quadratic expression takes minutes here, a linear one some ten milliseconds.
    const tookMs = performance.now() - startMs;
    assert.ok(tookMs < 5000, `${JSON.stringify(piece)} took ${tookMs} ms`);
  }
});
