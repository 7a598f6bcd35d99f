/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One wait: what a thread is about to block on (captured as it leaves the CPU),
 * what ended it (looked up as it comes back), and its row in the table.
 */
#ifndef PT_WAIT_H
#define PT_WAIT_H

/* include/uapi/linux/futex.h */
#define PT_FUTEX_COMMAND 127
#define PT_FUTEX_WAIT 0
#define PT_FUTEX_LOCK_PI 6
#define PT_FUTEX_WAIT_BITSET 9
#define PT_FUTEX_LOCK_PI2 13
#define PT_FUTEX_TID_MASK 0x3fffffff

/* include/linux/sched.h */
#define PT_TASK_UNINTERRUPTIBLE 0x0002
#define PT_TASK_STOPPED_OR_TRACED 0x000c
#define PT_TASK_DEAD 0x0080

/* The freezer's mark on a sleeping state (TASK_FREEZABLE), and TASK_NOLOAD, TASK_WAKEKILL say nothing here. */
#define PT_TASK_STATE_MASK 0x00ff

#define PT_POLL_NONE 0
#define PT_POLL_EPOLL 1
#define PT_POLL_LIST 2

/*
 * Not inlined: in a loop clang computes both offsets before it, and the one
 * this kernel does not have is an instruction that must not be reached.
 */
static __noinline u32 state_of(struct task_struct *task)
{
	if (bpf_core_field_exists(task->__state))
		return BPF_CORE_READ(task, __state) & PT_TASK_STATE_MASK;
	return BPF_CORE_READ((struct task_struct___old *)task, state) & PT_TASK_STATE_MASK;
}

struct pt_pollfd {
	s32 fd;
	u16 events;
	u16 revents;
};

/* glibc writes 2 into a contended mutex, Rust and Go do too; musl writes the owner and its top bit. */
static __always_inline bool is_contended_lock(u32 value)
{
	u32 owner = value & PT_FUTEX_TID_MASK;

	if (value == 2)
		return true;
	return (value & 0x80000000U) && owner > 0 && value < 0xc0000000U;
}

static __always_inline void capture_futex(struct pt_thread *thread, const struct pt_regs *regs, bool has_user_memory)
{
	u64 address = pt_arch_argument(regs, 0);
	u32 command = (u32)pt_arch_argument(regs, 1) & PT_FUTEX_COMMAND;
	u32 value = (u32)pt_arch_argument(regs, 2);
	bool is_pi = command == PT_FUTEX_LOCK_PI || command == PT_FUTEX_LOCK_PI2;
	bool is_wait = command == PT_FUTEX_WAIT || command == PT_FUTEX_WAIT_BITSET;
	u32 word = 0;

	thread->futex_owner = 0;
	if (!is_pi && !(is_wait && is_contended_lock(value))) {
		thread->wait_class = PT_WAIT_PARKED;
		return;
	}
	thread->wait_class = PT_WAIT_LOCK;
	thread->object.kind = PT_OBJECT_LOCK;
	thread->object.low = address;
	if (is_wait && value != 2) {
		thread->futex_owner = value & PT_FUTEX_TID_MASK;
		return;
	}
	if (!has_user_memory)
		return;
	/* glibc: struct __pthread_mutex_s { int lock; unsigned count; int owner; ... } */
	if (!bpf_probe_read_user(&word, sizeof(word), (void *)(is_pi ? address : address + 8)))
		thread->futex_owner = word & PT_FUTEX_TID_MASK;
}

static __always_inline void capture_poll(struct pt_thread *thread, const struct pt_regs *regs, bool has_user_memory,
					 bool timeout_is_pointer)
{
	const struct pt_pollfd *list = (void *)pt_arch_argument(regs, 0);
	u64 count = pt_arch_argument(regs, 1), timeout = pt_arch_argument(regs, 2);
	int i;

	thread->poll_kind = PT_POLL_LIST;
	thread->poll_timed = timeout_is_pointer ? timeout != 0 : (s32)timeout >= 0;
	thread->poll_fd_count = 0;
	if (!has_user_memory || count > PT_POLL_FDS)
		return;
	for (i = 0; i < PT_POLL_FDS; i++) {
		struct pt_pollfd one = {};

		if ((u64)i >= count || bpf_probe_read_user(&one, sizeof(one), list + i))
			break;
		thread->poll_fds[i] = one.fd;
		thread->poll_fd_count = i + 1;
	}
}

/* Without a branch: a loop over 64 bits is 64 times the verifier's work. */
static __always_inline u32 bit_count(u64 bits)
{
	bits -= (bits >> 1) & 0x5555555555555555ULL;
	bits = (bits & 0x3333333333333333ULL) + ((bits >> 2) & 0x3333333333333333ULL);
	bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
	return (bits * 0x0101010101010101ULL) >> 56;
}

static __always_inline void capture_select(struct pt_thread *thread, const struct pt_regs *regs, bool has_user_memory)
{
	u64 count = pt_arch_argument(regs, 0), bits = 0;
	const void *read_set = (void *)pt_arch_argument(regs, 1);
	u32 found = 0;
	int i;

	thread->poll_kind = PT_POLL_LIST;
	thread->poll_timed = 1;
	thread->poll_fd_count = 0;
	if (!has_user_memory || count > 64 || !read_set || bpf_probe_read_user(&bits, sizeof(bits), read_set))
		return;
	if (count < 64)
		bits &= (1ULL << count) - 1;
	for (i = 0; i < PT_POLL_FDS; i++) {
		if (!bits)
			break;
		thread->poll_fds[i] = bit_count((bits & -bits) - 1);
		bits &= bits - 1;
		found++;
	}
	thread->poll_fd_count = bits ? 0 : found; /* more than can be followed: none is */
}

/* The class of a wait on `object` in a call that reads from it, or writes to it. */
static __always_inline u16 class_of_object(u32 object_kind, u32 call)
{
	bool writes = call == PT_CALL_WRITE || call == PT_CALL_SYNC;

	switch (object_kind) {
	case PT_OBJECT_TCP_PEER:
	case PT_OBJECT_UDP_PEER:
	case PT_OBJECT_UNIX_PEER:
		return PT_WAIT_NETWORK;
	case PT_OBJECT_TCP_SERVER:
	case PT_OBJECT_UDP_SERVER:
	case PT_OBJECT_UNIX_SERVER:
		/* Waiting for a client to ask is idle; a client that does not read what it asked for is not. */
	case PT_OBJECT_UNIX_PAIR:
	case PT_OBJECT_UDP_QUIET:
		return writes ? PT_WAIT_NETWORK : PT_WAIT_IDLE;
	case PT_OBJECT_FILE:
		return writes ? PT_WAIT_DISK_WRITE : PT_WAIT_DISK_READ;
	case PT_OBJECT_PIPE:
		return PT_WAIT_PIPE;
	case PT_OBJECT_TIMER:
		return PT_WAIT_SLEEP;
	case PT_OBJECT_EVENTFD:
		return PT_WAIT_PARKED;
	case PT_OBJECT_TERMINAL:
	case PT_OBJECT_ANONYMOUS:
		return PT_WAIT_IDLE;
	default:
		return PT_WAIT_OTHER;
	}
}

/* An interrupted wait goes on as restart_syscall: it is still the wait before what interrupted it. */
static __always_inline void resume_wait(struct pt_thread *thread)
{
	int i;

	thread->wait_class = PT_WAIT_OTHER;
	for (i = 1; i <= PT_RECENT_WAITS; i++) {
		const struct pt_recent_wait *last = &thread->recent[(thread->recent_next - i) & (PT_RECENT_WAITS - 1)];

		if (!last->end_ns || last->wait_class == PT_WAIT_STOPPED || last->wait_class == PT_WAIT_FAULT)
			continue;
		thread->wait_class = last->wait_class;
		thread->system_call = last->system_call;
		thread->object = last->object;
		return;
	}
}

static __always_inline void capture_system_call(struct pt_thread *thread, struct task_struct *task,
						const struct pt_regs *regs, u32 number, bool has_user_memory)
{
	u32 call = number < PT_ARCH_SYSTEM_CALL_COUNT ? pt_calls[number] : PT_CALL_OTHER;

	thread->system_call = number;
	__builtin_memset(&thread->object, 0, sizeof(thread->object));
	thread->poll_kind = PT_POLL_NONE;
	switch (call) {
	case PT_CALL_RESTART:
		resume_wait(thread);
		break;
	case PT_CALL_READ:
	case PT_CALL_WRITE:
	case PT_CALL_SYNC:
	case PT_CALL_ACCEPT:
	case PT_CALL_CONNECT:
		describe_file(&thread->object, file_of(task, (s32)pt_arch_argument(regs, 0)));
		thread->wait_class = class_of_object(thread->object.kind, call);
		if (call == PT_CALL_SYNC)
			thread->wait_class = PT_WAIT_DISK_WRITE;
		break;
	case PT_CALL_SYNC_ALL:
	case PT_CALL_PATH_WRITE:
		thread->wait_class = PT_WAIT_DISK_WRITE;
		break;
	case PT_CALL_PATH_READ:
		thread->wait_class = PT_WAIT_DISK_READ;
		break;
	case PT_CALL_FILE_LOCK:
		describe_file(&thread->object, file_of(task, (s32)pt_arch_argument(regs, 0)));
		thread->wait_class = PT_WAIT_LOCK;
		thread->futex_owner = 0;
		break;
	case PT_CALL_FUTEX:
		capture_futex(thread, regs, has_user_memory);
		break;
	case PT_CALL_EPOLL:
		thread->wait_class = PT_WAIT_IDLE;
		thread->poll_kind = PT_POLL_EPOLL;
		thread->poll_fd = (s32)pt_arch_argument(regs, 0);
		thread->poll_timed = (s32)pt_arch_argument(regs, 3) >= 0;
		break;
	case PT_CALL_POLL:
		thread->wait_class = PT_WAIT_IDLE;
#if defined(__TARGET_ARCH_x86)
		capture_poll(thread, regs, has_user_memory, number != __NR_poll);
#else
		capture_poll(thread, regs, has_user_memory, true);
#endif
		break;
	case PT_CALL_SELECT:
		thread->wait_class = PT_WAIT_IDLE;
		capture_select(thread, regs, has_user_memory);
		break;
	case PT_CALL_SLEEP:
		thread->wait_class = PT_WAIT_SLEEP;
		thread->object.kind = PT_OBJECT_TIMER;
		break;
	case PT_CALL_SIGNAL:
		thread->wait_class = PT_WAIT_IDLE;
		thread->object.kind = PT_OBJECT_SIGNAL;
		break;
	case PT_CALL_CHILD:
		thread->wait_class = PT_WAIT_CHILD;
		thread->object.kind = PT_OBJECT_CHILD;
		/* wait4(pid), waitid(P_PID = 1, pid) */
		if (number == __NR_wait4 && (s32)pt_arch_argument(regs, 0) > 0)
			thread->object.low = (u32)pt_arch_argument(regs, 0);
		if (number == __NR_waitid && (u32)pt_arch_argument(regs, 0) == 1)
			thread->object.low = (u32)pt_arch_argument(regs, 1);
		break;
	case PT_CALL_SPAWN:
		thread->wait_class = PT_WAIT_CHILD;
		thread->object.kind = PT_OBJECT_CHILD;
		break;
	default:
		thread->wait_class = PT_WAIT_OTHER;
	}
}

/* Page faults that are over; the one going on is counted when it ends. */
static __always_inline u64 finished_faults(struct task_struct *task)
{
	return BPF_CORE_READ(task, min_flt) + BPF_CORE_READ(task, maj_flt);
}

/* The file a fault reads from, noted on the way in; memory that comes from swap has none. */
static __always_inline void capture_fault(struct pt_thread *thread, struct task_struct *task)
{
	struct inode *inode = (void *)thread->fault_inode;

	if (!inode || thread->fault_number != finished_faults(task))
		return;
	thread->object.kind = PT_OBJECT_FILE;
	thread->object.high = BPF_CORE_READ(inode, i_sb, s_dev);
	thread->object.low = BPF_CORE_READ(inode, i_ino);
}

/*
 * What `task` is blocked on, into `thread`. `has_user_memory`: the task is the
 * current one, so its own memory can be read.
 */
static __noinline int capture_wait(struct pt_thread *thread, struct task_struct *task, u32 state, bool has_user_memory)
{
	const struct pt_regs *regs;
	long number;

	if (!thread || !task)
		return 0;
	if (state & PT_TASK_STOPPED_OR_TRACED) {
		thread->wait_class = PT_WAIT_STOPPED;
		goto without_system_call;
	}
	if (!pt_arch_knows_registers() ||
	    (task->flags & (PT_PF_KTHREAD | PT_PF_IO_WORKER | PT_PF_USER_WORKER))) {
		thread->wait_class = PT_WAIT_OTHER;
		goto without_system_call;
	}
	regs = pt_arch_registers(task);
	number = pt_arch_system_call(task, regs);
	if (number >= 0) {
		capture_system_call(thread, task, regs, (u32)number & 0xffff, has_user_memory);
		/* By its path, and a signal would end it: no disk, but a named pipe that nobody else has open, or a device. */
		if (thread->wait_class == PT_WAIT_DISK_READ && thread->object.kind == PT_OBJECT_NONE &&
		    !(state & PT_TASK_UNINTERRUPTIBLE) && !BPF_CORE_READ_BITFIELD_PROBED(task, in_iowait))
			thread->wait_class = PT_WAIT_OTHER;
		return 0;
	}
	thread->wait_class = PT_WAIT_OTHER;
	if (pt_arch_is_exception(regs) &&
	    ((state & PT_TASK_UNINTERRUPTIBLE) || BPF_CORE_READ_BITFIELD_PROBED(task, in_iowait)))
		thread->wait_class = PT_WAIT_FAULT;
without_system_call:
	thread->system_call = PT_NO_SYSTEM_CALL;
	thread->poll_kind = PT_POLL_NONE;
	__builtin_memset(&thread->object, 0, sizeof(thread->object));
	if (thread->wait_class == PT_WAIT_FAULT)
		capture_fault(thread, task);
	return 0;
}

/* What made an epoll wait end is the first entry of its ready list: the list is empty when the wait begins. */
static __always_inline struct file *first_ready_of_epoll(struct task_struct *task, s32 fd)
{
	struct file *file = file_of(task, fd);
	struct eventpoll *poll;
	struct list_head *head, *first;
	struct epitem *item;

	if (!file)
		return NULL;
	poll = BPF_CORE_READ(file, private_data);
	if (!poll)
		return NULL;
	head = (void *)poll + bpf_core_field_offset(struct eventpoll, rdllist);
	first = BPF_CORE_READ(head, next);
	if (!first || first == head)
		return NULL;
	item = (void *)first - bpf_core_field_offset(struct epitem, rdllink);
	return BPF_CORE_READ(item, ffd.file);
}

static __always_inline struct file *first_ready_of_list(struct pt_thread *thread, struct task_struct *task)
{
	u32 count = thread->poll_fd_count;
	int i;

	/* One descriptor: it is waited for, whether it came or the time ran out. */
	if (count == 1)
		return file_of(task, thread->poll_fds[0]);
	for (i = 0; i < PT_POLL_FDS; i++) {
		struct file *file;

		if ((u32)i >= count)
			break;
		file = file_of(task, thread->poll_fds[i]);
		if (file && is_ready(file))
			return file;
	}
	return NULL;
}

/* Decides a poll wait by what ended it. Yields the file, for its name. */
static __noinline struct file *resolve_poll(struct pt_thread *thread, struct task_struct *task)
{
	struct file *file;
	u16 wait_class;

	if (!thread || !task)
		return NULL;
	__builtin_memset(&thread->object, 0, sizeof(thread->object));
	thread->wait_class = PT_WAIT_IDLE;
	if (thread->poll_kind == PT_POLL_EPOLL)
		file = first_ready_of_epoll(task, thread->poll_fd);
	else
		file = first_ready_of_list(thread, task);
	if (!file) {
		thread->object.kind = thread->poll_timed ? PT_OBJECT_TIMER : PT_OBJECT_SEVERAL;
		return NULL;
	}
	describe_file(&thread->object, file);
	wait_class = class_of_object(thread->object.kind, PT_CALL_READ);
	/* Only a peer that was asked, or the one pipe that was polled, is a cause; the rest is waiting for work. */
	if (wait_class == PT_WAIT_NETWORK ||
	    (wait_class == PT_WAIT_PIPE && thread->poll_kind == PT_POLL_LIST && thread->poll_fd_count == 1))
		thread->wait_class = wait_class;
	return file;
}

static __always_inline void set_header(struct pt_prefix *prefix, u32 kind, u32 size_bytes, u32 slot, u32 tgid)
{
	prefix->header.version = PT_LAYOUT_VERSION;
	prefix->header.size_bytes = size_bytes;
	prefix->header.kind = kind;
	prefix->target_slot = slot;
	prefix->tgid = tgid;
}

/*
 * Nobody is woken per record: the reader comes every 10 ms. Past half of a ring
 * it is woken once; it clears the latch when it has read. (Measured: 1400 to
 * 4400 ns a wakeup, 42 with the latch.)
 */
static __always_inline u64 wakeup_flags(void *ring, u64 ring_bytes)
{
	struct pt_control *words = get_control();

	if (!words || words->wakeup_latch || bpf_ringbuf_query(ring, PT_RB_AVAIL_DATA) < ring_bytes / 2)
		return BPF_RB_NO_WAKEUP;
	words->wakeup_latch = 1;
	return BPF_RB_FORCE_WAKEUP;
}

/* The name of a new row's object. Yields nothing where objects name themselves. */
static __noinline int emit_name(struct pt_thread *thread, struct task_struct *task, struct file *file,
				struct pt_ledger *ledger)
{
	bool is_fault;
	struct pt_name_scratch *scratch;
	u32 zero = 0, used, bytes;

	if (!thread || !task || !ledger)
		return 0;
	is_fault = thread->wait_class == PT_WAIT_FAULT;
	if (!file && !is_fault)
		return 0;
	switch (thread->object.kind) {
	case PT_OBJECT_FILE:
	case PT_OBJECT_UNIX_PEER:
	case PT_OBJECT_UNIX_SERVER:
	case PT_OBJECT_UNIX_PAIR:
	case PT_OBJECT_ANONYMOUS:
		break;
	default:
		return 0;
	}
	scratch = bpf_map_lookup_elem(&name_scratch, &zero);
	if (!scratch)
		return 0;
	ledger->seen++;
	if (is_fault)
		used = read_inode_path((struct inode *)thread->fault_inode, task);
	else
		used = read_name(scratch->text, &thread->object, file, PT_PATH_OF_NAME);
	bytes = used & 0xffff;
	if (bytes == 0) {
		ledger->filtered++; /* an unbound socket has no name */
		return 0;
	}
	if (bytes > PT_TEXT_BYTES)
		bytes = PT_TEXT_BYTES;
	set_header(&scratch->event.prefix, PT_KIND_NAME, sizeof(scratch->event) + bytes, thread->target_slot, thread->tgid);
	scratch->event.object = thread->object;
	scratch->event.text_bytes = bytes;
	scratch->event.truncated = used >> 16;
	if (bpf_ringbuf_output(&data_ring, scratch, sizeof(scratch->event) + bytes,
			       wakeup_flags(&data_ring, PT_DATA_RING_BYTES)))
		ledger->dropped[PT_DROP_RING_FULL]++;
	else
		ledger->delivered++;
	return 0;
}

static __always_inline bool is_idle_class(u32 wait_class)
{
	return wait_class == PT_WAIT_IDLE || wait_class == PT_WAIT_SLEEP || wait_class == PT_WAIT_PARKED ||
	       wait_class == PT_WAIT_STOPPED;
}

static __always_inline void emit_slow_wait(const struct pt_thread *thread, const struct pt_wait_key *key, u64 duration_ns,
					   u64 end_ns, struct pt_books *books, const struct pt_control *control)
{
	struct pt_ledger *ledger = &books->ledger[PT_CATEGORY_SLOW_WAITS];
	struct pt_wait_event *event;

	if (!control->slow_wait_ns)
		return;
	ledger->seen++;
	if (duration_ns < control->slow_wait_ns || is_idle_class(key->wait_class)) {
		ledger->filtered++;
		return;
	}
	event = bpf_ringbuf_reserve(&data_ring, sizeof(*event), 0);
	if (!event) {
		ledger->dropped[PT_DROP_RING_FULL]++;
		return;
	}
	set_header(&event->prefix, PT_KIND_WAIT, sizeof(*event), thread->target_slot, thread->tgid);
	event->end_ns = end_ns;
	event->duration_ns = duration_ns;
	event->key = *key;
	event->waker_tid = thread->waker_tid;
	event->waker_tgid = thread->waker_tgid;
	bpf_ringbuf_submit(event, wakeup_flags(&data_ring, PT_DATA_RING_BYTES));
	ledger->delivered++;
}

static __always_inline bool is_same_object(const struct pt_object *a, const struct pt_object *b)
{
	return a->kind == b->kind && a->port == b->port && a->high == b->high && a->low == b->low;
}

static __always_inline bool is_last_wait(const struct pt_thread *thread)
{
	const struct pt_recent_wait *last = &thread->recent[(thread->recent_next - 1) & (PT_RECENT_WAITS - 1)];

	return last->end_ns && last->wait_class == thread->wait_class && last->system_call == thread->system_call &&
	       is_same_object(&last->object, &thread->object);
}

/*
 * It blocks, in a call or not. The kernel draws where its stack begins anew each
 * time a thread returns to user space: with the same draw as when it blocked
 * last, it is in the same call. A kernel that does not draw for each thread, or
 * has that switched off, says nothing, and every sleep is a wait of its own.
 */
static __always_inline void join_call(struct pt_thread *thread, struct task_struct *task)
{
	u64 mark = bpf_core_field_exists(task->kstack_offset) ? task->kstack_offset : 0;

	if (!mark || mark != thread->call_mark)
		thread->joined_ns = 0;
	thread->call_mark = mark;
}

/* It is known what it is blocked on: something else than before is another wait. */
static __always_inline void part_waits(struct pt_thread *thread)
{
	if (thread->joined_ns && (thread->system_call == PT_NO_SYSTEM_CALL || !is_last_wait(thread)))
		thread->joined_ns = 0;
}

/* Remembers the wait for those who wait for this thread; sleeps on one object in a row become one. */
static __always_inline void remember_wait(struct pt_thread *thread, u64 duration_ns, u64 end_ns)
{
	struct pt_recent_wait *last = &thread->recent[(thread->recent_next - 1) & (PT_RECENT_WAITS - 1)];
	struct pt_recent_wait *next;

	if (is_last_wait(thread)) {
		last->end_ns = end_ns;
		last->blocked_ns += duration_ns;
		return;
	}
	next = &thread->recent[thread->recent_next & (PT_RECENT_WAITS - 1)];
	next->start_ns = end_ns - duration_ns;
	next->end_ns = end_ns;
	next->blocked_ns = duration_ns;
	next->wait_class = thread->wait_class;
	next->system_call = thread->system_call;
	next->object = thread->object;
	thread->recent_next++;
}

static __always_inline void fill_key(struct pt_wait_key *key, const struct pt_thread *thread)
{
	key->tgid = thread->tgid;
	key->tid = thread->tid;
	key->target_slot = thread->target_slot;
	key->wait_class = thread->wait_class;
	key->system_call = thread->system_call;
	key->object = thread->object;
	key->stack_id = thread->stack_id;
	key->padding = 0;
}

/* The row for a key the table has no room for: the class alone. User space made it beforehand. */
static __always_inline struct pt_wait_value *overflow_row(struct pt_wait_key *key)
{
	key->tgid = 0;
	key->tid = 0;
	key->target_slot = 0;
	key->system_call = PT_NO_SYSTEM_CALL;
	__builtin_memset(&key->object, 0, sizeof(key->object));
	key->stack_id = -1;
	return bpf_map_lookup_elem(&waits, key);
}

/* The file a blocked call was given, as long as its descriptor still means the same object. */
static __noinline struct file *file_of_call(struct pt_thread *thread, struct task_struct *task)
{
	struct pt_object now = {};
	struct file *file;

	if (!thread || !task || !pt_arch_knows_registers())
		return NULL;
	file = file_of(task, (s32)pt_arch_argument(pt_arch_registers(task), 0));
	describe_file(&now, file);
	return is_same_object(&now, &thread->object) ? file : NULL;
}

/*
 * Whether the waker means anything. Packets, disks and timers wake from an
 * interrupt, in which the current task only happens to be there; the interrupt
 * itself cannot be told (the per-CPU preemption count has no address for
 * programs on kernels built without CONFIG_KALLSYMS_ALL, measured).
 */
static __always_inline bool is_woken_by_tasks(const struct pt_thread *thread)
{
	switch (thread->wait_class) {
	case PT_WAIT_LOCK:
	case PT_WAIT_PARKED:
	case PT_WAIT_PIPE:
	case PT_WAIT_CHILD:
		return true;
	default:
		break;
	}
	switch (thread->object.kind) {
	case PT_OBJECT_EVENTFD:
	case PT_OBJECT_PIPE:
	case PT_OBJECT_UNIX_PEER:
	case PT_OBJECT_UNIX_SERVER:
	case PT_OBJECT_UNIX_PAIR:
		return true;
	default:
		return false;
	}
}

/* Books a finished wait, as its thread comes back to a CPU. */
static __noinline int finish_wait(struct pt_thread *thread, struct task_struct *task, struct pt_books *books,
				  const struct pt_control *control, u64 end_ns)
{
	struct pt_ledger *ledger;
	struct pt_wait_key key = {};
	struct pt_wait_value *row;
	struct file *file = NULL;
	u64 duration_ns;

	if (!thread || !task || !books || !control)
		return 0;
	ledger = &books->ledger[PT_CATEGORY_WAITS];
	duration_ns = thread->pending_ns;
	thread->pending_ns = 0;
	ledger->seen++;
	if (thread->poll_kind != PT_POLL_NONE)
		file = resolve_poll(thread, task);
	part_waits(thread);
	if (!is_woken_by_tasks(thread))
		thread->waker_tid = 0;
	fill_key(&key, thread);
	row = bpf_map_lookup_elem(&waits, &key);
	if (!row) {
		bpf_map_update_elem(&waits, &key, &zero_wait, BPF_NOEXIST);
		row = bpf_map_lookup_elem(&waits, &key);
		if (row) {
			if (!file && thread->wait_class != PT_WAIT_FAULT)
				file = file_of_call(thread, task);
			emit_name(thread, task, file, &books->ledger[PT_CATEGORY_NAMES]);
		}
	}
	emit_slow_wait(thread, &key, duration_ns, end_ns, books, control);
	if (row) {
		ledger->aggregated++;
	} else {
		row = overflow_row(&key);
		ledger->dropped[row ? PT_DROP_KEY_OVERFLOW : PT_DROP_MAP_FULL]++;
	}
	if (row)
		count_wait(row, thread, duration_ns, end_ns);
	else
		thread->joined_ns = 0;
	remember_wait(thread, duration_ns, end_ns);
	return 0;
}

#endif
