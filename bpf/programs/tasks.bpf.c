/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every thread at one instant. Seeds the threads that were there before us, and
 * answers what each of them is doing now.
 */

static __always_inline u32 thread_state(struct task_struct *task)
{
	if (BPF_CORE_READ(task, on_cpu))
		return PT_STATE_RUNNING;
	return state_of(task) == 0 ? PT_STATE_RUNNABLE : PT_STATE_BLOCKED;
}

static __always_inline u32 slot_of_task(struct task_struct *task, const struct pt_control *control, bool *by_cgroup)
{
	u32 slot;

	*by_cgroup = false;
	if ((task->flags & PT_PF_KTHREAD) || (u32)task->tgid == control->own_tgid)
		return 0;
	slot = slot_by_ancestry(task);
	if (slot)
		return slot;
	*by_cgroup = true;
	return slot_by_place(task, control);
}

#define PT_SEED_TRIES 4

/*
 * A thread on another CPU goes on while it is looked at, and the scheduler's
 * programs leave a row alone that has no state yet. Looked at until it holds
 * still, or until they took the row over.
 */
static __always_inline void seed(struct pt_thread *thread, struct task_struct *task)
{
	int i;

	for (i = 0; i < PT_SEED_TRIES; i++) {
		u32 state = thread_state(task);

		thread->state = 0;
		thread->wait_class = PT_WAIT_NONE;
		if (state == PT_STATE_RUNNABLE)
			thread->throttle_mark_ns = throttled_ns_of(task);
		if (state == PT_STATE_BLOCKED)
			capture_wait(thread, task, state_of(task), false);
		thread->state = state;
		if (thread_state(task) == state || thread->state != state || thread->switch_count)
			return;
	}
}

static __always_inline void describe_task(struct pt_task_record *record, struct task_struct *task,
					  struct pt_thread *now_doing)
{
	const struct pt_regs *regs;
	struct file *file;
	u32 used = 0;

	record->wait_class = now_doing->wait_class;
	record->system_call = now_doing->system_call;
	record->object = now_doing->object;
	if (!pt_arch_knows_registers() ||
	    now_doing->system_call == PT_NO_SYSTEM_CALL)
		return;
	regs = pt_arch_registers(task);
	record->arguments[0] = pt_arch_argument(regs, 0);
	record->arguments[1] = pt_arch_argument(regs, 1);
	record->arguments[2] = pt_arch_argument(regs, 2);
	record->arguments[3] = pt_arch_argument(regs, 3);
	file = file_of_call(now_doing, task);
	if (file)
		used = read_name((char *)record->text, &record->object, file);
	record->text_bytes = used & 0xffff;
}

static __always_inline void fill_record(struct pt_task_record *record, struct task_struct *task, u32 slot, u32 state,
					u64 now)
{
	set_header(&record->prefix, PT_KIND_TASK, sizeof(*record), slot, task->tgid);
	record->now_ns = now;
	record->task_address = (u64)task;
	record->cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	record->exec_ns = task->se.sum_exec_runtime;
	record->delay_ns = task->sched_info.run_delay;
	record->exec_start_ns = task->se.exec_start;
	record->born_ns = task->start_boottime;
	record->tid = task->pid;
	record->namespace_tid = namespace_tid_of(task);
	record->parent_tgid = BPF_CORE_READ(task, real_parent, tgid);
	record->state = state;
	record->is_current = (u64)task == bpf_get_current_task();
	record->wait_class = PT_WAIT_NONE;
	record->system_call = PT_NO_SYSTEM_CALL;
	record->text_bytes = 0;
	record->knows_system_calls = pt_arch_knows_registers();
	__builtin_memset(&record->object, 0, sizeof(record->object));
	__builtin_memset(record->arguments, 0, sizeof(record->arguments));
	__builtin_memset(record->comm, 0, sizeof(record->comm));
	bpf_probe_read_kernel_str(record->comm, sizeof(record->comm), task->comm);
}

/* Where a known thread belongs now: a target that came later may lie between it and the one that has it. */
static __always_inline u32 innermost_slot(struct pt_thread *thread, struct task_struct *task,
					  const struct pt_control *control, bool *by_cgroup)
{
	u32 slot = slot_by_ancestry(task);

	*by_cgroup = false;
	if (slot)
		return slot;
	*by_cgroup = thread->cgroup_address != 0;
	return *by_cgroup ? slot_by_place(task, control) : 0;
}

SEC("iter/task")
int task_iterator(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct pt_control *control = get_control();
	struct pt_books *books = get_books();
	struct pt_task_scratch *scratch;
	struct pt_thread *thread, *asked;
	bool by_cgroup;
	u32 zero = 0, slot, state;
	u64 key, now;

	if (!task || !control || !books)
		return 0;
	books->calls[PT_HOOK_TASK_ITERATOR]++;
	scratch = bpf_map_lookup_elem(&task_scratch, &zero);
	asked = bpf_map_lookup_elem(&snapshot_scratch, &zero);
	if (!scratch || !asked)
		return 0;
	key = (u64)task;
	thread = bpf_map_lookup_elem(&threads, &key);
	if (control->iterator_mode == PT_ITERATE_RELEASE) {
		if (thread && !is_slot_active(thread->target_slot))
			release_thread(thread, task, books, bpf_ktime_get_ns());
		return 0;
	}
	if (thread) {
		slot = thread->target_slot;
		by_cgroup = thread->cgroup_address != 0;
		if (control->iterator_mode == PT_ITERATE_SEED) {
			u32 closer = innermost_slot(thread, task, control, &by_cgroup);

			if (closer && closer != slot) {
				release_thread(thread, task, books, bpf_ktime_get_ns());
				slot = closer;
				thread = NULL;
			}
		}
	} else {
		slot = slot_of_task(task, control, &by_cgroup);
	}
	now = bpf_ktime_get_ns();
	/* The reader itself is always reported: its clocks tie the scheduler's time to ours. */
	if (!slot && (u64)task != bpf_get_current_task())
		return 0;
	state = thread_state(task);
	if (slot && !thread && control->iterator_mode == PT_ITERATE_SEED) {
		if (state_of(task) & PT_TASK_DEAD)
			return 0;
		thread = adopt(task, slot, now, by_cgroup);
		if (thread)
			seed(thread, task);
		/* Another CPU may have taken it in meanwhile. */
		count_adoption(books, bpf_map_lookup_elem(&threads, &key) != NULL);
	}
	fill_record(&scratch->record, task, slot, state, now);
	if (slot && state == PT_STATE_BLOCKED) {
		asked->wait_class = PT_WAIT_NONE;
		capture_wait(asked, task, state_of(task), false);
		describe_task(&scratch->record, task, asked);
	}
	bpf_seq_write(ctx->meta->seq, &scratch->record, sizeof(scratch->record));
	return 0;
}
