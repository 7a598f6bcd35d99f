/**
 * The doctor's findings for people, in 80 columns.
 *
 * @module
 */

import { sanitizeText } from "../../engine/api/text.ts";
import type { ProbedHook } from "../../engine/mod.ts";
import { VERSION } from "../version.ts";
import type { Examination } from "./examination.ts";
import { isError, type Judgement, type PlaneRow } from "./judgement.ts";

/** What a terminal shows. */
const COLUMNS = 80;
const LABEL_COLUMNS = 14;

/** Yields the findings as lines, each of at most 80 columns unless a single word is longer. */
export function renderText(examination: Examination, judgement: Judgement): string {
  const lines = [
    ...headLines(judgement),
    ...section("MACHINE", machineLines(examination)),
    ...section("RIGHTS", rightLines(judgement)),
    ...section("HOOKS", hookLines(judgement.hooks)),
    ...section("PLANES", judgement.planes.flatMap(planeLines)),
    ...missingLines(judgement),
  ];
  return `${lines.join("\n")}\n`;
}

function headLines({ canDiagnose, reason }: Judgement): readonly string[] {
  const head = `podtrace doctor v${VERSION}: this machine ${canDiagnose ? "can" : "cannot"} be traced`;
  return canDiagnose ? [head] : [head, ...wrap(reason, { indent: "  " })];
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ["", title, ...lines];
}

function machineLines(examination: Examination): readonly string[] {
  const { kernel, environment, architecture } = examination;
  const { security } = environment;
  const present = environment.runtimes.filter(({ isPresent }) => isPresent);
  const modules = [
    ...(security.modules ?? []),
    ...(security.seLinux === "absent" ? [] : [`SELinux is ${security.seLinux}`]),
    ...(security.appArmorProfile === undefined ? [] : [`AppArmor profile ${security.appArmorProfile}`]),
  ];
  return [
    ...labelled("kernel", `Linux ${kernel.releaseText || "of unknown version"} on ${architecture}`),
    ...labelled("type info", environment.btfPath ?? "none"),
    ...labelled("lockdown", kernel.lockdown ?? "unknown: securityfs is not mounted, or the kernel has none"),
    ...labelled("security", modules.length === 0 ? "no module is known of" : modules.join(", ")),
    ...labelled("pid namespace", kernel.isInFirstPidNamespace ? "the host's" : "a private one"),
    ...labelled("cgroups", describeCgroups(examination)),
    ...labelled("tracefs", environment.tracefsPaths[0] ?? "not mounted"),
    ...labelled(
      "containers",
      present.length === 0
        ? "no runtime's socket was found"
        : present.map(({ runtime, path }) => `${runtime} (${path})`).join(", "),
    ),
    ...labelled("memlock", describeBytes(environment.lockedMemoryBytesMax)),
    ...labelled("settings", [...environment.settings].map(([name, value]) => `${name}=${value}`).join(" ")),
    ...labelled("libbpf", describeLibrary(examination)),
    ...labelled("BPF object", describeObject(examination)),
  ];
}

function describeCgroups({ environment }: Examination): string {
  const { cgroupLayout, cgroupV2Path, cgroupV1Paths } = environment;
  const places = [
    ...(cgroupV2Path === undefined ? [] : [`v2 at ${cgroupV2Path}`]),
    ...(cgroupV1Paths.size === 0 ? [] : [`v1 ${[...cgroupV1Paths.keys()].join(" ")}`]),
  ];
  return cgroupLayout === "none" ? "not mounted" : `${cgroupLayout}: ${places.join("; ")}`;
}

function describeBytes(bytes: number | undefined): string {
  return bytes === undefined ? "unlimited" : `${bytes / 1024} KiB`;
}

function describeLibrary({ probe }: Examination): string {
  if (isError(probe)) return "was not opened";
  return `${probe.libraryVersion}, ${probe.libraryPath === undefined ? "inside this program" : probe.libraryPath}`;
}

function describeObject({ object, probe }: Examination): string {
  const place = object.path ?? "inside this program";
  if (object.sizeBytes === undefined) return `${place}, could not be read`;
  const content = isError(probe) ? "" : `, ${probe.programs.length} programs, ${probe.maps.length} maps`;
  return `${place}, ${(object.sizeBytes / 1000).toFixed(0)} kB${content}`;
}

function rightLines({ capabilities }: Judgement): readonly string[] {
  const columns = Math.max(...capabilities.map(({ name }) => name.length)) + 2;
  return capabilities.flatMap(({ name, isEffective, costWithout }) => {
    const indent = `  ${isEffective ? "yes" : "no "}  ${name.padEnd(columns)}`;
    return isEffective ? [indent.trimEnd()] : wrap(costWithout, { indent });
  });
}

/** One line per program; a reason begins a line of its own. */
function hookLines(hooks: readonly ProbedHook[]): readonly string[] {
  const hookColumns = Math.max(0, ...hooks.map(({ hook }) => hook.length)) + 2;
  const programColumns =
    Math.max(0, ...hooks.flatMap(({ providers }) => providers.map(({ program }) => program.length))) + 2;
  return hooks.flatMap(({ hook, providers }) =>
    providers.flatMap(({ program, verdict, attachPoint, reason }, index) => {
      const first = (index === 0 ? hook : "").padEnd(hookColumns);
      const type = attachPoint.split("/")[0] ?? "";
      const line = `  ${first}${program.padEnd(programColumns)}${verdict.padEnd(11)}${type}`.trimEnd();
      return reason === "" ? [line] : [line, ...wrap(reason, { indent: `  ${" ".repeat(hookColumns)}  ` })];
    })
  );
}

function planeLines({ plane, verdict, blindFor }: PlaneRow): readonly string[] {
  const indent = `  ${plane.padEnd(LABEL_COLUMNS)}`;
  return blindFor.length === 0
    ? [`${indent}${verdict}`]
    : wrap(`${verdict}, not seen: ${blindFor.join("; ")}`, { indent });
}

function missingLines({ missing }: Judgement): readonly string[] {
  if (missing.length === 0) return ["", "Nothing is missing."];
  return section(
    "MISSING OR IN THE WAY, most important first",
    missing.flatMap(({ what, effect, remedy }, index) => [
      ...wrap(`${what}: ${effect}`, { indent: `  ${index + 1}. ` }),
      ...(remedy === "" ? [] : wrap(`get it: ${remedy}`, { indent: "     " })),
    ]),
  );
}

function labelled(label: string, text: string): readonly string[] {
  return wrap(text, { indent: `  ${label.padEnd(LABEL_COLUMNS)}` });
}

/** Later lines are indented as far as the first. What came from the machine is made harmless. */
function wrap(text: string, options: { indent: string }): readonly string[] {
  const blank = " ".repeat(options.indent.length);
  const lines: string[] = [];
  let line = options.indent;
  for (const word of sanitizeText(text, { bytesMax: 4096 }).split(" ")) {
    const isFirst = line === options.indent || line === blank;
    if (!isFirst && line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = blank + word;
    } else {
      line += isFirst ? word : ` ${word}`;
    }
  }
  return [...lines, line];
}
