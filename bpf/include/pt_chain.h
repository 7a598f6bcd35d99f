/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the holder of a lock did while others waited for it: its last few waits,
 * laid over theirs.
 */
#ifndef PT_CHAIN_H
#define PT_CHAIN_H

/* How far one finished wait of the holder overlaps the time it was waited for. */
static __always_inline u64 overlap_ns(const struct pt_recent_wait *wait, u64 from_ns, u64 to_ns)
{
	u64 start = wait->start_ns > from_ns ? wait->start_ns : from_ns;
	u64 end = wait->end_ns < to_ns ? wait->end_ns : to_ns;
	u64 span = wait->end_ns - wait->start_ns;

	if (end <= start || !span)
		return 0;
	if (end - start >= span)
		return wait->blocked_ns;
	/* In microseconds, so that a long span does not overflow. */
	return wait->blocked_ns / 1000 * ((end - start) / 1000) / (span / 1000 + 1) * 1000;
}

static __always_inline bool count_chain(struct pt_chain_key *key, const struct pt_thread *holder, u64 duration_ns)
{
	struct pt_chain_value *row = bpf_map_lookup_elem(&chains, key);

	if (!row) {
		bpf_map_update_elem(&chains, key, &zero_chain, BPF_NOEXIST);
		row = bpf_map_lookup_elem(&chains, key);
		if (!row)
			return false;
		row->holder_tgid = holder->tgid;
	}
	__builtin_memcpy(row->holder_comm, holder->comm, PT_COMM_BYTES);
	__sync_fetch_and_add(&row->count, 1);
	__sync_fetch_and_add(&row->total_ns, duration_ns);
	return true;
}

/*
 * Who unlocks is who held it. A wait that timed out ends in an interrupt, on top
 * of just any thread: where the lock named its owner, only that one, or one that
 * queued for the same lock since, can have been the holder.
 */
static __always_inline bool can_have_held(const struct pt_thread *holder, const struct pt_thread *waiter)
{
	int i;

	if (holder->tgid != waiter->tgid)
		return false;
	if (!waiter->futex_owner || holder->namespace_tid == waiter->futex_owner)
		return true;
	for (i = 0; i < PT_RECENT_WAITS; i++) {
		if (holder->recent[i].end_ns && is_same_object(&holder->recent[i].object, &waiter->object))
			return true;
	}
	return false;
}

/* What did the holder do while `waiter` waited? */
static __noinline int follow_holder(struct pt_thread *waiter, struct pt_books *books, u64 waited_ns, u64 now)
{
	u64 key_of_holder = bpf_get_current_task();
	struct pt_chain_key key = {};
	struct pt_thread *holder;
	struct pt_ledger *ledger;
	u64 left_ns;
	bool is_booked = true;
	int i;

	if (!waiter || !books)
		return 0;
	ledger = &books->ledger[PT_CATEGORY_CHAINS];
	ledger->seen++;
	holder = bpf_map_lookup_elem(&threads, &key_of_holder);
	if (!holder || !can_have_held(holder, waiter)) {
		ledger->filtered++;
		return 0;
	}
	key.tgid = waiter->tgid;
	key.holder_tid = holder->tid;
	key.target_slot = waiter->target_slot;
	key.lock_address = waiter->object.low;
	left_ns = waited_ns;
	for (i = 0; i < PT_RECENT_WAITS; i++) {
		u64 part_ns = overlap_ns(&holder->recent[i], now - waited_ns, now);

		if (part_ns > left_ns)
			part_ns = left_ns;
		/* Shares below a microsecond name nothing. */
		if (part_ns < 1000)
			continue;
		key.wait_class = holder->recent[i].wait_class;
		key.system_call = holder->recent[i].system_call;
		key.object = holder->recent[i].object;
		is_booked &= count_chain(&key, holder, part_ns);
		left_ns -= part_ns;
	}
	key.wait_class = PT_WAIT_NONE;
	key.system_call = PT_NO_SYSTEM_CALL;
	__builtin_memset(&key.object, 0, sizeof(key.object));
	is_booked &= count_chain(&key, holder, left_ns);
	if (is_booked)
		ledger->aggregated++;
	else
		ledger->dropped[PT_DROP_MAP_FULL]++;
	return 0;
}

#endif
