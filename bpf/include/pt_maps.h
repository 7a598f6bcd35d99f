/* SPDX-License-Identifier: GPL-2.0 */
/* Every map of the object, with who writes it and what it costs. */
#ifndef PT_MAPS_H
#define PT_MAPS_H

/* Threads of all targets, by the task's address: it survives exec, which changes ids. 16 MB when full. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PT_THREADS_MAX);
	__type(key, u64);
	__type(value, struct pt_thread);
} threads SEC(".maps");

/* Finished waits by thread and object. 8 MB when full. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PT_WAIT_ROWS_MAX);
	__type(key, struct pt_wait_key);
	__type(value, struct pt_wait_value);
} waits SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PT_CHAIN_ROWS_MAX);
	__type(key, struct pt_chain_key);
	__type(value, struct pt_chain_value);
} chains SEC(".maps");

/* Operations on files by process, file and outcome; only while they are asked for. 2.4 MB. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PT_FILE_ROWS_MAX);
	__type(key, struct pt_file_key);
	__type(value, struct pt_file_value);
} file_rows SEC(".maps");

/* Target cgroups: id to target slot. Written by user space. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PT_TARGET_CGROUPS_MAX);
	__type(key, u64);
	__type(value, u32);
} target_cgroups SEC(".maps");

/* Target processes: thread group id to target slot. Written by user space; descendants are followed. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PT_TARGET_PROCESSES_MAX);
	__type(key, u32);
	__type(value, u32);
} target_processes SEC(".maps");

/* Processes that ended: of several threads that die at once, the first here reports it. Gone when the id is reused. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, u32);
	__type(value, u32);
} ended_processes SEC(".maps");

/* 1: the slot is in use. A removed target stops at once, before its threads are let go. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PT_TARGET_SLOTS);
	__type(key, u32);
	__type(value, u32);
} target_slots SEC(".maps");

/* Listening ports, whoever has them: seeded by user space, kept by the socket-state program. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct pt_listener_key);
	__type(value, u32);
} listeners SEC(".maps");

/* Sockets of all targets, by the socket's address; key 0 takes those there is no room for. 7 MB. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PT_SOCKET_ROWS_MAX);
	__type(key, u64);
	__type(value, struct pt_socket);
} sockets SEC(".maps");

/* What sockets that are gone leave behind, by process and peer. 4 MB. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PT_PEER_ROWS_MAX);
	__type(key, struct pt_peer_key);
	__type(value, struct pt_peer);
} peers SEC(".maps");

/* Failed operations by peer and errno. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PT_SOCKET_ERROR_ROWS_MAX);
	__type(key, struct pt_socket_error_key);
	__type(value, u64);
} socket_errors SEC(".maps");

/* Listening sockets of all targets. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PT_LISTEN_QUEUES_MAX);
	__type(key, struct pt_listen_key);
	__type(value, struct pt_listen_queue);
} listen_queues SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct pt_control);
} control SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct pt_books);
} books SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, PT_DATA_RING_BYTES);
} data_ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, PT_LIFECYCLE_RING_BYTES);
} lifecycle_ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, PT_USER_STACKS_MAX);
	__uint(key_size, sizeof(u32));
	__uint(value_size, PT_USER_STACK_FRAMES_MAX * sizeof(u64));
} user_stacks SEC(".maps");

/* On-CPU samples by thread and stack. 1 MB when full. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PT_SAMPLE_ROWS_MAX);
	__type(key, struct pt_sample_key);
	__type(value, u64);
} cpu_samples SEC(".maps");

#define PT_TEXT_BYTES 256

/* A record with room to append one more path component than may be kept. */
struct pt_name_scratch {
	struct pt_name_event event;
	char text[2 * PT_TEXT_BYTES];
};

/* For the scheduler's programs, which run with interrupts off and never nest. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct pt_name_scratch);
} name_scratch SEC(".maps");

/* For the programs on system calls, which run with preemption off; the scheduler's have their own. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct pt_name_scratch);
} file_scratch SEC(".maps");

struct pt_exec_scratch {
	struct pt_exec_event event;
	char text[PT_TEXT_BYTES + PT_EXEC_ARGUMENT_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct pt_exec_scratch);
} exec_scratch SEC(".maps");

struct pt_task_scratch {
	struct pt_task_record record;
	char overrun[PT_TEXT_BYTES];
};

/* For the task iterator, which may be preempted but has one reader. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct pt_task_scratch);
} task_scratch SEC(".maps");

/* What the iterator asks about a thread that is not in the table. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct pt_thread);
} snapshot_scratch SEC(".maps");

#define PT_BYSTANDER_CGROUPS 64

/* No target is at or above this cgroup: ids are not used again, and what is above a cgroup stays above it. */
struct pt_bystander_cgroup {
	u64 id;
	u64 generation; /* pt_control.target_generation when that was looked up */
};

struct pt_bystander_cgroups {
	struct pt_bystander_cgroup rows[PT_BYSTANDER_CGROUPS];
};

/* Written by sched_switch alone, which does not nest: so an id and its generation belong together. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct pt_bystander_cgroups);
} bystander_cgroups SEC(".maps");

/* What new rows start as: 488 bytes are too many for the stack. */
static struct pt_thread zero_thread;
static struct pt_wait_value zero_wait;
static struct pt_chain_value zero_chain;
static struct pt_socket zero_socket;
static struct pt_peer zero_peer;
static struct pt_file_value zero_file;

static __always_inline struct pt_control *get_control(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&control, &zero);
}

static __always_inline struct pt_books *get_books(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&books, &zero);
}

#endif
