/**
 * Which processes were seen: from the first snapshot, from fork, exec and exit,
 * and what the host says about them.
 *
 * @module
 */

import type { HostReader } from "../api/host_reader.ts";
import { PROCESS_READS_PER_TURN_MAX, PROCESSES_MAX } from "../api/limits.ts";
import type { ProcessInfo } from "../api/measurements.ts";
import { sanitizeText } from "../api/text.ts";
import type { TargetId } from "../api/units.ts";
import { toArgumentList } from "./event_mapper.ts";

/** What one sighting tells; what it does not tell stays as it was. */
export interface ProcessSighting {
  readonly processId: number;
  readonly targetId: TargetId;
  readonly parentProcessId?: number;
  readonly command?: string; // comm of the main thread, not sanitised
}

export interface ProcessBookOptions {
  readonly host: Pick<HostReader, "process">;
  readonly processesMax?: number;
}

/** A bounded book; when it is full, the process that ended first goes, else the oldest. */
export class ProcessBook {
  readonly #host: Pick<HostReader, "process">;
  readonly #processesMax: number;
  readonly #processes = new Map<number, ProcessInfo>();
  readonly #ended = new Set<number>();
  /** Whose command line has yet to be read. */
  readonly #unread = new Set<number>();
  #forgottenCount = 0;

  constructor(options: ProcessBookOptions) {
    this.#host = options.host;
    this.#processesMax = options.processesMax ?? PROCESSES_MAX;
  }

  /** Notes a process that is alive; an id that had ended names a new process. */
  see(sighting: ProcessSighting): void {
    const { processId, targetId } = sighting;
    const known = this.#ended.has(processId) ? undefined : this.#processes.get(processId);
    if (known === undefined) this.#unread.add(processId);
    const command = sighting.command === undefined ? known?.command ?? "" : sanitizeText(sighting.command);
    const parentProcessId = sighting.parentProcessId || known?.parentProcessId || 0;
    this.#put({
      processId,
      parentProcessId,
      targetId,
      command,
      commandLine: known?.commandLine ?? [],
      exited: false,
    });
    this.#ended.delete(processId);
  }

  /** It runs another program now. */
  exec(sighting: ProcessSighting): void {
    this.see(sighting);
    this.#unread.add(sighting.processId);
  }

  /** Its last thread ended. One that was never seen is noted as it ends. */
  end(sighting: ProcessSighting): void {
    this.see(sighting);
    const info = this.#processes.get(sighting.processId);
    if (info !== undefined) this.#processes.set(sighting.processId, { ...info, exited: true });
    this.#ended.add(sighting.processId);
    this.#unread.delete(sighting.processId);
  }

  /** Whether the last that was heard of it is its end. */
  hasEnded(processId: number): boolean {
    return this.#ended.has(processId);
  }

  /** Asks the host about processes not looked up yet, a bounded number of them. */
  readSome(readsMax: number = PROCESS_READS_PER_TURN_MAX): void {
    let readCount = 0;
    for (const processId of this.#unread) {
      if (readCount++ >= readsMax) return;
      this.#unread.delete(processId);
      this.#read(processId);
    }
  }

  forgetTarget(targetId: TargetId): void {
    for (const info of this.#processes.values()) {
      if (info.targetId === targetId) this.#drop(info.processId);
    }
  }

  processes(): Iterable<ProcessInfo> {
    return this.#processes.values();
  }

  /** Processes that had to go because the book was full. */
  get forgottenCount(): number {
    return this.#forgottenCount;
  }

  #read(processId: number): void {
    const info = this.#processes.get(processId);
    const reading = this.#host.process(processId);
    if (info === undefined || reading === undefined) return;
    this.#processes.set(processId, {
      ...info,
      parentProcessId: info.parentProcessId || reading.parentProcessId,
      command: info.command === "" ? sanitizeText(reading.command) : info.command,
      commandLine: toArgumentList(reading.commandLine),
    });
  }

  #put(info: ProcessInfo): void {
    this.#processes.set(info.processId, info);
    if (this.#processes.size <= this.#processesMax) return;
    const candidates = this.#ended.size > 0 ? this.#ended : this.#processes.keys();
    for (const processId of candidates) {
      this.#drop(processId);
      this.#forgottenCount++;
      return;
    }
  }

  #drop(processId: number): void {
    this.#processes.delete(processId);
    this.#ended.delete(processId);
    this.#unread.delete(processId);
  }
}
