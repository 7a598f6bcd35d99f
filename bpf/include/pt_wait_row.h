/* SPDX-License-Identifier: GPL-2.0 */
/* How a wait is counted in its row: by number, time, longest, duration and who ended it. */
#ifndef PT_WAIT_ROW_H
#define PT_WAIT_ROW_H

static __always_inline u32 log2_bucket(u64 duration_ns)
{
	u64 value = duration_ns / 1000;
	u32 bucket = 0;

	if (value >= 1ULL << 31)
		return PT_HISTOGRAM_BUCKETS - 1;
	if (value >= 1 << 16) {
		value >>= 16;
		bucket += 16;
	}
	if (value >= 1 << 8) {
		value >>= 8;
		bucket += 8;
	}
	if (value >= 1 << 4) {
		value >>= 4;
		bucket += 4;
	}
	if (value >= 1 << 2) {
		value >>= 2;
		bucket += 2;
	}
	if (value >= 2)
		bucket += 1;
	return bucket;
}

static __always_inline void vote_waker(struct pt_wait_value *row, const struct pt_thread *thread, u64 duration_ns)
{
	if (row->waker_tid == thread->waker_tid) {
		row->waker_score_ns += duration_ns;
		return;
	}
	if (row->waker_score_ns >= duration_ns) {
		row->waker_score_ns -= duration_ns;
		return;
	}
	row->waker_score_ns = duration_ns - row->waker_score_ns;
	row->waker_tid = thread->waker_tid;
	row->waker_tgid = thread->waker_tgid;
	__builtin_memcpy(row->waker_comm, thread->waker_comm, PT_COMM_BYTES);
}

static __always_inline u32 *bucket_of(struct pt_wait_value *row, u64 duration_ns)
{
	return &row->buckets[log2_bucket(duration_ns) & (PT_HISTOGRAM_BUCKETS - 1)];
}

/* A sleep that goes on with a wait makes it longer, unless the row it was counted in is gone. */
static __always_inline void count_wait(struct pt_wait_value *row, struct pt_thread *thread, u64 duration_ns, u64 end_ns)
{
	u32 *counted = bucket_of(row, thread->joined_ns);

	if (thread->joined_ns && *counted) {
		(*counted)--;
	} else {
		thread->joined_ns = 0;
		row->count++;
	}
	thread->joined_ns += duration_ns;
	row->sleeps++;
	row->total_ns += duration_ns;
	if (thread->joined_ns >= row->max_ns) {
		row->max_ns = thread->joined_ns;
		row->max_end_ns = end_ns;
	}
	(*bucket_of(row, thread->joined_ns))++;
	vote_waker(row, thread, duration_ns);
}

#endif
