/**
 * Where records come from: the kernel, or a recording. Whatever crosses here
 * can be replayed, so everything is plain numbers and text; names are joined
 * and targets resolved above it.
 *
 * @module
 */

import type { SampleRow } from "./profile_measurements.ts";
import type { Category, CategoryLedger, CostReceipt, HookStatus } from "./measurements.ts";
import type { Plane } from "./plane.ts";
import type { Target } from "./target.ts";
import type { LatencyRow, ListenKey, SocketCounts, TransferRow } from "./socket_counts.ts";
import type { RoundTripFigures } from "./socket_measurements.ts";
import type { EventKindMask, TargetId } from "./units.ts";

/** `pt_object` with its u64 fields as u32 halves. */
export interface ObjectKey {
  /** `pt_object_kind`; it says what the other fields hold. */
  readonly kind: number;
  /** Of a peer or server, in host order; else 0. */
  readonly port: number;
  /** Low half of `high`, a u32. */
  readonly highLow: number;
  /** High half of `high`, a u32. */
  readonly highHigh: number;
  /** Low half of `low`, a u32. */
  readonly lowLow: number;
  /** High half of `low`, a u32. */
  readonly lowHigh: number;
}

/** `pt_wait_key`. */
export interface WaitKey {
  /** Who waited; 0 once it can no longer be told. */
  readonly processId: number;
  /** 0: threads of the process that cannot be told apart any more. */
  readonly threadId: number;
  /** See `TracerBackend.slotOf`. */
  readonly targetSlot: number;
  /** `pt_wait_class`. */
  readonly waitClass: number;
  /** Number on this architecture; `PT_NO_SYSTEM_CALL` when there is none. */
  readonly systemCall: number;
  /** What it waited for. */
  readonly object: ObjectKey;
  /** For `TracerBackend.userStack`; negative: no stack was taken. */
  readonly stackId: number;
}

/** One wait that lasted at least `TargetDiff.slowWaitMs`. */
export interface WaitRecord {
  /** Tells the records apart. */
  readonly kind: "wait";
  /** When the thread was woken, monotonic. */
  readonly endMs: number;
  /** From going to sleep to being woken. */
  readonly durationMs: number;
  /** Who waited, and for what. */
  readonly key: WaitKey;
  /** 0: woken by an interrupt, or by a thread that is not known. */
  readonly wakerThreadId: number;
}

/** The name of an object: path components, leaf first, as the kernel holds them. */
export interface NameRecord {
  /** Tells the records apart. */
  readonly kind: "name";
  /** Of the thread that met the object. */
  readonly targetSlot: number;
  /** The process that met the object; paths are as it sees them. */
  readonly processId: number;
  /** What is named. */
  readonly object: ObjectKey;
  /** Leaf first, as the kernel has them, not sanitised. */
  readonly components: readonly string[];
  /** Components towards the root are missing. */
  readonly isTruncated: boolean;
}

/** A thread or process was made by one of a target. */
export interface ForkRecord {
  /** Tells the records apart. */
  readonly kind: "fork";
  /** Of the parent, and from here on of the child. */
  readonly targetSlot: number;
  /** Monotonic. */
  readonly atMs: number;
  /** Of the thread that forked. */
  readonly parentProcessId: number;
  /** The thread that forked. */
  readonly parentThreadId: number;
  /** Equals `parentProcessId` for a new thread. */
  readonly childProcessId: number;
  /** The new thread. */
  readonly childThreadId: number;
  /** `comm` of the child, not sanitised. */
  readonly command: string;
}

/** A process of a target became another program. */
export interface ExecRecord {
  /** Tells the records apart. */
  readonly kind: "exec";
  /** Of the process. */
  readonly targetSlot: number;
  /** Monotonic. */
  readonly atMs: number;
  /** The process. */
  readonly processId: number;
  /** `comm` from here on, not sanitised. */
  readonly command: string;
  /** As given to exec, not sanitised. */
  readonly path: string;
  /** Not sanitised, not redacted; at most `EXEC_ARGUMENT_BYTES_MAX` of it; empty when it could not be read. */
  readonly argumentList: readonly string[];
  /** There was more of it. */
  readonly isArgumentListCut: boolean;
}

/** A thread ended; carries its whole ledger. */
export interface ExitRecord {
  /** Tells the records apart. */
  readonly kind: "exit";
  /** Of the thread. */
  readonly targetSlot: number;
  /** Of the process; 0: unknown. */
  readonly parentProcessId: number;
  /** As wait(2) reports it: code << 8 | signal. */
  readonly exitCode: number;
  /** No thread of the process was left when this one ended. */
  readonly processEnded: boolean;
  /** The thread lives on, but outside of every target: it migrated, or its target was removed. */
  readonly leftTarget: boolean;
  /** The kernel had chosen its process to be killed for want of memory. */
  readonly isOomVictim: boolean;
  /** Its whole account. */
  readonly thread: ThreadAccount;
}

/** The kernel chose a process of a target to be killed for want of memory. */
export interface OomKillRecord {
  /** Tells the records apart. */
  readonly kind: "oomKill";
  /** Of the victim. */
  readonly targetSlot: number;
  /** Monotonic. */
  readonly atMs: number;
  /** The victim. */
  readonly processId: number;
  /** `comm` of the victim, not sanitised. */
  readonly command: string;
  /** Mapped, touched or not. */
  readonly virtualBytes: number;
  /** Resident, of its own. */
  readonly anonymousBytes: number;
  /** Resident, of files. */
  readonly fileBytes: number;
  /** Resident, shared. */
  readonly sharedBytes: number;
}

/** `pt_file_key`. */
export interface FileKey {
  /** Who did it; 0: in one of the rows that take what has no row of its own. */
  readonly processId: number;
  /** See `TracerBackend.slotOf`. */
  readonly targetSlot: number;
  /** `pt_file_operation`. */
  readonly operation: number;
  /** How it ended; 0: well; `PT_ERROR_OTHER`: badly, it is not known how. */
  readonly errno: number;
  /** The file, or a path's hash (`PT_OBJECT_PATH`), or none. */
  readonly object: ObjectKey;
}

/** One operation on a file that failed, or took at least `TargetDiff.slowFileMs`. */
export interface FileRecord {
  /** Tells the records apart. */
  readonly kind: "file";
  /** When the call returned, monotonic. */
  readonly endMs: number;
  /** From call to return. */
  readonly durationMs: number;
  /** What was done to what, and by which process. */
  readonly key: FileKey;
  /** Who did it. */
  readonly threadId: number;
  /** Number on this architecture. */
  readonly systemCall: number;
  /** Read or written. */
  readonly byteCount: number;
}

/** What one socket did that was slow, failed, or asked for. */
export interface SocketRecord {
  /** Tells the records apart; names as in `EventKind`. */
  readonly kind: "connect" | "accept" | "transferFailure" | "response" | "retransmit";
  /** Of the socket's owner. */
  readonly targetSlot: number;
  /** Of the socket's owner. */
  readonly processId: number;
  /** Monotonic. */
  readonly atMs: number;
  /** Of a connect or a response, else 0. */
  readonly durationMs: number;
  /** The peer, or our own port. */
  readonly object: ObjectKey;
  /** `pt_operation`. */
  readonly operation: number;
  /** errno, or `PT_ERROR_ABANDONED`; 0 none. */
  readonly error: number;
}

/** A TCP connection that ended. */
export interface CloseRecord extends SocketKey, SocketEnds {
  /** Tells the records apart. */
  readonly kind: "close";
  /** Monotonic. */
  readonly closedMs: number;
  /** Monotonic; 0: before the window. */
  readonly openedMs: number;
  /** Sends. */
  readonly sent: Pick<TransferRow, "operationCount" | "byteCount">;
  /** Receives. */
  readonly received: Pick<TransferRow, "operationCount" | "byteCount">;
  /** Those that were measured. */
  readonly responses: { readonly count: number; readonly totalMs: number; readonly maxMs: number };
  /** Segments sent again. */
  readonly retransmitCount: number;
  /** `undefined`: none seen. */
  readonly roundTrip: RoundTripFigures | undefined;
}

/** Whose socket, with whom: `pt_peer_key`. */
export interface SocketKey {
  /** Of the owner; 0: sockets there was no room for. */
  readonly processId: number;
  /** See `TracerBackend.slotOf`; 0: sockets there was no room for. */
  readonly targetSlot: number;
  /** The peer, or our own port. */
  readonly object: ObjectKey;
}

/** An internet address: the halves of an `ObjectKey` that hold one. */
export type AddressKey = Pick<ObjectKey, "highLow" | "highHigh" | "lowLow" | "lowHigh">;

/** Both ends of a connection; zeros for unix sockets. */
export interface SocketEnds {
  /** Ours. */
  readonly local: AddressKey;
  /** In host order. */
  readonly localPort: number;
  /** The other side's. */
  readonly remote: AddressKey;
  /** In host order; 0: connected to nobody. */
  readonly remotePort: number;
}

/** One socket that is there: `pt_socket`. */
export interface SocketRow extends SocketKey, SocketEnds {
  /** Names the row for `retireSockets`; never shown. */
  readonly key: bigint;
  /** What it did so far. */
  readonly counts: SocketCounts;
  /** Monotonic; 0: before the window. */
  readonly openedMs: number;
  /** Monotonic; 0: open. */
  readonly closedMs: number;
  /** When a connect began that is not decided, monotonic; 0: none. */
  readonly connectMs: number;
  /** The kernel will say when it ends; of others (UDP, unix, MPTCP) nobody does. */
  readonly tellsEnd: boolean;
  /** It was established, here or before the window. */
  readonly wasOpen: boolean;
}

/** What sockets that are gone left behind: `pt_peer`. */
export interface PeerRow extends SocketKey {
  /** What they did. */
  readonly counts: SocketCounts;
  /** Of connects that were established. */
  readonly handshakes: LatencyRow;
  /** Connects that were decided. */
  readonly connectCount: number;
  /** Of those, the ones that failed. */
  readonly connectFailureCount: number;
  /** Connections others opened to us. */
  readonly acceptCount: number;
  /** Sockets that ended. */
  readonly closeCount: number;
}

/** Failed operations with one errno. */
export interface SocketErrorRow extends SocketKey {
  /** `pt_operation`. */
  readonly operation: number;
  /** errno, or `PT_ERROR_ABANDONED`. */
  readonly error: number;
  /** How many. */
  readonly count: number;
}

/** One listening socket: `pt_listen_queue`. */
export interface ListenQueueRow extends SocketKey {
  /** Names the row for `retireListenQueues`. */
  readonly key: ListenKey;
  /** It does not listen any more. */
  readonly isClosed: boolean;
  /** Where it listens; zeros for unix sockets. */
  readonly local: AddressKey;
  /** Connections that may wait to be accepted. */
  readonly backlogMax: number;
  /** Connections that wait. */
  readonly queuedCount: number;
  /** Attempts dropped since it was met. */
  readonly droppedCount: number;
}

/** All socket tables at one instant. */
export interface SocketReading {
  /** Sockets that are there. */
  readonly sockets: readonly SocketRow[];
  /** What the others left behind. */
  readonly peers: readonly PeerRow[];
  /** Failed operations, of all of them. */
  readonly errors: readonly SocketErrorRow[];
  /** Listening sockets; those that were closed, too. */
  readonly listenQueues: readonly ListenQueueRow[];
}

/** What a ring record decodes to. */
export type BackendRecord =
  | WaitRecord
  | NameRecord
  | ForkRecord
  | ExecRecord
  | ExitRecord
  | OomKillRecord
  | FileRecord
  | SocketRecord
  | CloseRecord;

/** One thread's account, of `pt_thread` or `pt_exit_event`. */
export interface ThreadAccount {
  /** As the host's pid namespace knows it. */
  readonly processId: number;
  /** As the host's pid namespace knows it. */
  readonly threadId: number;
  /** As its own pid namespace knows it; what locks hold. */
  readonly namespaceThreadId: number;
  /** See `TracerBackend.slotOf`. */
  readonly targetSlot: number;
  /** `comm`, not sanitised. */
  readonly command: string;
  /** The window's begin, or the thread's own; monotonic. */
  readonly beginMs: number;
  /** The window's end, or the thread's own; monotonic. */
  readonly endMs: number;
  /** Running. */
  readonly onCpuMs: number;
  /** Waiting for a CPU; throttled time not included. */
  readonly runnableMs: number;
  /** Held back by a CPU limit. */
  readonly throttledMs: number;
  /** Neither running nor wanting to. */
  readonly blockedMs: number;
  /** The scheduler's own account of the same span; `undefined` when unreadable. */
  readonly kernelOnCpuMs: number | undefined;
  /** The scheduler's `run_delay` over the same span; `undefined` when unreadable. */
  readonly kernelRunDelayMs: number | undefined;
  /** Page faults over the same span that were served from memory; `undefined` when unreadable. */
  readonly minorFaultCount: number | undefined;
  /** Page faults over the same span that had to read; `undefined` when unreadable. */
  readonly majorFaultCount: number | undefined;
  /** It ended in the window. */
  readonly exited: boolean;
  /** What it is still blocked on; its time is in `blockedMs` and in no wait row yet. */
  readonly openWait:
    | {
      readonly key: WaitKey;
      readonly sinceMs: number;
      readonly lockOwnerThreadId: number;
      /** Earlier sleeps of the same call, which its row has already; 0 none. */
      readonly joinedMs: number;
    }
    | undefined;
}

/** A cursor over one ring record; valid only inside `drain`'s callback. */
export interface RecordView {
  /** `pt_kind`. */
  readonly kind: number;
  /** See `TracerBackend.slotOf`. */
  readonly targetSlot: number;
  /** In the ring, header included. */
  readonly sizeBytes: number;
  /** Copies everything out. */
  decode(): BackendRecord;
}

/** One row of the wait table; valid only inside the callback. */
export interface WaitRowView {
  /** Of the key. */
  readonly threadId: number;
  /** Of the key. */
  readonly targetSlot: number;
  /** Copies the key out. */
  key(): WaitKey;
  /** Waits that ended; of one call all sleeps on one object together, where the kernel tells. */
  readonly count: number;
  /** How often the thread left its CPU for them. */
  readonly sleepCount: number;
  /** Their time. */
  readonly totalMs: number;
  /** The longest of them. */
  readonly maxMs: number;
  /** When that one ended, monotonic. */
  readonly maxEndMs: number;
  /** Who ended most of the time, by majority vote; 0: not known. */
  readonly wakerThreadId: number;
  /** Its process. */
  readonly wakerProcessId: number;
  /** Its `comm`, not sanitised. */
  wakerCommand(): string;
  /** Waits in [2^index, 2^(index+1)) microseconds; index below `HISTOGRAM_BUCKET_COUNT`. */
  bucket(index: number): number;
}

/** `pt_chain`: what the holder of a lock did while threads of `processId` waited for it. */
export interface ChainRow {
  /** Of the waiters. */
  readonly processId: number;
  /** Of the waiters. */
  readonly targetSlot: number;
  /** Who held the lock. */
  readonly holderThreadId: number;
  /** Its process. */
  readonly holderProcessId: number;
  /** Its `comm`, not sanitised. */
  readonly holderCommand: string;
  /** `pt_wait_class` of the holder's own wait; 0: it was running or runnable. */
  readonly waitClass: number;
  /** The holder's; `PT_NO_SYSTEM_CALL` when there is none. */
  readonly systemCall: number;
  /** Low half of the lock's address in the process, a u32. */
  readonly lockAddressLow: number;
  /** High half of it. */
  readonly lockAddressHigh: number;
  /** What the holder waited for. */
  readonly object: ObjectKey;
  /** Waits for the lock. */
  readonly count: number;
  /** Their time. */
  readonly totalMs: number;
}

/** `pt_file_value`: all operations of one kind of one process on one file that ended in the same way. */
export interface FileRow {
  /** Whose, what, and on what. */
  readonly key: FileKey;
  /** Calls. */
  readonly count: number;
  /** Read or written. */
  readonly byteCount: number;
  /** Their time. */
  readonly totalMs: number;
  /** The longest. */
  readonly maxMs: number;
  /** When that one returned, monotonic. */
  readonly maxEndMs: number;
  /** `HISTOGRAM_BUCKET_COUNT` counts. */
  readonly buckets: readonly number[];
}

/** What a process has open and resident, as the task iterator found it. */
export interface ProcessResources {
  /** As the host's pid namespace knows it. */
  readonly processId: number;
  /** See `TracerBackend.slotOf`. */
  readonly targetSlot: number;
  /** Open descriptors; `undefined`: more than could be counted, or unreadable. */
  readonly fdCount: number | undefined;
  /** Soft limit of descriptors; `undefined`: none, or unreadable. */
  readonly fdLimit: number | undefined;
  /** Living threads. */
  readonly threadCount: number;
  /** `undefined`: unreadable, or a process that gave its memory back. */
  readonly residentBytes: number | undefined;
}

/** Is shown every row, one after the other. */
export interface AggregateVisitor {
  /** A row of the wait table. */
  wait(row: WaitRowView): void;
  /** A row of the lock chains; the row may be kept. */
  chain(row: ChainRow): void;
  /** Threads still alive at the window's end; from `readAggregates` only after `closeWindow`. */
  thread(account: ThreadAccount): void;
  /** A row of the file-operation table; the row may be kept. */
  file(row: FileRow): void;
  /** A row of the table of on-CPU samples; the row may be kept. From `readAggregates` only. */
  sample(row: SampleRow): void;
  /** Processes that live; from `readAggregates` only after `closeWindow`, those alive at its end. */
  process(resources: ProcessResources): void;
}

/** One thread as the task iterator found it. */
export interface TaskSnapshotEntry {
  /** As the host's pid namespace knows it. */
  readonly processId: number;
  /** As the host's pid namespace knows it. */
  readonly threadId: number;
  /** As its own pid namespace knows it; what locks hold. */
  readonly namespaceThreadId: number;
  /** 0: unknown. */
  readonly parentProcessId: number;
  /** 0: of no target. */
  readonly targetSlot: number;
  /** `comm`, not sanitised. */
  readonly command: string;
  /** On a CPU, waiting for one, or neither. */
  readonly state: "running" | "runnable" | "blocked";
  /** `pt_wait_class`; 0 unless blocked. */
  readonly waitClass: number;
  /** The call it is in; `PT_NO_SYSTEM_CALL` when there is none. */
  readonly systemCall: number;
  /** The first four. */
  readonly systemCallArguments: readonly bigint[];
  /** What it is blocked on. */
  readonly object: ObjectKey;
  /** Of the object, leaf first, not sanitised. */
  readonly nameComponents: readonly string[];
  /** Since the thread was born. */
  readonly onCpuMs: number;
  /** The scheduler's `run_delay` since the thread was born. */
  readonly runDelayMs: number;
  /** When it last ran; good to one scheduler tick. `undefined`: it runs now. */
  readonly lastRanMs: number | undefined;
}

/** Every target thread at one instant. */
export interface TaskSnapshot {
  /** Monotonic. */
  readonly atMs: number;
  /** In the order of thread ids per process. */
  readonly tasks: readonly TaskSnapshotEntry[];
  /** One per process whose main thread lives. */
  readonly processes: readonly ProcessResources[];
}

/** What the kernel side counted, and what looking cost it; totals since the start. */
export interface BackendCounters {
  /** Kernel side, summed over CPUs; `residual` is not computed here yet. */
  readonly ledger: Readonly<Record<Category, Omit<CategoryLedger, "residual">>>;
  /** Only of a recording that is cut: how much of the look it holds, and why not all of it. */
  readonly endedEarly?: { readonly percent: number; readonly reason: string };
  /** One per hook. */
  readonly hooks: readonly HookStatus[];
  /** One per attached program. */
  readonly programs: CostReceipt["programs"];
  /** Why run times are missing, or how they were measured. */
  readonly runTimeNote: string;
  /** Memory the maps take in the kernel. */
  readonly mapMemoryBytes: number;
  /** Totals of ended threads whose exit record found no room in the ring. */
  readonly departed: {
    readonly threadCount: number;
    readonly lifetimeMs: number;
    readonly onCpuMs: number;
    readonly runnableMs: number;
    readonly throttledMs: number;
    readonly blockedMs: number;
  };
}

/** What changes in the kernel when one target set replaces another. */
export interface TargetDiff {
  /** Targets of the next set that this one lacks, or has with other members. */
  readonly added: readonly Target[];
  /** Targets of this set that the next lacks, or has with other members. */
  readonly removed: readonly TargetId[];
  /** Waits at least this long become records; the smallest any route asks for. `undefined`: none. */
  readonly slowWaitMs: number | undefined;
  /**
   * Operations on files that take at least this long become records, and failed
   * ones; the smallest any route asks for. `undefined`: none.
   */
  readonly slowFileMs: number | undefined;
  /** Some route wants user stacks. */
  readonly hasUserStacks: boolean;
  /** What any route asks for: hooks of other planes are not attached. */
  readonly planes: ReadonlySet<Plane>;
  /** What sockets tell one by one; absent: nothing. */
  readonly socketEvents?: SocketEventsAsked;
}

/** Which single socket events some route wants. */
export interface SocketEventsAsked {
  /** Kinds; others than sockets' mean nothing here. */
  readonly kinds: EventKindMask;
  /** Responses at least this long become records; the smallest any route asks for. */
  readonly slowResponseMs: number;
  /** Connects at least this long become records, failed ones anyway; the smallest any route asks for. */
  readonly slowConnectMs: number;
}

/** Rows that are moved out of the kernel while the window is open: of waits that ended, and of sockets. */
export type TakenRows = "waits" | "sockets";

/** The kernel, or a recording, as the engine drives it. Disposal detaches and releases everything. */
export interface TracerBackend extends AsyncDisposable {
  /**
   * Brings the kernel in line with `diff`. Hooks of a plane that is no longer
   * asked for are detached, those of one that is now are attached; all others
   * stay attached throughout.
   *
   * A thread belongs to the innermost target: to the process nearest above it
   * that one names, else to the nearest group. When this throws, what was in force still is.
   *
   * @throws {EngineError} `target_refused` when there are more than TARGETS_MAX, or two claim the same
   * @throws {Error} When the kernel takes no more of them
   */
  applyTargets(diff: TargetDiff): void;
  /** The slot records and rows of this target carry; `undefined` when it is not traced. */
  slotOf(targetId: TargetId): number | undefined;
  /** Resolves when records are there, after `timeoutMs`, or when `signal` aborts. */
  wait(options: { timeoutMs: number; signal: AbortSignal }): Promise<void>;
  /** Lifecycle ring first, then data. */
  drain(
    visit: (record: RecordView) => void,
    options: { recordsMax: number; turnMsMax: number },
  ): { recordCount: number; byteCount: number; more: boolean };
  /** Counters and histograms that live in maps, as totals since the start. */
  readAggregates(visitor: AggregateVisitor): void;
  /**
   * While the window is open: shows every row as it stands, every live thread and, of the plane "memory", process, a
   * batch per step, so that the caller can drain in between. Waits come before threads: one that ends meanwhile is
   * missing rather than told twice. Yields the instant, monotonic, at which the accounts of the threads end; of their
   * kernel accounts only faults are told, where processes are.
   */
  readRunning(visitor: AggregateVisitor): Generator<void, number>;
  /**
   * Asked every turn. Yields `isDue`; in a replay what was answered then: rows
   * that were taken out are not there later, and whoever else reads then, or how
   * long that takes, is not the same in a replay.
   */
  mayTakeOut(what: TakenRows, options: { isDue: boolean }): boolean;
  /** Removes wait rows of threads that ended, and rows of every kind of slots nobody has any more; read them before. */
  retireRows(gone: { readonly threadIds: ReadonlySet<number>; readonly targetSlots: ReadonlySet<number> }): void;
  /** Yields what sockets did so far. */
  readSockets(): SocketReading;
  /** Removes rows of sockets; what they counted is the caller's from here on. */
  retireSockets(keys: readonly bigint[]): void;
  /** Removes rows of peers and of errors; what they counted is the caller's from here on. */
  retirePeers(rows: Pick<SocketReading, "peers" | "errors">): void;
  /** Removes rows of listening sockets; what they counted is the caller's from here on. */
  retireListenQueues(keys: readonly ListenKey[]): void;
  /** Removes everything socket tables hold for these slots. */
  retireSocketSlots(slots: readonly number[]): void;
  /** What every target thread is doing now. */
  snapshot(): TaskSnapshot;
  /** Code addresses of `stackId`, innermost first, at most `USER_STACK_FRAMES_MAX`; none when it is not held. */
  userStack(stackId: number): readonly bigint[];
  /**
   * Ends the window at this instant and detaches; what the kernel still holds
   * can be drained and read afterwards. Idempotent. Yields the end, monotonic.
   */
  closeWindow(): number;
  /** When the window opened: every hook attached and every thread seeded. */
  readonly windowBeginMs: number;
  /** What was counted so far; complete after `closeWindow` and the last drain. */
  counters(): BackendCounters;
}
