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
	slot = slot_by_ancestry(number_of(task));
	if (slot)
		return slot;
	*by_cgroup = true;
	return slot_by_place(task, control);
}

#define PT_SEED_TRIES 3

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
		if (state == PT_STATE_BLOCKED) {
			join_call(thread, task);
			capture_wait(thread, task, state_of(task), false);
		}
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
		used = read_name((char *)record->text, &record->object, file, PT_PATH_OF_TASK);
	record->text_bytes = used & 0xffff;
}

/* Words of the bitmap of open descriptors that are counted: 65 536 descriptors. */
#define PT_FD_WORDS_MAX 1024

/* include/uapi/asm-generic/resource.h */
#define PT_RLIMIT_NOFILE 7

/* Words that are copied at a time. */
#define PT_FD_WORDS 8

/*
 * Descriptors of a process; PT_UNKNOWN_COUNT when there may be more than are
 * counted here.
 */
__noinline u32 count_fds(u64 task_address)
{
	struct task_struct *task = (void *)task_address;
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	u32 found = 0, words, i, j;
	unsigned long *open_fds;

	if (!table)
		return PT_UNKNOWN_COUNT;
	words = BPF_CORE_READ(table, max_fds) / 64;
	open_fds = BPF_CORE_READ(table, open_fds);
	if (words > PT_FD_WORDS_MAX)
		return PT_UNKNOWN_COUNT;
	/* Or clang drops the bound that `words` implies, and before Linux 6.3 the verifier forgets it in a spilled half. */
	asm volatile("" : "+r"(words));
	for (i = 0; i < PT_FD_WORDS_MAX / PT_FD_WORDS; i++) {
		u64 bits[PT_FD_WORDS];

		if ((i + 1) * PT_FD_WORDS > words)
			break;
		if (bpf_probe_read_kernel(bits, sizeof(bits), open_fds))
			return PT_UNKNOWN_COUNT;
		open_fds += PT_FD_WORDS;
		for (j = 0; j < PT_FD_WORDS; j++)
			found += bit_count(bits[j]);
	}
	words &= PT_FD_WORDS - 1;
	asm volatile("" : "+r"(words));
	for (i = 0; i < PT_FD_WORDS; i++) {
		u64 bits = 0;

		if (i >= words)
			break;
		if (bpf_probe_read_kernel(&bits, sizeof(bits), open_fds + i))
			return PT_UNKNOWN_COUNT;
		found += bit_count(bits);
	}
	return found;
}

/* The members of rss_stat, include/linux/mm_types_task.h. */
#define PT_MM_FILEPAGES 0
#define PT_MM_ANONPAGES 1
#define PT_MM_SHMEMPAGES 3

/* Sums of CPUs that were not added up yet are missing: up to some dozens of pages for each of them. */
__noinline u64 resident_pages(u64 mm_address, u32 member)
{
	struct mm_struct___old *old = (void *)mm_address;
	struct mm_struct *mm = (void *)mm_address;
	s64 pages = 0;

	if (bpf_core_field_exists(old->rss_stat.count)) {
		if (member == PT_MM_FILEPAGES)
			pages = BPF_CORE_READ(old, rss_stat.count[PT_MM_FILEPAGES].counter);
		else if (member == PT_MM_ANONPAGES)
			pages = BPF_CORE_READ(old, rss_stat.count[PT_MM_ANONPAGES].counter);
		else
			pages = BPF_CORE_READ(old, rss_stat.count[PT_MM_SHMEMPAGES].counter);
	} else {
		if (member == PT_MM_FILEPAGES)
			pages = BPF_CORE_READ(mm, rss_stat[PT_MM_FILEPAGES].count);
		else if (member == PT_MM_ANONPAGES)
			pages = BPF_CORE_READ(mm, rss_stat[PT_MM_ANONPAGES].count);
		else
			pages = BPF_CORE_READ(mm, rss_stat[PT_MM_SHMEMPAGES].count);
	}
	return pages > 0 ? pages : 0;
}

__noinline u64 resident_bytes(u64 task_address, u32 page_bytes)
{
	struct task_struct *task = (void *)task_address;
	u64 mm = (u64)BPF_CORE_READ(task, mm);

	if (!mm)
		return 0;
	return page_bytes * (resident_pages(mm, PT_MM_FILEPAGES) + resident_pages(mm, PT_MM_ANONPAGES) +
			     resident_pages(mm, PT_MM_SHMEMPAGES));
}

/* What a process has, told with its main thread. */
static __always_inline void describe_process(struct pt_task_record *record, struct task_struct *task, u32 slot,
					     u32 page_bytes)
{
	u64 number;

	record->fd_limit = 0;
	record->fd_count = PT_UNKNOWN_COUNT;
	record->resident_bytes = 0;
	record->thread_count = 0;
	if (!slot || task->pid != task->tgid)
		return;
	record->thread_count = BPF_CORE_READ(task, signal, nr_threads);
	record->fd_limit = BPF_CORE_READ(task, signal, rlim[PT_RLIMIT_NOFILE].rlim_cur);
	number = number_of(task);
	record->fd_count = count_fds(number);
	record->resident_bytes = resident_bytes(number, page_bytes);
}

static __always_inline void fill_record(struct pt_task_record *record, struct task_struct *task, u32 slot, u32 state,
					u64 now)
{
	set_header(&record->prefix, PT_KIND_TASK, sizeof(*record), slot, task->tgid);
	record->now_ns = now;
	record->task_address = (u64)task;
	record->cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	record->exec_ns = task->se.sum_exec_runtime;
	record->switches = switches_of(task);
	record->delay_ns = task->sched_info.run_delay;
	record->exec_start_ns = task->se.exec_start;
	record->born_ns = task->start_boottime;
	record->minor_faults = task->min_flt;
	record->major_faults = task->maj_flt;
	record->tid = task->pid;
	record->namespace_tid = namespace_tid_of(task);
	record->parent_tgid = BPF_CORE_READ(task, real_parent, tgid);
	record->state = state;
	record->is_current = (u64)task == bpf_get_current_task();
	record->wait_class = PT_WAIT_NONE;
	record->system_call = PT_NO_SYSTEM_CALL;
	record->text_bytes = 0;
	record->padding = 0;
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
	u32 slot = slot_by_ancestry(number_of(task));

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
	bool by_cgroup, is_new;
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
	is_new = slot && !thread && control->iterator_mode == PT_ITERATE_SEED;
	if (is_new && (state_of(task) & PT_TASK_DEAD))
		return 0;
	fill_record(&scratch->record, task, slot, state, now);
	describe_process(&scratch->record, task, slot, control->page_bytes);
	if (slot && state == PT_STATE_BLOCKED) {
		asked->wait_class = PT_WAIT_NONE;
		capture_wait(asked, task, state_of(task), false);
		describe_task(&scratch->record, task, asked);
	}
	bpf_seq_write(ctx->meta->seq, &scratch->record, sizeof(scratch->record));
	if (!is_new)
		return 0;
	/* Last: whatever follows would have to be verified for every way out of here. */
	thread = adopt(task, slot, bpf_ktime_get_ns(), by_cgroup);
	if (thread)
		seed(thread, task);
	/* Another CPU may have taken it in meanwhile. */
	count_adoption(books, bpf_map_lookup_elem(&threads, &key) != NULL);
	return 0;
}
