/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one layout of everything that crosses from the kernel to user space:
 * ring records, map keys and values, iterator records, control words.
 *
 * Rules (checked by `deno task generate`, which writes bpf/generated/layout.ts
 * from the BTF of the built object): fixed-width integers only, explicit
 * padding, no bit-fields, no pointers, no enum-typed fields, every size
 * asserted (pt_event_sizes.h). Enums named pt_* become tables on the other side.
 * Times are CLOCK_MONOTONIC nanoseconds unless a name says otherwise.
 */
#ifndef PT_EVENTS_H
#define PT_EVENTS_H
typedef unsigned char pt_u8;
typedef unsigned short pt_u16;
typedef unsigned int pt_u32;
typedef int pt_s32;
typedef unsigned long long pt_u64;

#define PT_LAYOUT_VERSION 1
#define PT_COMM_BYTES 16
#define PT_HISTOGRAM_BUCKETS 32
#define PT_RECENT_WAITS 4
#define PT_POLL_FDS 8
#define PT_NO_SYSTEM_CALL 0xffff
#define PT_TARGET_SLOTS 4097 /* slot 0 is nobody's */
#define PT_TARGET_CGROUPS_MAX 8192
#define PT_TARGET_PROCESSES_MAX 16384
#define PT_CGROUP_LEVELS_MAX 32
/* Sizes of maps; engine/api/limits.ts has the reasons, and a test compares the two. */
#define PT_THREADS_MAX 32768
#define PT_WAIT_ROWS_MAX 32768
#define PT_CHAIN_ROWS_MAX 8192
#define PT_SAMPLE_ROWS_MAX 16384
#define PT_USER_STACKS_MAX 8192
#define PT_USER_STACK_FRAMES_MAX 64
#define PT_DATA_RING_BYTES 4194304
#define PT_LIFECYCLE_RING_BYTES 262144
#define PT_SOCKET_ROWS_MAX 16384
#define PT_PEER_ROWS_MAX 8192
#define PT_SOCKET_ERROR_ROWS_MAX 4096
#define PT_LISTEN_QUEUES_MAX 1024
#define PT_CONNECT_TOLD 0x80000000 /* of a connect: what becomes of it is told by the state of its socket */
#define PT_ERROR_ABANDONED 4095 /* no errno: the program itself gave a connect up */
#define PT_FILE_ROWS_MAX 8192
#define PT_UNKNOWN_COUNT 0xffffffff
#define PT_EXEC_ARGUMENT_BYTES 512
#define PT_FAILURES_TOLD 16 /* failed operations on a file that become records, of each kind and error */
#define PT_ERROR_OTHER 0xffff /* of a row that takes what has no row of its own: it failed somehow */
#define PT_PROCESS_FROM_EXEC 0x80000000 /* beside the slot: traced from its next exec on, not before */

/* What a ring or iterator record is. */
enum pt_kind {
	PT_KIND_WAIT = 1, /* one wait longer than the threshold */
	PT_KIND_NAME = 2, /* the name of an object, once per new key */
	PT_KIND_FORK = 3,
	PT_KIND_EXEC = 4,
	PT_KIND_EXIT = 5,
	PT_KIND_TASK = 6, /* one thread as the task iterator found it */
	PT_KIND_OOM_KILL = 7,
	PT_KIND_FILE = 8, /* one operation on a file that failed or was slow */
	PT_KIND_CONNECT = 16, /* from here on: struct pt_socket_event */
	PT_KIND_ACCEPT = 17,
	PT_KIND_CLOSE = 18, /* struct pt_close_event */
	PT_KIND_TRANSFER_FAILURE = 19,
	PT_KIND_RESPONSE = 20,
	PT_KIND_RETRANSMIT = 21,
};

/* What a socket was doing when it failed. */
enum pt_operation {
	PT_OPERATION_SEND = 0,
	PT_OPERATION_RECEIVE = 1,
	PT_OPERATION_CONNECT = 2,
};

enum pt_socket_flag {
	PT_SOCKET_SERVER = 1,	    /* our side is asked */
	PT_SOCKET_OWNER_SEEN = 2,   /* its process is the one that used it, not the one that listened */
	PT_SOCKET_TAINTED = 4,	    /* the exchange going on cannot be told from others */
	PT_SOCKET_WAS_OPEN = 8,	    /* established, here or before the window */
	PT_SOCKET_ROLE_OPEN = 16,   /* who asks is not known yet: who speaks first does */
	PT_SOCKET_SENDS_TO = 32,    /* it asks, connected to nobody: whomever it sends to */
};

/* What a thread was blocked on. Zero: not blocked. */
enum pt_wait_class {
	PT_WAIT_NONE = 0,
	PT_WAIT_NETWORK = 1,
	PT_WAIT_DISK_READ = 2,
	PT_WAIT_DISK_WRITE = 3,
	PT_WAIT_LOCK = 4,
	PT_WAIT_IDLE = 5, /* waiting for work: poll, epoll, accept, a client's next request */
	PT_WAIT_SLEEP = 6,
	PT_WAIT_PIPE = 7,
	PT_WAIT_CHILD = 8,
	PT_WAIT_FAULT = 9,
	PT_WAIT_STOPPED = 10,
	PT_WAIT_PARKED = 11, /* futex that is no contended lock: condition, semaphore, idle worker */
	PT_WAIT_OTHER = 12,
};

/* What the blocked-on object is; says how the rest of pt_object reads. */
enum pt_object_kind {
	PT_OBJECT_NONE = 0,
	PT_OBJECT_TCP_PEER = 1, /* high, low: address, IPv4 mapped into IPv6; port: the peer's */
	PT_OBJECT_UDP_PEER = 2,
	PT_OBJECT_TCP_SERVER = 3, /* our side accepted: port is the local one */
	PT_OBJECT_UDP_SERVER = 4,
	PT_OBJECT_UNIX_PEER = 5,   /* low: identity of the bound address, or the socket's inode */
	PT_OBJECT_UNIX_SERVER = 6, /* as above, our side accepted or listens */
	PT_OBJECT_FILE = 7,	   /* high: device, low: inode */
	PT_OBJECT_PIPE = 8,	   /* low: inode */
	PT_OBJECT_LOCK = 9,	   /* low: user address */
	PT_OBJECT_TIMER = 10,
	PT_OBJECT_EVENTFD = 11,
	PT_OBJECT_TERMINAL = 12,
	PT_OBJECT_CHILD = 13, /* low: pid waited for as the caller gave it, 0 any */
	PT_OBJECT_SEVERAL = 14, /* a poll over several descriptors, none of them ready when it ended */
	PT_OBJECT_ANONYMOUS = 15, /* another anonymous inode; named */
	PT_OBJECT_NETLINK = 16,
	PT_OBJECT_SIGNAL = 17,
	PT_OBJECT_DEVICE = 18, /* high: 0, low: device number */
	PT_OBJECT_PATH = 19,   /* low: hash of a path as the program gave it; named */
	PT_OBJECT_UNIX_PAIR = 20, /* as UNIX_PEER; nothing was asked there, or nobody knows who asks */
	PT_OBJECT_UDP_QUIET = 21, /* as UDP_PEER, or all 0; nothing was asked there, or nobody knows who asks */
};

enum pt_thread_state {
	PT_STATE_RUNNING = 1,
	PT_STATE_RUNNABLE = 2,
	PT_STATE_BLOCKED = 3,
};

/* What the task iterator does besides reporting. */
enum pt_iterate {
	PT_ITERATE_REPORT = 0,
	PT_ITERATE_SEED = 1,	/* takes target threads into the table */
	PT_ITERATE_RELEASE = 2, /* lets threads of removed targets go */
};

/* Programs, in the order of their rows in the ledger map. */
enum pt_hook {
	PT_HOOK_SCHED_SWITCH = 0,
	PT_HOOK_SCHED_WAKING = 1,
	PT_HOOK_PROCESS_FORK = 2,
	PT_HOOK_PROCESS_EXEC = 3,
	PT_HOOK_SOCKET_STATE = 4,
	PT_HOOK_TASK_ITERATOR = 5,
	PT_HOOK_SCHED_WAKEUP = 6,
	PT_HOOK_PAGE_FAULT = 7,
	PT_HOOK_SOCKET_SEND = 8,
	PT_HOOK_SOCKET_RECEIVE = 9,
	PT_HOOK_SOCKET_DESTROY = 10,
	PT_HOOK_TCP_RETRANSMIT = 11,
	PT_HOOK_TCP_RECEIVE_RESET = 12,
	PT_HOOK_TCP_SEND_RESET = 13,
	PT_HOOK_SOCKET_ITERATOR = 14,
	PT_HOOK_OOM_KILL = 15,
	PT_HOOK_FILE_CALL_ENTER = 16,
	PT_HOOK_FILE_CALL_EXIT = 17,
	PT_HOOK_CPU_SAMPLE = 18,
	PT_HOOK_COUNT = 19,
};

/* What can be done with a file. */
enum pt_file_operation {
	PT_FILE_NONE = 0,
	PT_FILE_OPEN = 1,
	PT_FILE_READ = 2,
	PT_FILE_WRITE = 3,
	PT_FILE_SYNC = 4,
	PT_FILE_CLOSE = 5,
	PT_FILE_UNLINK = 6,
	PT_FILE_RENAME = 7,
	PT_FILE_EXEC = 8, /* failed ones only */
	PT_FILE_OPERATION_COUNT = 9,
};

/* What a ledger row is about; a program may feed several categories. */
enum pt_category {
	PT_CATEGORY_SCHEDULING = 0, /* every state transition of every thread */
	PT_CATEGORY_WAITS = 1,	    /* finished waits into the wait table */
	PT_CATEGORY_CHAINS = 2,	    /* lock waits into the holder table */
	PT_CATEGORY_SLOW_WAITS = 3, /* single waits into the data ring */
	PT_CATEGORY_NAMES = 4,	    /* object names into the data ring */
	PT_CATEGORY_LIFECYCLE = 5,  /* fork, exec, exit into the lifecycle ring */
	PT_CATEGORY_LISTENERS = 6,  /* listening ports into their table */
	PT_CATEGORY_CONNECTIONS = 7,   /* opening, accepting, closing, retransmits, resets */
	PT_CATEGORY_TRANSFERS = 8,     /* sends and receives into the socket table */
	PT_CATEGORY_SOCKET_EVENTS = 9, /* single slow or failed ones into the data ring */
	PT_CATEGORY_MEMORY = 10,	    /* OOM kills into the lifecycle ring */
	PT_CATEGORY_FILES = 11,	    /* operations on files into their table */
	PT_CATEGORY_SLOW_FILES = 12, /* single operations on files into the data ring */
	PT_CATEGORY_SAMPLES = 13, /* where CPUs were, into the sample table */
	PT_CATEGORY_CONNECT_CALLS = 14, /* connects only the call tells of */
	PT_CATEGORY_COUNT = 15,
};

enum pt_drop_reason {
	PT_DROP_RING_FULL = 0,
	PT_DROP_MAP_FULL = 1,
	PT_DROP_KEY_OVERFLOW = 2, /* time kept under the class, the object's name lost */
	PT_DROP_COUNT = 3,
};

struct pt_header {
	pt_u16 version;
	pt_u16 size_bytes;
	pt_u32 kind;
};

/* How every ring record begins: what routing needs, at fixed places. */
struct pt_prefix {
	struct pt_header header;
	pt_u32 target_slot;
	pt_u32 tgid;
};

struct pt_object {
	pt_u32 kind;
	pt_u32 port;
	pt_u64 high;
	pt_u64 low;
};

struct pt_wait_key {
	pt_u32 tgid;
	pt_u32 tid; /* 0: all threads of the process together */
	pt_u32 target_slot;
	pt_u16 wait_class;
	pt_u16 system_call;
	struct pt_object object;
	pt_s32 stack_id; /* negative: no user stack was asked for, or none could be taken */
	pt_u32 padding;
};

/* Written by one CPU at a time: a thread is switched in on one CPU. */
struct pt_wait_value {
	pt_u32 count, sleeps; /* one wait is one call: it may sleep several times */
	pt_u64 total_ns;
	pt_u64 max_ns;
	pt_u64 max_end_ns;
	pt_u64 waker_score_ns; /* majority vote by time: how far ahead the named waker is */
	pt_u32 waker_tid;
	pt_u32 waker_tgid;
	pt_u8 waker_comm[PT_COMM_BYTES];
	pt_u32 buckets[PT_HISTOGRAM_BUCKETS]; /* bucket n: [2^n, 2^(n+1)) microseconds, n = 0 includes less */
};

/* What the holder of a lock did while somebody of `tgid` waited for it. */
struct pt_chain_key {
	pt_u32 tgid;
	pt_u32 holder_tid;
	pt_u32 target_slot;
	pt_u16 wait_class; /* PT_WAIT_NONE: the holder was running or runnable */
	pt_u16 system_call;
	pt_u64 lock_address;
	struct pt_object object;
};

struct pt_chain_value {
	pt_u64 count;
	pt_u64 total_ns;
	pt_u32 holder_tgid;
	pt_u32 padding;
	pt_u8 holder_comm[PT_COMM_BYTES];
};

/* Where a thread was found computing; the value is a u64, how often. */
struct pt_sample_key {
	pt_u32 tgid;
	pt_u32 tid;
	pt_u32 target_slot;
	pt_s32 stack_id; /* negative: none could be taken */
};

/* One finished wait, or several in a row on the same object. */
struct pt_recent_wait {
	pt_u64 start_ns;
	pt_u64 end_ns;
	pt_u64 blocked_ns;
	struct pt_object object;
	pt_u16 wait_class;
	pt_u16 system_call;
	pt_u32 padding;
};

/* Operations on one file, by how they ended. */
struct pt_file_key {
	pt_u32 tgid; /* 0: what has no row of its own */
	pt_u32 target_slot;
	pt_u16 operation; /* pt_file_operation */
	pt_u16 error;	  /* 0: it succeeded */
	pt_u32 padding;
	struct pt_object object;
};

/* Threads of one process on several CPUs write it: counters are atomic; the maximum is written again until it stands. */
struct pt_file_value {
	pt_u64 count;
	pt_u64 total_ns;
	pt_u64 max_ns;
	pt_u64 max_end_ns;
	pt_u64 bytes;
	pt_u32 buckets[PT_HISTOGRAM_BUCKETS]; /* as in pt_wait_value */
};

/* Value of the thread table; its key is the task's address. */
struct pt_thread {
	pt_u64 begin_ns; /* seen from: window start, fork, or migration into the target */
	pt_u64 since_ns; /* of the present state */
	pt_u64 on_cpu_ns;
	pt_u64 runnable_ns;  /* waiting for a CPU, throttled time not included */
	pt_u64 throttled_ns; /* held back by a CPU limit */
	pt_u64 blocked_ns;
	pt_u64 pending_ns;   /* of blocked_ns: a finished wait whose key is not decided yet */
	pt_u64 exec_mark_ns; /* the scheduler's own account when it came onto the CPU */
	pt_u64 throttle_mark_ns; /* throttled time of the groups above when it became runnable */
	pt_u64 seed_exec_ns;	 /* the scheduler's own account when seen first */
	pt_u64 seed_delay_ns;
	pt_u64 last_runnable_ns; /* how much of runnable_ns is from just before it came onto the CPU */
	pt_u64 delay_mark_ns;	 /* the scheduler's own run_delay before that was added to it */
	pt_u64 fault_inode;	 /* kernel address: the file its last page fault read from */
	pt_u64 fault_number;	 /* faults it had finished by then: while that stands, it is in this one */
	pt_u64 joined_ns;	 /* of the wait it is in or may go on with: earlier sleeps of the same call; 0 none */
	pt_u64 call_mark;	 /* kstack_offset when it blocked last: while that stands, it is in the same call */
	pt_u32 tid;
	pt_u32 tgid;
	pt_u32 namespace_tid; /* the id the process itself knows this thread by */
	pt_u32 target_slot;
	pt_u32 state;
	pt_u32 futex_owner; /* namespace tid read from the lock word, 0 unknown */
	pt_u16 wait_class;
	pt_u16 system_call;
	pt_s32 stack_id;
	struct pt_object object;
	pt_u32 poll_kind; /* 0 none, 1 epoll, 2 descriptor list */
	pt_s32 poll_fd;	  /* the epoll descriptor */
	pt_s32 poll_fds[PT_POLL_FDS];
	pt_u32 poll_fd_count;
	pt_u32 poll_timed; /* a finite timeout was given */
	pt_u32 waker_tid;
	pt_u32 waker_tgid;
	pt_u8 waker_comm[PT_COMM_BYTES];
	pt_u8 comm[PT_COMM_BYTES];
	pt_u64 cgroup_address; /* identity of its cgroup when last looked at */
	pt_u64 seed_minor_faults; /* when seen first */
	pt_u64 seed_major_faults;
	pt_u64 file_call_ns; /* not 0: in a call on a file since then; only one at a time, calls of a thread do not nest */
	pt_u64 file_argument; /* of that call: descriptor, or address of the path */
	struct pt_object file_object; /* of that call: what its descriptor was then */
	pt_u32 file_call; /* its number, with PT_CONNECT_TOLD */
	pt_u32 switch_mark; /* how often it had left a CPU, as the scheduler counts, when it came onto this one */
	pt_u32 switch_count;
	pt_u32 recent_next;
	struct pt_recent_wait recent[PT_RECENT_WAITS];
};

/* A port whose sockets somebody accepted from; the value is a u32, 1. */
struct pt_listener_key {
	pt_u32 network_namespace; /* inode */
	pt_u16 port;
	pt_u16 protocol; /* IPPROTO_TCP */
};

/* Durations; their number is the sum of the buckets. */
struct pt_latency {
	pt_u64 total_ns;
	pt_u64 max_ns;
	pt_u64 max_end_ns;
	pt_u32 buckets[PT_HISTOGRAM_BUCKETS]; /* as in pt_wait_value */
};

struct pt_transfers {
	pt_u64 operations; /* that moved something, or told the end of the stream */
	pt_u64 bytes;
	pt_u32 would_block; /* nothing there, no room, or interrupted */
	pt_u32 failed;
	pt_u32 max_bytes; /* of one operation */
	pt_u32 padding;
};

/* Of one socket, and of all sockets with one peer. */
struct pt_socket_counts {
	struct pt_transfers sent;
	struct pt_transfers received;
	struct pt_latency responses;
	pt_u32 unmeasured; /* exchanges in which requests overlapped */
	pt_u32 retransmits;
	pt_u32 segments; /* with payload, retransmits included */
	pt_u32 resets_received;
	pt_u32 resets_sent;
	pt_u32 rtt_last_us;
	pt_u32 rtt_min_us; /* 0: none seen */
	pt_u32 rtt_max_us;
};

/* Value of the socket table; its key is the socket's address. */
struct pt_socket {
	struct pt_socket_counts counts;
	pt_u64 opened_ns;  /* 0: before the window */
	pt_u64 closed_ns;  /* 0: open */
	pt_u64 connect_ns; /* first SYN of a connect that is not decided; 0 none */
	pt_u64 asked_ns;   /* first piece of a request that has no answer yet; 0 none */
	pt_u64 piece_ns;   /* latest piece of the latest request */
	pt_u64 inode;	   /* tells a UDP or unix socket from the next at its address */
	struct pt_object object; /* as in waits: the peer, or our own port */
	pt_u64 local_high;
	pt_u64 local_low;
	pt_u64 remote_high;
	pt_u64 remote_low;
	pt_u32 local_port;
	pt_u32 remote_port;
	pt_u32 tgid;
	pt_u32 target_slot;
	pt_u32 flags;	       /* pt_socket_flag */
	pt_u32 owed;	       /* requests that overlapped others, less the answers that came since */
	pt_u32 first_segments; /* the kernel's count when first seen */
	pt_u32 padding;
};

struct pt_peer_key {
	pt_u32 tgid;
	pt_u32 target_slot;
	struct pt_object object;
};

/* Written by several CPUs at once. */
struct pt_peer {
	struct pt_socket_counts counts; /* of sockets that are gone */
	struct pt_latency handshakes;
	pt_u32 connects; /* decided: established + failed */
	pt_u32 connect_failures;
	pt_u32 accepts;
	pt_u32 closes;
};

struct pt_socket_error_key {
	struct pt_peer_key peer;
	pt_u32 operation; /* pt_operation */
	pt_u32 error;	  /* errno, or PT_ERROR_ABANDONED */
};

/* A listening socket: the inode tells it from the next one at its address. */
struct pt_listen_key {
	pt_u64 address;
	pt_u64 inode;
};

/* Whose it is: what is accepted from it belongs to the same, and to nobody else on the same port. */
struct pt_listen_queue {
	struct pt_object object;
	pt_u64 local_high;
	pt_u64 local_low;
	pt_u32 tgid;
	pt_u32 target_slot;
	pt_u32 backlog_max;
	pt_u32 queued;
	pt_u32 first_drops; /* the kernel's count when the owner was first met */
	pt_u32 last_drops;
	pt_u32 is_closed; /* 1: it does not listen any more */
	pt_u32 padding;
};

struct pt_socket_event {
	struct pt_prefix prefix;
	pt_u64 now_ns;
	pt_u64 duration_ns;
	struct pt_object object;
	pt_u32 operation; /* pt_operation */
	pt_u32 error;	  /* errno, or PT_ERROR_ABANDONED; 0 none */
};

/* A TCP connection that ended, with what there was to it. */
struct pt_close_event {
	struct pt_prefix prefix;
	pt_u64 closed_ns;
	pt_u64 opened_ns; /* 0: before the window */
	pt_u64 sent_operations;
	pt_u64 sent_bytes;
	pt_u64 received_operations;
	pt_u64 received_bytes;
	pt_u64 responses_total_ns;
	pt_u64 responses_max_ns;
	struct pt_object object;
	pt_u64 local_high;
	pt_u64 local_low;
	pt_u64 remote_high;
	pt_u64 remote_low;
	pt_u32 local_port;
	pt_u32 remote_port;
	pt_u32 responses;
	pt_u32 retransmits;
	pt_u32 rtt_last_us;
	pt_u32 rtt_min_us;
	pt_u32 rtt_max_us;
	pt_u32 padding;
};

struct pt_wait_event {
	struct pt_prefix prefix;
	pt_u64 end_ns;
	pt_u64 duration_ns;
	struct pt_wait_key key;
	pt_u32 waker_tid;
	pt_u32 waker_tgid;
};

/* Followed by text_bytes bytes: path components, leaf first, each NUL-ended. */
struct pt_name_event {
	struct pt_prefix prefix;
	struct pt_object object;
	pt_u32 text_bytes;
	pt_u32 truncated; /* 1: the path had more components, or longer ones, than fit */
};

struct pt_fork_event {
	struct pt_prefix prefix; /* tgid: the parent's */
	pt_u64 now_ns;
	pt_u32 parent_tid;
	pt_u32 child_tid;
	pt_u32 child_tgid;
	pt_u32 padding;
	pt_u8 comm[PT_COMM_BYTES];
};

/* Followed by text_bytes: the file name, NUL-ended; by argument_bytes: each NUL-ended, but for the last if cut. */
struct pt_exec_event {
	struct pt_prefix prefix;
	pt_u64 now_ns;
	pt_u32 old_tid;
	pt_u32 text_bytes;
	pt_u8 comm[PT_COMM_BYTES];
	pt_u32 argument_bytes;
	pt_u32 arguments_cut; /* 1: there were more */
};

/* A process that is to be killed for want of memory, and what it held. */
struct pt_oom_kill_event {
	struct pt_prefix prefix;
	pt_u64 now_ns;
	pt_u64 virtual_bytes;
	pt_u64 anonymous_bytes;
	pt_u64 file_bytes;
	pt_u64 shared_bytes;
	pt_u8 comm[PT_COMM_BYTES];
};

struct pt_file_event {
	struct pt_prefix prefix;
	pt_u64 end_ns;
	pt_u64 duration_ns;
	struct pt_file_key key;
	pt_u64 bytes;
	pt_u32 tid;
	pt_u32 system_call;
};

/* The whole ledger of a thread that ended. */
struct pt_exit_event {
	struct pt_prefix prefix;
	pt_u64 end_ns;
	pt_u64 begin_ns;
	pt_u64 on_cpu_ns;
	pt_u64 runnable_ns;
	pt_u64 throttled_ns;
	pt_u64 blocked_ns;
	pt_u64 kernel_on_cpu_ns; /* sum_exec_runtime since begin_ns */
	pt_u64 kernel_delay_ns;	 /* sched_info.run_delay since begin_ns */
	pt_u64 minor_faults;	 /* since begin_ns */
	pt_u64 major_faults;
	pt_u32 tid;
	pt_u32 parent_tgid;
	pt_u32 exit_code; /* as wait(2) reports it */
	pt_u32 namespace_tid;
	pt_u32 process_ended; /* 1: no thread of the process was left when this one ended */
	pt_u32 left_target;   /* 1: it lives on, but outside of every target */
	pt_u32 oom_victim;    /* 1: its process was chosen to be killed for want of memory */
	pt_u32 padding;
	pt_u8 comm[PT_COMM_BYTES];
};

/* One live thread, from the task iterator. */
struct pt_task_record {
	struct pt_prefix prefix;
	pt_u64 now_ns;
	pt_u64 task_address;
	pt_u64 cgroup_id;
	pt_u64 exec_ns;	      /* se.sum_exec_runtime */
	pt_u64 delay_ns;      /* sched_info.run_delay */
	pt_u64 exec_start_ns; /* scheduler clock when it last ran */
	pt_u64 born_ns;	      /* boot clock */
	pt_u64 arguments[4];  /* of the system call */
	pt_u64 minor_faults;  /* since it was born */
	pt_u64 major_faults;
	pt_u64 fd_limit;       /* of the process, main threads only, like all below; 0: unreadable */
	pt_u64 resident_bytes; /* of the process; 0: it has no memory any more */
	pt_u32 fd_count;       /* of the process; PT_UNKNOWN_COUNT: more than are counted, or unreadable */
	pt_u32 thread_count;   /* of the process, living */
	pt_u32 tid;
	pt_u32 namespace_tid;
	pt_u32 parent_tgid;
	pt_u32 state; /* pt_thread_state */
	pt_u16 wait_class;
	pt_u16 system_call;
	pt_u32 is_current; /* 1: the thread that reads the iterator */
	struct pt_object object;
	pt_u8 comm[PT_COMM_BYTES];
	pt_u8 text[256]; /* name of the object: components leaf first, as in pt_name_event */
	pt_u32 text_bytes;
	pt_u32 knows_system_calls; /* 0: this kernel does not show the registers of another task */
	pt_u32 switches;	   /* how often it left a CPU since it was born; wraps around */
	pt_u32 padding;
};

/* One row per category and CPU. seen = filtered + aggregated + delivered + sum(dropped). */
struct pt_ledger {
	pt_u64 seen;
	pt_u64 filtered;
	pt_u64 aggregated;
	pt_u64 delivered;
	pt_u64 dropped[PT_DROP_COUNT];
};

/* Totals of ended threads whose record found the lifecycle ring full. */
struct pt_departed {
	pt_u64 thread_count;
	pt_u64 lifetime_ns;
	pt_u64 on_cpu_ns;
	pt_u64 runnable_ns;
	pt_u64 throttled_ns;
	pt_u64 blocked_ns;
};

/* The kernel's books, one copy per CPU; monotonic, never reset. */
struct pt_books {
	pt_u64 calls[PT_HOOK_COUNT]; /* but for those below */
	pt_u64 bystanders[PT_HOOK_COUNT]; /* calls that ended at the first look; their subjects are seen and filtered */
	struct pt_ledger ledger[PT_CATEGORY_COUNT];
	struct pt_departed departed;
};

/* Written by user space, but for the latch; read by every program. */
struct pt_control {
	pt_u64 frozen_at_ns;  /* not 0: the window is closed, nothing is recorded any more */
	pt_u64 slow_wait_ns;  /* single waits at least this long become records; 0 none */
	pt_u64 slow_response_ns; /* single responses at least this long become records */
	pt_u64 slow_connect_ns;	 /* connects that failed, or took at least this long, become records */
	pt_u32 enabled;	      /* 0: no target yet */
	pt_u32 cgroup_levels; /* bit n: a target cgroup exists at level n */
	pt_u32 system_wide_slot; /* not 0: the slot of every user thread but ours */
	pt_u32 own_tgid;
	pt_u32 user_stacks;
	pt_u32 iterator_mode; /* pt_iterate */
	pt_u32 wakeup_latch;  /* set when the reader was woken, cleared by the reader */
	pt_u32 socket_kinds;  /* bit n: socket records of kind n are wanted */
	pt_u32 follow_sockets; /* 0: connections are nobody's business; who listens is */
	pt_u32 page_bytes;
	pt_u64 files_since_ns; /* operations that began earlier are of a look before this one */
	pt_u64 slow_file_ns;  /* operations on files at least this long become records, and failed ones; 0 none */
	pt_u32 target_generation; /* another number after every change of targets: what was remembered of cgroups is void */
	pt_u32 padding;
};

#include "pt_event_sizes.h"

#endif
