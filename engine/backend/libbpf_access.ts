/**
 * The running kernel as `KernelAccess`.
 *
 * @module
 */

import type { TakenRows } from "../api/tracer_backend.ts";
import type { Plane } from "../api/plane.ts";
import type { BpfMap } from "../ffi/bpf_map.ts";
import { readIterator } from "../ffi/bpf_object.ts";
import { ForeignCallError } from "../ffi/errors.ts";
import { CLOCK, type Libc } from "../ffi/libc.ts";
import type { Libbpf } from "../ffi/libbpf.ts";
import type { WaitSet } from "../ffi/wait_set.ts";
import type { HostView } from "../host/container_resolution.ts";
import { readListeners } from "../host/listeners.ts";
import { orUndefinedWhenDenied } from "../host/procfs.ts";
import { type HookUse, planHookChange, SOCKET_ITERATOR_HOOK, TASK_ITERATOR_HOOK, toHookStatuses } from "./hooks.ts";
import { encodeListener } from "./control_words.ts";
import type { Attachment, KernelAccess, KernelTable } from "./kernel_access.ts";
import { mapMemoryBytes } from "./map_memory.ts";
import type { AttachedBpfObject } from "./object_loader.ts";
import type { RingReader } from "./ring_reader.ts";
import type { RunTimeSampler } from "./run_time_sampler.ts";

/** What `openLibbpfBackend` puts together; everything here is released with the access. */
export interface AccessParts {
  readonly libc: Libc;
  readonly library: Libbpf;
  readonly attached: AttachedBpfObject;
  readonly hooks: readonly HookUse[];
  readonly lifecycleRing: RingReader;
  readonly dataRing: RingReader;
  readonly waitSet: WaitSet;
  readonly sampler: RunTimeSampler;
  readonly host: HostView;
  readonly owners: AsyncDisposableStack;
}

/** One loaded object, its maps and its two rings. */
export class LibbpfAccess implements KernelAccess {
  readonly #parts: AccessParts;
  readonly #tables = new Map<string, BpfMap>();
  /** Every plane that was asked for at any time. */
  readonly #planes = new Set<Plane>();
  /** Since when the hooks of planes that come and go are attached. */
  readonly #attachedSinceMs = new Map<string, number>();
  /** How long they were before that. */
  readonly #attachedMs = new Map<string, number>();
  /** Read once, a file a map: they are filled in advance, so it does not change, and is asked for every second. */
  #mapMemoryBytes: number | undefined;
  #turnEndMs = 0;
  #unlearnedPortCount = 0;

  constructor(parts: AccessParts) {
    this.#parts = parts;
  }

  get lifecycleRing(): RingReader {
    return this.#parts.lifecycleRing;
  }

  get dataRing(): RingReader {
    return this.#parts.dataRing;
  }

  monotonicMs(): number {
    return this.#parts.libc.clockMs(CLOCK.MONOTONIC);
  }

  /** One object per map: each has buffers of its own. */
  table(name: string): KernelTable {
    let table = this.#tables.get(name);
    if (table === undefined) {
      table = this.#parts.attached.object.map(name);
      this.#tables.set(name, table);
    }
    return table;
  }

  readTasks(): Uint8Array<ArrayBuffer> {
    const link = this.#parts.attached.links.get(TASK_ITERATOR_HOOK.hook);
    return link === undefined ? new Uint8Array(0) : readIterator(this.#parts.library, link);
  }

  visitSockets(): void {
    const link = this.#parts.attached.links.get(SOCKET_ITERATOR_HOOK.hook);
    if (link !== undefined) readIterator(this.#parts.library, link);
  }

  learnListeners(processIds: readonly number[]): void {
    const table = this.table("listeners");
    for (const { networkNamespace, tcpPorts } of readListeners(processIds, this.#parts.host)) {
      for (const port of tcpPorts) {
        if (!tryInsert(table, encodeListener(networkNamespace, port))) this.#unlearnedPortCount++;
      }
    }
  }

  mayTakeOut(_what: TakenRows, { isDue }: { isDue: boolean }): boolean {
    return isDue;
  }

  readWord(processId: number, address: bigint): number | undefined {
    const { procFs } = this.#parts.host;
    const bytes = orUndefinedWhenDenied(() => procFs.readProcessMemory(processId, { address, lengthBytes: 4 }));
    if (bytes === undefined || bytes.byteLength < 4) return undefined;
    return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  }

  async wait(options: { timeoutMs: number; signal: AbortSignal }): Promise<void> {
    this.#parts.sampler.tick(this.monotonicMs());
    await this.#parts.waitSet.wait(options);
  }

  beginTurn(turnMsMax: number): void {
    this.#turnEndMs = this.monotonicMs() + turnMsMax;
  }

  endTurn(): void {}

  /** One function for every turn: a new one each time makes the compiler give up on the reading loop. */
  readonly hasTime = (): boolean => this.monotonicMs() < this.#turnEndMs;

  setPlanes(planes: ReadonlySet<Plane>): void {
    const { attached, hooks } = this.#parts;
    const change = planHookChange(hooks, { planes, attached: new Set(attached.links.keys()) });
    for (const hook of change.detach) {
      attached.detachHook(hook);
      this.#endAttachment(hook, this.monotonicMs());
    }
    for (const hook of change.attach) {
      attached.attachHook(hook);
      if (attached.links.has(hook)) this.#attachedSinceMs.set(hook, this.monotonicMs());
    }
    for (const plane of planes) this.#planes.add(plane);
  }

  beginClose(): void {}

  detach(endMs: number): void {
    this.#parts.sampler.finish(endMs);
    this.#parts.attached.detach();
    for (const hook of [...this.#attachedSinceMs.keys()]) this.#endAttachment(hook, endMs);
  }

  #endAttachment(hook: string, endMs: number): void {
    const sinceMs = this.#attachedSinceMs.get(hook);
    this.#attachedSinceMs.delete(hook);
    if (sinceMs !== undefined) this.#attachedMs.set(hook, (this.#attachedMs.get(hook) ?? 0) + endMs - sinceMs);
  }

  #attachedTimes(): ReadonlyMap<string, number> {
    const nowMs = this.monotonicMs();
    const times = new Map(this.#attachedMs);
    for (const [hook, sinceMs] of this.#attachedSinceMs) times.set(hook, (times.get(hook) ?? 0) + nowMs - sinceMs);
    return times;
  }

  attachment(): Attachment {
    const { attached, hooks, sampler, host } = this.#parts;
    return {
      hooks: toHookStatuses(hooks, {
        providers: attached.providers,
        rejected: attached.rejected,
        everAttached: attached.everAttached,
        planes: this.#planes,
        attachedMs: this.#attachedTimes(),
      }),
      programs: hooks.flatMap(({ hook, row }) => {
        const [name, ...companions] = attached.programs.get(hook) ?? [];
        if (name === undefined || !attached.everAttached.has(hook)) return [];
        const { section } = attached.object.program(name);
        const more = companions.length === 0 ? "" : ` and ${companions.length} more`;
        return [{ hook, row, name, section: `${section}${more}` }];
      }),
      runTotals: sampler.totals(),
      runTimeNote: sampler.note(),
      mapMemoryBytes: this.#mapMemoryBytes ??= mapMemoryBytes(attached.object, host.procFs),
      unlearnedPortCount: this.#unlearnedPortCount,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.owners.disposeAsync();
  }
}

/** A port that is served: the value of `listeners`. */
const IS_SERVED = new Uint8Array(Uint32Array.of(1).buffer);

/** Yields whether the key is in the table now. */
function tryInsert(table: KernelTable, key: Uint8Array<ArrayBuffer>): boolean {
  try {
    table.update(key, IS_SERVED);
    return true;
  } catch (thrown) {
    if (thrown instanceof ForeignCallError && thrown.errnoName === "E2BIG") return false;
    throw thrown;
  }
}
