/**
 * Every bound of the engine, with its unit and its reason.
 *
 * @module
 */

/** Data ring; a power of two. 4 MiB hold 50 000 slow waits, 5 s at 10 000/s. */
export const DATA_RING_BYTES = 4 * 1024 * 1024;

/** Lifecycle ring; its own, so that a data flood cannot blind us to processes. */
export const LIFECYCLE_RING_BYTES = 256 * 1024;

/** Targets at a time; slots of the kernel's target table. */
export const TARGETS_MAX = 4096;

/** Cgroups of all targets; pods have one per container, and some runtimes more. */
export const TARGET_CGROUPS_MAX = 8192;

/** Processes that targets name; their later descendants are followed without being named. */
export const TARGET_PROCESSES_MAX = 16_384;

/** Levels of the cgroup tree, the root's included, at which a target can lie. */
export const CGROUP_LEVELS_MAX = 32;

/** Records handed over per turn before other work gets the thread. */
export const DRAIN_RECORDS_MAX = 4096;

/** Time per drain turn, for the same reason. */
export const DRAIN_TURN_MS_MAX = 5;

/** Between drains: well below the time a flood needs to fill the ring. */
export const DRAIN_INTERVAL_MS = 10;

/** Between reads of the kernel's tables. */
export const AGGREGATE_INTERVAL_MS = 1000;

/** Between interim measurements, for exporters that ask for them. */
export const INTERIM_INTERVAL_MS = 1000;

/** Spent on interim measurements per drain turn: 32 768 rows take 100 ms, and the rings must not wait for that. */
export const INTERIM_TURN_MS_MAX = 2;

/** Of one CPU, at most, for interim measurements: larger tables are told less often. */
export const INTERIM_CPU_SHARE_MAX = 0.05;
/** Between looks for sockets that lie idle in the kernel's table: one that rests this long may do so for good. */
export const SOCKET_COLLECT_INTERVAL_MS = 10_000;

/** Events waiting for one route's exporter. */
export const ROUTE_QUEUE_EVENTS_MAX = 8192;

/** Events in one export call. */
export const BATCH_EVENTS_MAX = 512;

/** Longest an event waits for its batch to fill. */
export const BATCH_AGE_MS_MAX = 1000;

/** Longest one export call may take. */
export const EXPORT_TIMEOUT_MS = 10_000;

/** Live threads of all targets; 480 bytes each in the kernel. */
export const THREADS_MAX = 32_768;

/** Rows of the wait table; 240 bytes each in the kernel. */
export const WAIT_ROWS_MAX = 32_768;

/** Rows of the lock-holder table. */
export const CHAIN_ROWS_MAX = 8192;

/** Sockets followed at a time; 450 bytes each in the kernel. More share one row, counted. */
export const SOCKET_ROWS_MAX = 16_384;

/** Rows of peers whose connections ended; 550 bytes each in the kernel. */
export const PEER_ROWS_MAX = 8192;

/** Rows of errors by peer and errno. */
export const SOCKET_ERROR_ROWS_MAX = 4096;

/** Peers whose rows were taken out of the kernel's table; 2 KB each. The oldest of more are told together, counted. */
export const KEPT_PEERS_MAX = 16_384;

/** Errors by peer and errno taken out of the kernel's table; of more, the oldest are told as "other". */
export const KEPT_SOCKET_ERRORS_MAX = 16_384;

/** Ports that are listened on no more; the oldest of more are not told, counted. */
export const KEPT_LISTEN_QUEUES_MAX = 1024;

/** Processes that ended since their peers were last taken out of the kernel's table, so many at most. */
export const ENDED_PROCESSES_COLLECTED = 256;

/** Processes that ended, remembered until nothing of theirs turns up any more. */
export const ENDED_PROCESSES_REMEMBERED_MAX = 65_536;

/** Listening sockets followed at a time. */
export const LISTEN_QUEUES_MAX = 1024;

/** Connections listed one by one, those with most bytes; the others are in the figures of their peers. */
export const CONNECTIONS_MAX = 1024;

/** Responses and handshakes shorter than this never become single records, whatever a route asks. */
export const SLOW_SOCKET_MS_MIN = 1;

/** Responses and handshakes at least this long become single records where a route does not say otherwise. */
export const SLOW_SOCKET_MS_DEFAULT = 100;

/** Rows of the table of on-CPU samples: threads by stacks; 64 bytes each in the kernel. */
export const SAMPLE_ROWS_MAX = 16_384;

/** Rows of ended threads kept apart in user space; older ones fold into their process. */
export const RETIRED_ROWS_MAX = 65_536;

/**
 * Rows of file operations, of samples and of lock chains kept in user space, of each: those of targets that got another
 * slot. The oldest of more lose what they were about. As many as the largest of the kernel's tables has.
 */
export const CARRIED_ROWS_MAX = 16_384;

/** Ledgers of ended threads kept apart in user space; older ones fold into a total. */
export const EXITED_THREADS_MAX = 32_768;

/** Processes remembered; the one that ended longest ago goes first. */
export const PROCESSES_MAX = 32_768;

/** Processes looked up in /proc per turn: 30 microseconds each, so that a fork flood costs no more than 2 ms. */
export const PROCESS_READS_PER_TURN_MAX = 64;

/** Distinct user stacks kept. */
export const USER_STACKS_MAX = 8192;

/** Frames per user stack. */
export const USER_STACK_FRAMES_MAX = 64;

/** One section of a program file that is read for its symbols; larger ones are not read. */
export const SYMBOL_SECTION_BYTES_MAX = 16 * 1024 * 1024;

/** Read of one program file for its symbols, all sections together. */
export const SYMBOL_FILE_BYTES_MAX = 48 * 1024 * 1024;

/** Tables of functions kept, by program file; the one not used for longest goes first. */
export const SYMBOL_FILES_MAX = 64;

/** Memory of those tables, 16 bytes a function. */
export const SYMBOL_CACHE_BYTES_MAX = 64 * 1024 * 1024;

/** Reading files for the names of one stack; what is not named by then stays a module and an offset. */
export const STACK_NAMING_MS_MAX = 250;

/** Read of one process's own list of the code it made. */
export const PERF_MAP_BYTES_MAX = 8 * 1024 * 1024;

/** Such lists kept, by process; the oldest goes first. */
export const PERF_MAPS_MAX = 8;

/** Names of objects kept; the oldest go first, counted. */
export const NAMES_MAX = 65_536;

/** Single waits, connects and responses a report lists one by one, the longest of a run; some 150 bytes each. */
export const LISTED_LONGEST_MAX = 8192;

/** Events without a duration (forks, exits, accepts, failures) a report lists one by one, the first of a run. */
export const LISTED_MOMENTS_MAX = 8192;

/** Slices of a report's picture of the run over time; more than a screen has columns to tell apart helps nobody. */
export const TIMELINE_SLICES_MAX = 240;

/** Shortest slice of that picture. */
export const TIMELINE_SLICE_MS_MIN = 50;

/** Threads of a CSV report with rows of their own; the others are summed up. */
export const CSV_THREAD_ROWS_MAX = 2048;

/** Rows of waits in a CSV report; those of less time are summed up. */
export const CSV_WAIT_ROWS_MAX = 8192;

/** Rows of peers in a CSV report. */
export const CSV_PEER_ROWS_MAX = 4096;

/** Findings an HTML report tells in full, and as many of mere information. */
export const HTML_FINDINGS_MAX = 64;

/** Threads an HTML report has bars for; the others are summed up. */
export const HTML_THREAD_ROWS_MAX = 256;

/** Processes an HTML report has bars for; the others are summed up. */
export const HTML_PROCESS_ROWS_MAX = 128;

/** Waits an HTML report has rows for, those of most time. */
export const HTML_WAIT_ROWS_MAX = 256;

/** Of those rows, the first that show stacks. */
export const HTML_STACK_ROWS_MAX = 64;

/** Frames an HTML report shows of one stack. */
export const HTML_STACK_FRAMES_MAX = 24;

/** Stacks an HTML report shows of computing and of each kind of wait. */
export const HTML_STACKS_PER_PART_MAX = 8;

/** Peers an HTML report has rows for. */
export const HTML_PEER_ROWS_MAX = 128;

/** Single events an HTML report lists: failures, then the longest. */
export const HTML_EVENT_ROWS_MAX = 384;

/** cgroups an HTML report has rows for. */
export const HTML_CGROUP_ROWS_MAX = 64;

/** Text of one field that came from a traced process. */
export const FIELD_TEXT_BYTES_MAX = 256;

/** Longest window of a bounded run. */
export const DIAGNOSE_DURATION_MS_MAX = 24 * 60 * 60 * 1000;

/** Waits shorter than this never become single records, whatever a route asks. */
export const SLOW_WAIT_MS_MIN = 1;

/** Alerts waiting for one sink; the rate limit lets 10 a minute through by default. */
export const ALERT_QUEUE_MAX = 256;

/** Alerts remembered so that none is sent twice; the oldest go first. */
export const ALERT_KEYS_MAX = 4096;

/** Alerts let through per minute at most, whatever is asked for: their times are kept. */
export const ALERT_RATE_MAX = 10_000;

/** Repeats of one send at most, whatever is asked for. */
export const ALERT_RETRIES_MAX = 10;

/** Longest pause before a send is repeated. */
export const ALERT_BACKOFF_MS_MAX = 30_000;

/** Of the answer of a sink that refuses; for the reason. */
export const ALERT_ANSWER_BYTES_MAX = 512;

/** Texts of one alert, UTF-8 bytes each. */
export const ALERT_TEXT_BYTES_MAX = {
  title: 256,
  message: 1024,
  pod: 256,
  namespace: 256,
  source: 128,
  errorCode: 64,
  recommendation: 512,
  contextKey: 64,
  contextValue: 512,
} as const;

/** Recommendations in one alert. */
export const ALERT_RECOMMENDATIONS_MAX = 10;

/** Entries of one alert's context. */
export const ALERT_CONTEXT_ENTRIES_MAX = 32;

/** One BPF object file; ours has a quarter of a MiB. */
export const BPF_OBJECT_BYTES_MAX = 16 * 1024 * 1024;

/** Rows of the file-operation table; 300 bytes each in the kernel. */
export const FILE_ROWS_MAX = 8192;

/** Operations on files shorter than this never become single records unless they fail, whatever a route asks. */
export const SLOW_FILE_MS_MIN = 1;

/** What a route asks for unless told otherwise: a disk that answers needs less. */
export const SLOW_FILE_MS_DEFAULT = 10;

/** Bytes of a command line kept with an exec. */
export const EXEC_ARGUMENT_BYTES_MAX = 512;

/** OOM kills kept apart for the report; each is a record of its own anyway. */
export const OOM_KILLS_MAX = 256;

/** Entries gathered before they are compressed into a frame: 0.4 ms of work. */
export const RECORDING_FRAME_BYTES = 64 * 1024;

/** One entry of a recording; longer answers take several. */
export const RECORDING_ENTRY_BYTES_MAX = 1024 * 1024;

/** A frame's entries: what was gathered, and one more of the longest with its key. */
export const RECORDING_FRAME_RAW_BYTES_MAX: number = RECORDING_FRAME_BYTES + RECORDING_ENTRY_BYTES_MAX + 65_536 + 8;

/** A compressed frame; what cannot be compressed grows by a few bytes per 16 KiB. */
export const RECORDING_FRAME_STORED_BYTES_MAX: number = RECORDING_FRAME_RAW_BYTES_MAX + 65_536;

/** What a recording says of itself before its first frame. */
export const RECORDING_PREAMBLE_BYTES_MAX = 64 * 1024;

/** Frames that wait for the disk; ring records that find no room here are counted as not recorded. */
export const RECORDING_QUEUE_BYTES_MAX = 16 * 1024 * 1024;

/** What else waits for the disk: with more than this the recording ends. */
export const RECORDING_BACKLOG_BYTES_MAX = 64 * 1024 * 1024;

/** Between two states of everything in a recording: a cut one is good up to the last of them. */
export const RECORDING_CHECKPOINT_INTERVAL_MS = 5000;

/** Longest a recorded turn stays in memory only. */
export const RECORDING_FLUSH_INTERVAL_MS = 1000;

/** One turn of a recording, its whole state included, in memory while it is replayed. */
export const REPLAY_TURN_BYTES_MAX = 192 * 1024 * 1024;

/** What a recording says before the run, in memory while it is replayed: our layout and what was asked for take 40 KiB. */
export const REPLAY_META_BYTES_MAX = 4 * 1024 * 1024;

/** Answers of earlier turns that a replay keeps, in bytes; those not told again for longest go first. */
export const REPLAY_KNOWN_BYTES_MAX = 192 * 1024 * 1024;

/** Rows of one table in a recording: twice those of the largest we have. */
export const REPLAY_TABLE_ROWS_MAX = 65_536;

/** One answer in this build's layout: 100 000 threads take 48 MB. */
export const REPLAY_TRANSLATED_BYTES_MAX = 128 * 1024 * 1024;

/** Answers of earlier turns that a replay keeps, one per question. */
export const REPLAY_KEYS_MAX = 65_536;
