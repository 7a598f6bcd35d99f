/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who is killed for want of memory, and what it held. That it was chosen is told
 * with its end on every kernel; this says when, and what for.
 */

static __always_inline u32 slot_of_victim(struct task_struct *task, const struct pt_control *control)
{
	u64 key = (u64)task;
	struct pt_thread *thread = bpf_map_lookup_elem(&threads, &key);
	u32 slot;

	if (thread)
		return is_slot_active(thread->target_slot) ? thread->target_slot : 0;
	slot = slot_of_process(task->tgid, false);
	return slot ? slot : slot_by_place(task, control);
}

/* Before 6.8 the tracepoint hands over a number: this program is refused there. */
SEC("tp_btf/mark_victim")
int BPF_PROG(mark_victim, struct task_struct *task)
{
	struct pt_control *control = get_control();
	struct pt_books *books = get_books();
	struct pt_oom_kill_event *event;
	struct pt_ledger *ledger;
	u64 mm;
	u32 slot;

	if (!control || !books)
		return 0;
	books->calls[PT_HOOK_OOM_KILL]++;
	if (!control->enabled || control->frozen_at_ns)
		return 0;
	ledger = &books->ledger[PT_CATEGORY_MEMORY];
	count(&ledger->seen);
	slot = slot_of_victim(task, control);
	if (!slot) {
		count(&ledger->filtered);
		return 0;
	}
	event = bpf_ringbuf_reserve(&lifecycle_ring, sizeof(*event), 0);
	if (!event) {
		count(&ledger->dropped[PT_DROP_RING_FULL]);
		return 0;
	}
	set_header(&event->prefix, PT_KIND_OOM_KILL, sizeof(*event), slot, task->tgid);
	event->now_ns = bpf_ktime_get_ns();
	mm = (u64)BPF_CORE_READ(task, mm);
	event->virtual_bytes = BPF_CORE_READ((struct mm_struct *)mm, total_vm) * control->page_bytes;
	event->anonymous_bytes = resident_pages(mm, PT_MM_ANONPAGES) * control->page_bytes;
	event->file_bytes = resident_pages(mm, PT_MM_FILEPAGES) * control->page_bytes;
	event->shared_bytes = resident_pages(mm, PT_MM_SHMEMPAGES) * control->page_bytes;
	__builtin_memset(event->comm, 0, sizeof(event->comm));
	bpf_probe_read_kernel_str(event->comm, sizeof(event->comm), task->comm);
	bpf_ringbuf_submit(event, wakeup_flags(&lifecycle_ring, PT_LIFECYCLE_RING_BYTES));
	count(&ledger->delivered);
	return 0;
}
