/**
 * Errors that belong together: everything that failed with one peer, file or
 * command is one chain with one root, not as many errors as there were calls.
 *
 * @module
 */

import type { PeerMeasurement } from "../../api/socket_measurements.ts";
import { groupBy } from "../facts.ts";
import { formatCount, formatTimeOfDay, formatWallTime } from "../format.ts";
import { describeObject } from "../wait_object.ts";
import { compareCounts, type FiguresOf, type SectionInput, sumCounts, sumOf } from "./section_input.ts";

type ToldChain = FiguresOf<"error_correlation">["chains"][number];

/** Advice is for those that are told. */
type Chain = Omit<ToldChain, "suggestions">;

const CHAINS_MAX = 1000;
const CHAINS_SHOWN_MAX = 5;
const CHAIN_ERRORS_MIN = 2;

/** Errors above which a chain is that bad; the reference's. */
const LEVELS = [
  { severity: "critical", errorsAbove: 20 },
  { severity: "high", errorsAbove: 10 },
  { severity: "medium", errorsAbove: 5 },
] as const;

/** What happens first is the root: nothing is sent where no connection came about. */
interface ErrorGroup {
  readonly operation: string;
  readonly errors: Readonly<Record<string, number>>;
}

const ADVICE: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [/^ECONNREFUSED$/, "refused: check that the target runs and listens there"],
  [/^(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/, "no answer: check network, routes and firewalls"],
  [/^(ECONNRESET|EPIPE|reset by peer)$/, "the other side hung up: look at its log at that time"],
  [/^EADDRNOTAVAIL$/, "no free local port: reuse connections, or widen ip_local_port_range"],
  [/^(EMFILE|ENFILE)$/, "no free descriptor: raise the limit, or look for a leak"],
  [/^ENOENT$/, "check the path"],
  [/^(EACCES|EPERM)$/, "check the permissions"],
  [/^ENOSPC$/, "the disk is full"],
  [/^SIGSEGV$|^SIGABRT$|^signal (6|11)$/, "it crashes: get a core dump"],
];
const MANY_ERRORS = 10;

/** `undefined`: nothing failed. Most errors first. */
export function errorCorrelationFigures(input: SectionInput): FiguresOf<"error_correlation"> | undefined {
  const chains = [...peerChains(input), ...fileChains(input), ...childChains(input)]
    .sort((first, second) => second.errors - first.errors || (first.subject < second.subject ? -1 : 1));
  if (chains.length === 0) return undefined;
  return {
    total_errors: sumOf(chains, (chain) => chain.errors),
    chains: chains.filter((chain) => chain.errors >= CHAIN_ERRORS_MIN).slice(0, CHAINS_MAX)
      .map((chain) => ({ ...chain, suggestions: suggestionsFor(chain.breakdown, chain.errors) })),
  };
}

function peerChains({ measurements }: SectionInput): readonly Chain[] {
  const groups = groupBy(
    measurements.peers.filter((peer) => peer.endpoint !== undefined && hasErrors(peer)),
    ({ endpoint }) => endpoint === undefined ? "" : describeObject(endpoint),
  );
  return Array.from(groups, ([subject, peers]) => toChain(subject, errorsOfPeers(peers))).flat();
}

function hasErrors({ connects, resetReceivedCount, sends, receives }: PeerMeasurement): boolean {
  return connects.failedCount + resetReceivedCount + sends.failedCount + receives.failedCount > 0;
}

function errorsOfPeers(peers: readonly PeerMeasurement[]): readonly ErrorGroup[] {
  const resets = sumOf(peers, unnoticedResets);
  return [
    { operation: "connect", errors: sumCounts(peers.map((peer) => peer.connects.failures)) },
    { operation: "reset", errors: { "reset by peer": resets } },
    { operation: "send", errors: sumCounts(peers.map((peer) => peer.sends.errors)) },
    { operation: "receive", errors: sumCounts(peers.map((peer) => peer.receives.errors)) },
  ];
}

/** Yields resets that no send or receive failed by: those that did are under the errors of their calls. */
function unnoticedResets({ resetReceivedCount, sends, receives }: PeerMeasurement): number {
  const noticed = sumOf([sends, receives], ({ errors }) => (errors.ECONNRESET ?? 0) + (errors.EPIPE ?? 0));
  return Math.max(0, resetReceivedCount - noticed);
}

function fileChains({ measurements }: SectionInput): readonly Chain[] {
  const failed = measurements.fileOperations.filter(({ errorCount }) => errorCount > 0);
  const groups = groupBy(failed, ({ object }) => describeObject(object));
  return Array.from(groups, ([subject, entries]) => {
    const byOperation = groupBy(entries, ({ operation }) => operation);
    return toChain(
      subject,
      Array.from(byOperation, ([operation, list]) => ({
        operation,
        errors: sumCounts(list.map(({ errors }) => Object.fromEntries(errors.map(({ name, count }) => [name, count])))),
      })),
    );
  }).flat();
}

function childChains({ digest, measurements }: SectionInput): readonly Chain[] {
  const { window } = measurements;
  const toWall = (ms: number) => formatWallTime(window.beginWallMs + ms - window.beginMs);
  return digest.childGroups.filter(({ failedCount }) => failedCount > 0).flatMap((group) => {
    const codes = Object.entries(group.exitCodes).map(([code, count]) => [`exit ${code}`, count] as const);
    const signals = Object.entries(group.signals).map(([signal, count]) => [`signal ${signal}`, count] as const);
    const errors = Object.fromEntries([...codes, ...signals]);
    return toChain(`${group.command} started by ${group.parentProcessId}`, [{ operation: "child", errors }]).map((
      chain,
    ) => ({
      ...chain,
      first_at: toWall(group.firstFailureMs),
      last_at: toWall(group.lastFailureMs),
    }));
  });
}

function toChain(subject: string, groups: readonly ErrorGroup[]): readonly Chain[] {
  const failing = groups.filter(({ errors }) => sumOf(Object.values(errors), (count) => count) > 0);
  const [root] = failing;
  if (root === undefined) return [];
  const all = sumCounts(failing.map(({ errors }) => errors));
  const total = sumOf(Object.values(all), (count) => count);
  const [rootError = ""] = Object.entries(root.errors).sort(compareCounts)[0] ?? [];
  return [{
    severity: LEVELS.find(({ errorsAbove }) => total > errorsAbove)?.severity ?? "low",
    subject,
    root_operation: root.operation,
    root_error: rootError,
    errors: total,
    breakdown: all,
  }];
}

function suggestionsFor(errors: Readonly<Record<string, number>>, total: number): string[] {
  const named = ADVICE.filter(([pattern]) => Object.keys(errors).some((name) => pattern.test(name)));
  return [
    ...named.map(([, advice]) => advice),
    ...(total > MANY_ERRORS && named.length > 0 ? ["a circuit breaker would keep the caller from waiting for it"] : []),
  ];
}

export function renderErrorCorrelation(figures: FiguresOf<"error_correlation">): readonly string[] {
  const { chains } = figures;
  const shown = chains.slice(0, CHAINS_SHOWN_MAX);
  return [
    `Total errors: ${figures.total_errors}, error chains: ${chains.length}`,
    ...shown.flatMap((chain) => [
      `${chain.severity}: ${formatCount(chain.errors, "error")} with ${chain.subject}, root ` +
      `${chain.root_operation} (${chain.root_error})${describeTimes(chain)}`,
      ...chain.suggestions.slice(0, 1).map((advice) => `  ${advice}`),
    ]),
    ...(chains.length > shown.length ? [`and ${formatCount(chains.length - shown.length, "more chain")}`] : []),
  ];
}

function describeTimes({ first_at: first, last_at: last }: ToldChain): string {
  if (first === undefined || last === undefined) return "";
  return `, from ${formatTimeOfDay(Date.parse(first))} to ${formatTimeOfDay(Date.parse(last))}`;
}
