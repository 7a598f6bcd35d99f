/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What target threads compute: where each CPU was, 99 times a second. Runs in
 * the timer's interrupt, on top of whatever was going on, our other programs
 * included; its table and its row in the books are its own.
 */

SEC("perf_event")
int cpu_sample(void *ctx)
{
	struct pt_control *control = get_control();
	struct pt_books *books = get_books();
	u64 task = bpf_get_current_task(), *row, one = 1;
	struct pt_sample_key key = {};
	struct pt_ledger *ledger;
	struct pt_thread *thread;
	long stack_id;

	if (!control || !books)
		return 0;
	books->calls[PT_HOOK_CPU_SAMPLE]++;
	if (!control->enabled || control->frozen_at_ns)
		return 0;
	ledger = &books->ledger[PT_CATEGORY_SAMPLES];
	ledger->seen++;
	thread = bpf_map_lookup_elem(&threads, &task);
	if (!thread || thread->state == 0) {
		ledger->filtered++;
		return 0;
	}
	stack_id = bpf_get_stackid(ctx, &user_stacks, BPF_F_USER_STACK);
	key.tgid = thread->tgid;
	key.tid = thread->tid;
	key.target_slot = thread->target_slot;
	key.stack_id = stack_id < 0 ? -1 : stack_id;
	row = bpf_map_lookup_elem(&cpu_samples, &key);
	if (row) {
		/* Two CPUs never run one thread. */
		*row += 1;
		ledger->aggregated++;
	} else if (bpf_map_update_elem(&cpu_samples, &key, &one, BPF_NOEXIST)) {
		ledger->dropped[PT_DROP_MAP_FULL]++;
	} else {
		ledger->aggregated++;
	}
	return 0;
}
