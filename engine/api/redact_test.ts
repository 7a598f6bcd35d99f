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
  { given: ["redis-cli", "-a", "hunter2", "ping"], shown: ["redis-cli", "-a", "***", "ping"] },
  { given: ["sshpass", "-p", "hunter2", "ssh", "h"], shown: ["sshpass", "-p", "***", "ssh", "h"] },
  { given: ["app", "AKIAABCDEFGHIJKLMNOP"], shown: ["app", "***"] },
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
  [],
];

for (const commandLine of HARMLESS) {
  Deno.test(`redactCommandLine() leaves alone: ${commandLine.join(" ")}`, () => {
    assert.deepEqual(redactCommandLine(commandLine), commandLine);
  });
}
