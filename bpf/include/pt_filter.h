/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Is this address in the table? Asked at every hook call of every process, and
 * nearly always answered no: by one load, where a look-up takes 44 ns (measured;
 * a call that does nothing takes 80).
 *
 * Each number counts the rows whose address has its hash: before a row is in the
 * table, until after it is out. 0 therefore means that there is none; more, that
 * the table knows. With as many rows as the table holds every other answer is
 * "perhaps", which costs the look-up and nothing else.
 */
#ifndef PT_FILTER_H
#define PT_FILTER_H

#define PT_FILTER_BITS 15
#define PT_FILTER_HASHES (1 << PT_FILTER_BITS)

struct pt_filter {
	u32 rows[PT_FILTER_HASHES];
};

/* Variables, not maps: they are read by their address. */
static struct pt_filter thread_filter; /* of `threads` */
static struct pt_filter socket_filter; /* of `sockets`, with those that user space took out: see `removed_sockets` */

/*
 * The lower half of a kernel address: objects of one kind differ in it. By an
 * instruction of its own, because the verifier counts with no pointer it trusts,
 * but lets the half of one be copied.
 */
static __always_inline u32 address_hash(const void *address)
{
	u32 low;

	asm volatile("%0 = %1" : "=w"(low) : "w"((u32)(u64)address));
	return low * 0x9e3779b1U >> (32 - PT_FILTER_BITS);
}

static __always_inline bool may_hold(const struct pt_filter *filter, const void *address)
{
	return filter->rows[address_hash(address)] != 0;
}

/* Before the row is put into the table. */
static __always_inline void filter_add(struct pt_filter *filter, const void *address)
{
	__sync_fetch_and_add(&filter->rows[address_hash(address)], 1);
}

/* After the row was taken out, or could not be put in. */
static __always_inline void filter_remove(struct pt_filter *filter, const void *address)
{
	__sync_fetch_and_add(&filter->rows[address_hash(address)], -1);
}

/* By hash: rows of `sockets` that user space took out, which counts them when they are gone (address_filter.ts). */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PT_FILTER_HASHES);
	__type(key, u32);
	__type(value, u32);
} removed_sockets SEC(".maps");

/*
 * What was taken out is read before what was put in, so that a row that comes and
 * goes in between does not hide another.
 */
static __noinline bool has_rows(u32 hash)
{
	volatile u32 *removed = bpf_map_lookup_elem(&removed_sockets, &hash);
	u32 removed_count;

	if (!removed)
		return true;
	removed_count = *removed;
	return *(volatile u32 *)&socket_filter.rows[hash & (PT_FILTER_HASHES - 1)] != removed_count;
}

/* Whether the table of sockets may have it. */
static __always_inline bool may_have_row(const void *sk)
{
	return may_hold(&socket_filter, sk) && has_rows(address_hash(sk));
}

#endif
