/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes: a target's children are targets from their first instruction, an
 * exec changes a thread's ids. A thread's end is seen by sched_switch.
 */

static __always_inline void count_adoption(struct pt_books *books, bool is_adopted)
{
	struct pt_ledger *ledger = &books->ledger[PT_CATEGORY_SCHEDULING];

	count(&ledger->seen);
	count(is_adopted ? &ledger->aggregated : &ledger->dropped[PT_DROP_MAP_FULL]);
}

/* The id belongs to somebody new. */
static __always_inline void forget_end(u32 tgid)
{
	bpf_map_delete_elem(&ended_processes, &tgid);
}

static __always_inline u32 slot_of_child(struct task_struct *parent, struct task_struct *child,
					 const struct pt_control *control, bool *by_cgroup)
{
	u64 key = (u64)parent;
	struct pt_thread *known = bpf_map_lookup_elem(&threads, &key);
	u32 slot;

	*by_cgroup = false;
	/* A process target is followed wherever its children are put; a cgroup target is a place. */
	if (known && !known->cgroup_address && is_slot_active(known->target_slot))
		return known->target_slot;
	if (!known) {
		slot = slot_of_process(parent->tgid, false);
		if (slot)
			return slot;
	}
	*by_cgroup = true;
	return slot_by_place(child, control);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(sched_process_fork, struct task_struct *parent, struct task_struct *child)
{
	struct pt_control *control = get_control();
	struct pt_books *books = get_books();
	struct pt_ledger *ledger;
	struct pt_fork_event *event;
	struct pt_thread *thread;
	bool by_cgroup;
	u32 slot;
	u64 now;

	if (!control || !books)
		return 0;
	books->calls[PT_HOOK_PROCESS_FORK]++;
	if (!control->enabled || control->frozen_at_ns)
		return 0;
	ledger = &books->ledger[PT_CATEGORY_LIFECYCLE];
	count(&ledger->seen);
	slot = slot_of_child(parent, child, control, &by_cgroup);
	if (!slot) {
		count(&ledger->filtered);
		return 0;
	}
	now = bpf_ktime_get_ns();
	thread = adopt(child, slot, now, by_cgroup);
	if (thread)
		become_runnable(thread, child, now);
	count_adoption(books, thread != NULL);
	if (child->pid == child->tgid)
		forget_end(child->tgid);
	event = bpf_ringbuf_reserve(&lifecycle_ring, sizeof(*event), 0);
	if (!event) {
		count(&ledger->dropped[PT_DROP_RING_FULL]);
		return 0;
	}
	set_header(&event->prefix, PT_KIND_FORK, sizeof(*event), slot, parent->tgid);
	event->now_ns = now;
	event->parent_tid = parent->pid;
	event->child_tid = child->pid;
	event->child_tgid = child->tgid;
	event->padding = 0;
	__builtin_memset(event->comm, 0, sizeof(event->comm));
	bpf_probe_read_kernel_str(event->comm, sizeof(event->comm), child->comm);
	bpf_ringbuf_submit(event, wakeup_flags(&lifecycle_ring, PT_LIFECYCLE_RING_BYTES));
	count(&ledger->delivered);
	return 0;
}

/* A command of ours begins with its exec: what the shell before it waited for is not its time. */
static __always_inline struct pt_thread *adopt_at_exec(struct task_struct *task, u64 now, struct pt_books *books)
{
	u32 slot = slot_of_process(task->tgid, true);
	struct pt_thread *thread;

	if (!slot)
		return NULL;
	thread = adopt(task, slot, now, false);
	if (thread)
		thread->state = PT_STATE_RUNNING;
	count_adoption(books, thread != NULL);
	return thread;
}

static __always_inline u32 clamp_length(long length, u32 most)
{
	return length < 0 ? 0 : length > most ? most : length;
}

/*
 * The arguments, as the new image has them on its stack: written a moment ago,
 * so they are in memory. `text` has room for PT_EXEC_ARGUMENT_BYTES.
 */
static __noinline u32 read_arguments(char *text, struct task_struct *task)
{
	u64 begin, bytes;

	if (!text || !task)
		return 0;
	begin = BPF_CORE_READ(task, mm, arg_start);
	bytes = BPF_CORE_READ(task, mm, arg_end) - begin;
	if (bytes > PT_EXEC_ARGUMENT_BYTES)
		bytes = PT_EXEC_ARGUMENT_BYTES;
	if (!begin || bpf_probe_read_user(text, bytes, (void *)begin))
		return 0;
	return bytes;
}

static __always_inline bool has_more_arguments(struct task_struct *task, u32 bytes)
{
	return BPF_CORE_READ(task, mm, arg_end) - BPF_CORE_READ(task, mm, arg_start) > bytes;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(sched_process_exec, struct task_struct *task, int old_pid, struct linux_binprm *program)
{
	struct pt_control *control = get_control();
	struct pt_books *books = get_books();
	struct pt_exec_scratch *scratch;
	struct pt_ledger *ledger;
	struct pt_thread *thread;
	u64 key = (u64)task, now;
	u32 zero = 0, bytes, argument_bytes;

	if (!control || !books)
		return 0;
	books->calls[PT_HOOK_PROCESS_EXEC]++;
	if (!control->enabled || control->frozen_at_ns)
		return 0;
	ledger = &books->ledger[PT_CATEGORY_LIFECYCLE];
	count(&ledger->seen);
	now = bpf_ktime_get_ns();
	thread = bpf_map_lookup_elem(&threads, &key);
	if (!thread)
		thread = adopt_at_exec(task, now, books);
	scratch = bpf_map_lookup_elem(&exec_scratch, &zero);
	if (!thread || !scratch || !is_slot_active(thread->target_slot)) {
		count(&ledger->filtered);
		return 0;
	}
	thread->tid = task->pid;
	thread->tgid = task->tgid;
	thread->namespace_tid = namespace_tid_of(task);
	bpf_probe_read_kernel_str(thread->comm, sizeof(thread->comm), task->comm);
	bytes = clamp_length(bpf_probe_read_kernel_str(scratch->text, PT_TEXT_BYTES, program->filename), PT_TEXT_BYTES);
	argument_bytes = read_arguments(scratch->text + bytes, task);
	if (argument_bytes > PT_EXEC_ARGUMENT_BYTES)
		argument_bytes = PT_EXEC_ARGUMENT_BYTES;
	set_header(&scratch->event.prefix, PT_KIND_EXEC, sizeof(scratch->event) + bytes + argument_bytes,
		   thread->target_slot, task->tgid);
	scratch->event.argument_bytes = argument_bytes;
	scratch->event.arguments_cut = has_more_arguments(task, argument_bytes);
	scratch->event.now_ns = now;
	scratch->event.old_tid = old_pid;
	scratch->event.text_bytes = bytes;
	__builtin_memcpy(scratch->event.comm, thread->comm, PT_COMM_BYTES);
	if (bpf_ringbuf_output(&lifecycle_ring, scratch, sizeof(scratch->event) + bytes + argument_bytes,
			       wakeup_flags(&lifecycle_ring, PT_LIFECYCLE_RING_BYTES)))
		count(&ledger->dropped[PT_DROP_RING_FULL]);
	else
		count(&ledger->delivered);
	return 0;
}
