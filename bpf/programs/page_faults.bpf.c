/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which file a page fault reads from. By the time its thread blocks, nothing
 * that a program can reach says so any more; here it is noted on the way in.
 * Nothing is recorded: what comes of it is the object of a wait.
 */

static __always_inline int note_fault(struct address_space *mapping)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct pt_control *control = get_control();
	struct pt_books *books = get_books();
	struct pt_thread *thread;
	u64 key = (u64)task;

	if (!control || !books)
		return 0;
	if (is_open(control) && !may_hold(&thread_filter, task)) {
		books->bystanders[PT_HOOK_PAGE_FAULT]++;
		return 0;
	}
	books->calls[PT_HOOK_PAGE_FAULT]++;
	if (!is_open(control))
		return 0;
	thread = bpf_map_lookup_elem(&threads, &key);
	if (!thread)
		return 0;
	thread->fault_inode = (u64)BPF_CORE_READ(mapping, host);
	thread->fault_number = finished_faults(task);
	return 0;
}

SEC("tp_btf/mm_filemap_fault")
int BPF_PROG(mm_filemap_fault, struct address_space *mapping)
{
	return note_fault(mapping);
}

/* The helper for registers wants a pointer the verifier trusts; without it (before 5.15) an address will do. */
static __always_inline struct task_struct *current_task(void)
{
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs))
		return (struct task_struct *)bpf_get_current_task_btf();
	return (struct task_struct *)bpf_get_current_task();
}

/* Until 5.16 the tracepoint hands over a page. */
static __always_inline struct address_space *mapping_of(struct folio *folio)
{
	if (bpf_core_type_exists(struct folio))
		return BPF_CORE_READ(folio, mapping);
	return BPF_CORE_READ((struct page *)folio, mapping);
}

/* Before 6.12. Also called for what a system call reads in, which is no fault. */
SEC("tp_btf/mm_filemap_add_to_page_cache")
int BPF_PROG(mm_filemap_add_to_page_cache, struct folio *folio)
{
	struct task_struct *task = current_task();

	if (!pt_arch_knows_registers() || !pt_arch_is_exception(pt_arch_registers(task)))
		return 0;
	return note_fault(mapping_of(folio));
}
