/**
 * Packages of any of Debian's releases, fetched with apt into a folder of our
 * own: nothing is installed, and the machine's own sources stay as they are.
 *
 * @module
 */

import { runCommand } from "../run_command.ts";

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** What apt says of one index it uses, one field after the other. */
const INDEX_FORMAT = "$(LABEL)|$(REPO_URI)";

/** Where this machine gets Debian from. */
export interface Mirrors {
  readonly debian: string;
  readonly security: string | undefined;
}

/** One release, as apt sees it from `openSuite`. */
export interface Suite {
  readonly name: string;
  readonly aptOptions: readonly string[];
}

/**
 * Yields the mirrors from the answer of `apt-get indextargets`, in the format
 * `$(LABEL)|$(REPO_URI)`; `undefined` when no index is Debian's.
 */
export function readMirrors(indexTargets: string): Mirrors | undefined {
  const rows = indexTargets.split("\n").map((line) => line.split("|"));
  const uriOf = (label: string) => rows.find(([candidate]) => candidate === label)?.[1];
  const debian = uriOf("Debian");
  return debian === undefined ? undefined : { debian, security: uriOf("Debian-Security") };
}

/** Yields a sources.list for one release. */
export function sourcesOf(suite: string, mirrors: Mirrors): string {
  const line = (uri: string, name: string) => `deb [signed-by=${KEYRING}] ${uri} ${name} main\n`;
  const { debian, security } = mirrors;
  return line(debian, suite) + (security === undefined ? "" : line(security, `${suite}-security`));
}

/**
 * Reads the package lists of a release into `folder`.
 *
 * @throws {Error} If apt is not Debian's, or cannot reach the release
 */
export async function openSuite(name: string, folder: string): Promise<Suite> {
  const mirrors = readMirrors(
    await output("apt-get", ["indextargets", "--format", INDEX_FORMAT, "Created-By: Packages"]),
  );
  if (mirrors === undefined) {
    throw new Error("Cannot fetch kernels: found no Debian mirror in this machine's apt sources, wanted one");
  }
  await Deno.mkdir(`${folder}/lists/partial`, { recursive: true });
  await Deno.mkdir(`${folder}/cache/archives/partial`, { recursive: true });
  await Deno.writeTextFile(`${folder}/sources.list`, sourcesOf(name, mirrors));
  const aptOptions = [
    `Dir::Etc::sourcelist=${folder}/sources.list`,
    "Dir::Etc::sourceparts=/dev/null",
    `Dir::State::lists=${folder}/lists`,
    `Dir::Cache=${folder}/cache`,
    "Acquire::Languages=none",
    "APT::Sandbox::User=root",
  ].flatMap((option) => ["-o", option]);
  await output("apt-get", ["-q", ...aptOptions, "update"]);
  return { name, aptOptions };
}

/**
 * Yields name and version of what a package depends on first: the kernel
 * behind `linux-image-cloud-amd64`. The newest version of the package counts.
 *
 * @throws {Error} If the release has no such package
 */
export async function firstDependency(suite: Suite, packageName: string): Promise<string> {
  const text = await output("apt-cache", [...suite.aptOptions, "show", "--no-all-versions", packageName]);
  const dependency = /^Depends: ([^ ,]+)/m.exec(text)?.[1];
  if (dependency === undefined) {
    throw new Error(`Cannot find the kernel of ${suite.name}: ${packageName} depends on nothing, wanted a package`);
  }
  return dependency;
}

/**
 * Yields the folder a package was unpacked into, below `folder`; its name and
 * version are the folder's, so that it is fetched once.
 *
 * @throws {Error} If it cannot be fetched
 */
export async function unpackPackage(suite: Suite, packageName: string, folder: string): Promise<string> {
  const shown = await output("apt-cache", [...suite.aptOptions, "show", "--no-all-versions", packageName]);
  const version = /^Version: (.+)$/m.exec(shown)?.[1] ?? "unknown";
  const target = `${folder}/${packageName}_${version.replaceAll(":", "%3a")}`;
  if (await exists(target)) return target;

  await Deno.mkdir(folder, { recursive: true });
  const unfinished = await Deno.makeTempDir({ dir: folder });
  try {
    await output("apt-get", ["-q", ...suite.aptOptions, "download", packageName], unfinished);
    for await (const { name } of Deno.readDir(unfinished)) {
      await output("dpkg-deb", ["-x", `${unfinished}/${name}`, `${unfinished}/unpacked`]);
    }
    await Deno.rename(`${unfinished}/unpacked`, target);
  } finally {
    await Deno.remove(unfinished, { recursive: true });
  }
  return target;
}

async function output(program: string, args: readonly string[], cwd?: string): Promise<string> {
  const env = { LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" };
  const outcome = await runCommand(program, { args, env, output: "capture", ...(cwd === undefined ? {} : { cwd }) });
  if (outcome.code === 0) return outcome.output;
  throw new Error(`Cannot fetch packages: ${program} ended with ${outcome.code}: ${outcome.output.trim()}`);
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
