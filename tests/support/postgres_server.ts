/**
 * A real postgres below a temporary directory, run by a user without rights,
 * and sessions of its own clients.
 *
 * @module
 */

import { makeDiskDirectory } from "../../cmd/dev/demo/disk_directory.ts";
import { run } from "./podtrace_process.ts";
import { freePort } from "./redis_server.ts";
import { asNobody, BackgroundProgram, NOBODY_ID, runOrThrow, withPriority } from "./server_process.ts";
import { until } from "./until.ts";

const PROGRAMS = ["postgres", "initdb", "psql", "pgbench"];
const USER = "planted";
const DATABASE = "postgres";

/** What keeps the server small, and quiet while nobody talks to it. */
const SETTINGS: Readonly<Record<string, string>> = {
  autovacuum: "off",
  shared_buffers: "16MB",
  max_connections: "40",
  jit: "off",
  bgwriter_lru_maxpages: "0",
  checkpoint_timeout: "1h",
};

/** Yields where the server's programs are; `undefined`: they are not installed. */
export function findPostgresFolder(): string | undefined {
  const inPath = (Deno.env.get("PATH") ?? "").split(":");
  const ofVersions = ["17", "16", "15", "14", "13"].map((version) => `/usr/lib/postgresql/${version}/bin`);
  return [...ofVersions, ...inPath].find((folder) => PROGRAMS.every((name) => exists(`${folder}/${name}`)));
}

/** A running server; disposal ends it and removes its files. */
export class PostgresServer implements AsyncDisposable {
  readonly #owned: AsyncDisposableStack;
  readonly #folder: string;
  /** Of its first process; every session is served by a child of it. */
  readonly processId: number;
  /** On 127.0.0.1. */
  readonly port: number;
  /** Absolute; the write-ahead log is in `pg_wal` below it. */
  readonly dataPath: string;

  private constructor(
    owned: AsyncDisposableStack,
    facts: { readonly folder: string; readonly processId: number; readonly port: number; readonly dataPath: string },
  ) {
    this.#owned = owned;
    this.#folder = facts.folder;
    this.processId = facts.processId;
    this.port = facts.port;
    this.dataPath = facts.dataPath;
  }

  /** Makes a database, with `settings` beside those of a small server, and resolves once it answers. */
  static async start(settings: Readonly<Record<string, string>> = {}): Promise<PostgresServer> {
    const folder = findPostgresFolder();
    if (folder === undefined) throw new Error("Cannot start postgres: its programs are not installed");
    await using owned = new AsyncDisposableStack();
    const directory = owned.use(await makeDiskDirectory([]));
    const path = directory.path.replace(/\/$/, "");
    await Deno.chown(path, NOBODY_ID, NOBODY_ID);
    const dataPath = `${path}/data`;
    await runOrThrow(asNobody([
      ...[`${folder}/initdb`, "--pgdata", dataPath, "--username", USER, "--auth", "trust"] as const,
      ...["--no-sync", "--no-locale", "--encoding", "UTF8"],
    ]));
    const port = freePort();
    const command = asNobody([
      ...[`${folder}/postgres`, "-D", dataPath, "-h", "127.0.0.1", "-p", `${port}`, "-k", path] as const,
      ...Object.entries({ ...SETTINGS, ...settings }).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    ]);
    // SIGINT ends sessions, writes files and gives shared memory back.
    const { processId } = owned.use(new BackgroundProgram(withPriority(command), { signal: "SIGINT" }));
    const isUp = async () => (await run([`${folder}/psql`, ...connectionOf(port), "-c", "SELECT 1"])).code === 0;
    await until(isUp, { what: "postgres answers", timeoutMs: 30_000 });
    return new PostgresServer(owned.move(), { folder, processId, port, dataPath });
  }

  /** Runs one statement to its end and yields the rows, one line each, fields between `|`. */
  async query(statement: string): Promise<string> {
    const options = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "-c", statement];
    return (await runOrThrow([`${this.#folder}/psql`, ...connectionOf(this.port), ...options])).trim();
  }

  /** Begins statements in one session of their own; disposal ends the client. */
  session(...statements: readonly string[]): BackgroundProgram {
    const commands = statements.flatMap((statement) => ["-c", statement]);
    return new BackgroundProgram([`${this.#folder}/psql`, ...connectionOf(this.port), "--no-psqlrc", ...commands]);
  }

  /** Makes the tables of postgres's own benchmark. */
  async prepareBench(): Promise<void> {
    await runOrThrow([`${this.#folder}/pgbench`, ...connectionOf(this.port), "--initialize", "--quiet"]);
  }

  /** Begins its own benchmark with `options`; disposal ends it. */
  bench(...options: readonly string[]): BackgroundProgram {
    const command = [`${this.#folder}/pgbench`, ...connectionOf(this.port), "--no-vacuum", "--time=600"] as const;
    return new BackgroundProgram(withPriority([...command, ...options]));
  }

  /** Resolves once `count` more transactions than now were committed, those of this question included. */
  async commits(count: number): Promise<void> {
    const committed = async () => Number(await this.query("SELECT sum(xact_commit) FROM pg_stat_database"));
    const before = await committed();
    await until(async () => await committed() >= before + count, { what: "the load runs", timeoutMs: 60_000 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}

function connectionOf(port: number): readonly string[] {
  return ["-h", "127.0.0.1", "-p", `${port}`, "-U", USER, "-d", DATABASE];
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}
