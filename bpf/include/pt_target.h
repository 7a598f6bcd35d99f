/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The target test: does this task belong to a target, and to which? Slot 0 is
 * never a target, so 0 is "no".
 */
#ifndef PT_TARGET_H
#define PT_TARGET_H

#define PT_ANCESTORS_MAX 32

/* include/linux/sched.h */
#define PT_PF_IO_WORKER 0x00000010
#define PT_PF_USER_WORKER 0x00004000
#define PT_PF_KTHREAD 0x00200000

/* There is a target, and the window is not closed yet. */
static __always_inline bool is_open(const struct pt_control *control)
{
	return control->enabled && !control->frozen_at_ns;
}

/* A pointer as the number it is: global functions, which the verifier walks once and not on every way there, take no other. */
static __always_inline u64 number_of(const void *pointer)
{
	u64 number = 0;

	bpf_probe_read_kernel(&number, sizeof(number), &pointer);
	return number;
}

static __always_inline bool is_slot_active(u32 slot)
{
	u32 *active = bpf_map_lookup_elem(&target_slots, &slot);

	return active && *active;
}

static __always_inline u64 ancestor_cgroup_id(struct cgroup *cgroup, int level)
{
	struct cgroup___ids *ids = (void *)cgroup;
	u64 id = 0;

	if (bpf_core_field_exists(cgroup->ancestors)) {
		struct cgroup *ancestor = NULL;

		bpf_core_read(&ancestor, sizeof(ancestor), &cgroup->ancestors[level]);
		return ancestor ? BPF_CORE_READ(ancestor, kn, id) : 0;
	}
	bpf_core_read(&id, sizeof(id), &ids->ancestor_ids[level]);
	return id;
}

/*
 * Only the levels at which a target exists are looked up: one, as a rule. Of
 * nested targets the closest one has it.
 */
__noinline u32 slot_of_cgroup(u64 cgroup_address, u32 levels)
{
	struct cgroup *cgroup = (void *)cgroup_address;
	int level, own_level = BPF_CORE_READ(cgroup, level);
	u32 closest = 0;

	/* Upwards with an end: the other way round is ten times the verifier's work. */
	for (level = 0; level < PT_CGROUP_LEVELS_MAX; level++) {
		u64 id;
		u32 *slot;

		if (level > own_level)
			break;
		if (!(levels & (1U << level)))
			continue;
		/*
		 * Otherwise clang computes the offsets of both kinds of kernel before the
		 * loop, and the one this kernel does not have is an instruction that must
		 * not be reached.
		 */
		asm volatile("" : "+r"(cgroup));
		id = ancestor_cgroup_id(cgroup, level);
		slot = bpf_map_lookup_elem(&target_cgroups, &id);
		if (slot && is_slot_active(*slot))
			closest = *slot;
	}
	return closest;
}

static __always_inline struct cgroup *cgroup_of(struct task_struct *task)
{
	return task->cgroups->dfl_cgrp;
}

/*
 * A user thread that is not ours, by its cgroup or because everything is asked
 * for. Process targets are not looked up here: their threads are followed from
 * fork and found by the iterator.
 */
static __always_inline u32 slot_by_place(struct task_struct *task, const struct pt_control *control)
{
	if (!control->cgroup_levels && !control->system_wide_slot)
		return 0;
	if (task->pid == 0 || (task->flags & PT_PF_KTHREAD) || (u32)task->tgid == control->own_tgid)
		return 0;
	if (control->cgroup_levels) {
		u32 slot = slot_of_cgroup(number_of(cgroup_of(task)), control->cgroup_levels);

		if (slot)
			return slot;
	}
	return is_slot_active(control->system_wide_slot) ? control->system_wide_slot : 0;
}

static __always_inline u64 own_cgroup_id(struct task_struct *task)
{
	return task->cgroups->dfl_cgrp->kn->id;
}

/*
 * slot_by_place() has nothing for it: known without a look-up. `threads` has its
 * target's by then or never will, so this is for tasks that have no row.
 */
static __always_inline bool is_elsewhere(struct task_struct *task, const struct pt_control *control)
{
	struct pt_bystander_cgroups *known;
	struct pt_bystander_cgroup *row;
	u32 zero = 0;
	u64 id;

	if (!control->cgroup_levels && !control->system_wide_slot)
		return true;
	if (task->pid == 0 || (task->flags & PT_PF_KTHREAD) || (u32)task->tgid == control->own_tgid)
		return true;
	if (control->system_wide_slot)
		return false;
	known = bpf_map_lookup_elem(&bystander_cgroups, &zero);
	if (!known)
		return false;
	id = own_cgroup_id(task);
	row = &known->rows[id & (PT_BYSTANDER_CGROUPS - 1)];
	return row->id == id && row->generation == control->target_generation;
}

/* Remembers what is_elsewhere() will say. `generation`: read before the look-ups that found no target. */
static __always_inline void note_elsewhere(struct task_struct *task, const struct pt_control *control, u32 generation)
{
	struct pt_bystander_cgroups *known;
	struct pt_bystander_cgroup *row;
	u32 zero = 0;
	u64 id;

	if (!control->cgroup_levels || control->system_wide_slot)
		return;
	known = bpf_map_lookup_elem(&bystander_cgroups, &zero);
	if (!known)
		return;
	id = own_cgroup_id(task);
	row = &known->rows[id & (PT_BYSTANDER_CGROUPS - 1)];
	row->id = id;
	row->generation = generation;
}

/* With `at_exec`, also a process that is to be traced from its exec on. */
static __always_inline u32 slot_of_process(u32 tgid, bool at_exec)
{
	u32 *entry = bpf_map_lookup_elem(&target_processes, &tgid);
	u32 slot;

	if (!entry || (!at_exec && (*entry & PT_PROCESS_FROM_EXEC)))
		return 0;
	slot = *entry & ~PT_PROCESS_FROM_EXEC;
	return is_slot_active(slot) ? slot : 0;
}

/* For the iterator: a target process is itself or an ancestor. Orphans have lost theirs. */
__noinline u32 slot_by_ancestry(u64 task_address)
{
	struct task_struct *process = (void *)task_address;
	int i;

	for (i = 0; i < PT_ANCESTORS_MAX; i++) {
		u32 tgid = BPF_CORE_READ(process, tgid);
		u32 slot = slot_of_process(tgid, false);

		if (slot)
			return slot;
		if (tgid <= 1)
			break;
		process = BPF_CORE_READ(process, real_parent);
		if (!process)
			break;
	}
	return 0;
}

/* The id the task's own pid namespace knows it by: what it writes into its locks. */
static __always_inline u32 namespace_tid_of(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	u32 level = BPF_CORE_READ(pid, level);
	struct upid *numbers = (void *)pid + bpf_core_field_offset(struct pid, numbers);
	int nr = 0;

	if (level > 32)
		return 0;
	bpf_probe_read_kernel(&nr, sizeof(nr),
			      (void *)numbers + level * bpf_core_type_size(struct upid) +
				      bpf_core_field_offset(struct upid, nr));
	return nr;
}

/* Page faults of a thread since it was born. */
__noinline u64 faults_of(u64 task_address, bool is_major)
{
	struct task_struct *task = (void *)task_address;

	return is_major ? BPF_CORE_READ(task, maj_flt) : BPF_CORE_READ(task, min_flt);
}

/* Whether the kernel chose its process to be killed for want of memory (mark_oom_victim() of the kernel). */
__noinline u32 is_oom_victim(u64 task_address)
{
	struct task_struct *task = (void *)task_address;

	return BPF_CORE_READ(task, signal, oom_mm) != NULL;
}

/* For programs that an interrupt, and the scheduler's programs with it, may break into. */
static __always_inline void count(u64 *counter)
{
	__sync_fetch_and_add(counter, 1);
}

/* How often it left a CPU; __schedule() counts before it tells. */
static __always_inline u32 switches_of(struct task_struct *task)
{
	return task->nvcsw + task->nivcsw;
}

/*
 * Takes a thread into the table, or yields nothing when it is full (or when
 * another CPU was faster, which takes it then). The caller sets `state`, last:
 * the scheduler's programs leave a row without one alone.
 */
static __always_inline struct pt_thread *adopt(struct task_struct *task, u32 slot, u64 now, bool by_cgroup)
{
	u64 key = (u64)task;
	struct pt_thread *thread;

	filter_add(&thread_filter, task);
	if (bpf_map_update_elem(&threads, &key, &zero_thread, BPF_NOEXIST)) {
		filter_remove(&thread_filter, task);
		return NULL;
	}
	thread = bpf_map_lookup_elem(&threads, &key);
	if (!thread)
		return NULL;
	thread->tid = task->pid;
	thread->tgid = task->tgid;
	thread->namespace_tid = namespace_tid_of(task);
	thread->target_slot = slot;
	thread->begin_ns = now;
	thread->since_ns = now;
	thread->seed_exec_ns = task->se.sum_exec_runtime;
	thread->seed_delay_ns = task->sched_info.run_delay;
	thread->exec_mark_ns = thread->seed_exec_ns;
	thread->switch_mark = switches_of(task);
	thread->seed_minor_faults = task->min_flt;
	thread->seed_major_faults = task->maj_flt;
	thread->stack_id = -1;
	thread->system_call = PT_NO_SYSTEM_CALL;
	if (by_cgroup)
		thread->cgroup_address = (u64)cgroup_of(task);
	bpf_probe_read_kernel_str(thread->comm, sizeof(thread->comm), task->comm);
	return thread;
}

#endif
