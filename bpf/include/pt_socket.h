/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One socket of a target: its row, what is counted in it, and where its counts
 * go when it ends. A row's owner is stored when the socket is met in the context
 * of a thread; what happens in interrupts is the owner's.
 */
#ifndef PT_SOCKET_H
#define PT_SOCKET_H

#define PT_IPPROTO_UDP 17
#define PT_IPPROTO_MPTCP 262

/* include/net/tcp_states.h */
#define PT_TCP_ESTABLISHED 1
#define PT_TCP_SYN_SENT 2
#define PT_TCP_SYN_RECV 3
#define PT_TCP_FIN_WAIT1 4
#define PT_TCP_CLOSE 7
#define PT_TCP_LAST_ACK 9

/* include/linux/socket.h */
#define PT_MSG_PEEK 0x2
#define PT_MSG_ERRQUEUE 0x2000

/* include/uapi/asm-generic/errno-base.h, errno.h; ERESTARTSYS and its kin are below 600 */
#define PT_EINTR 4
#define PT_EAGAIN 11
#define PT_EADDRNOTAVAIL 99
#define PT_EINPROGRESS 115
#define PT_ERESTART_FIRST 512

/* Pieces of one request follow each other at once; what comes later may be another request. */
#define PT_PIECE_GAP_NS 1000000
/* Programs write bodies in pieces larger than requests that are sent one on top of the other. */
#define PT_REQUEST_BYTES_MAX 4096
#define PT_OWED_MAX 64
/* What of a row's flags says who asks. */
#define PT_SOCKET_ROLES (PT_SOCKET_SERVER | PT_SOCKET_ROLE_OPEN | PT_SOCKET_SENDS_TO)
/* Whoever asks again after such a silence does not wait for answers to earlier requests. */
#define PT_SILENCE_NS 2000000000ULL

/* One exchange in sixteen. */
#define PT_ROUND_TRIP_MASK 15
#define PT_RTT_SHIFT 3 /* tcp_sock.srtt_us is in eighths */

static __always_inline bool is_tcp(struct sock *sk)
{
	u16 protocol = sk->sk_protocol;

	return protocol == PT_IPPROTO_TCP || protocol == PT_IPPROTO_MPTCP;
}

static __always_inline bool is_followed(struct sock *sk)
{
	u16 family = sk->__sk_common.skc_family;

	if (family == PT_AF_UNIX)
		return true;
	return (family == PT_AF_INET || family == PT_AF_INET6) && (is_tcp(sk) || sk->sk_protocol == PT_IPPROTO_UDP);
}

/* Of the inode that every socket with a descriptor, and every listening one, is allocated with. */
static __always_inline u64 inode_of(struct sock *sk)
{
	struct socket_alloc *allocated = (void *)BPF_CORE_READ(sk, sk_socket);

	return allocated ? BPF_CORE_READ(allocated, vfs_inode.i_ino) : 0;
}

static __always_inline struct file *socket_file(struct sock *sk)
{
	return BPF_CORE_READ(sk, sk_socket, file);
}

/* Sixteen bytes in the order of the wire, IPv4 as ::ffff:a.b.c.d. */
static __always_inline void read_address(u64 *high, u64 *low, u32 address, void *address6, u16 family)
{
	if (family == PT_AF_INET) {
		*high = 0;
		*low = 0xffff0000ULL | ((u64)address << 32);
	} else {
		bpf_probe_read_kernel(high, 8, address6);
		bpf_probe_read_kernel(low, 8, address6 + 8);
	}
}

static __always_inline void read_local(u64 *high, u64 *low, struct sock *sk, u16 family)
{
	read_address(high, low, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr),
		     (void *)sk + bpf_core_field_offset(sk->__sk_common.skc_v6_rcv_saddr), family);
}

static __always_inline void read_remote(u64 *high, u64 *low, struct sock *sk, u16 family)
{
	read_address(high, low, BPF_CORE_READ(sk, __sk_common.skc_daddr),
		     (void *)sk + bpf_core_field_offset(sk->__sk_common.skc_v6_daddr), family);
}

static __always_inline void read_addresses(struct pt_socket *row, struct sock *sk)
{
	u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	if (family == PT_AF_UNIX)
		return;
	read_local(&row->local_high, &row->local_low, sk, family);
	read_remote(&row->remote_high, &row->remote_low, sk, family);
	row->local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
	row->remote_port = __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
}

/* What waits call this socket, too. */
static __noinline int describe_sock(struct pt_object *object, struct sock *sk, u64 inode)
{
	struct pt_copy copy;
	u16 family;

	if (!object || !sk)
		return 0;
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (family == PT_AF_UNIX) {
		describe_unix(object, sk, inode);
		return 0;
	}
	if (bpf_probe_read_kernel(&copy, sizeof(copy), (void *)sk + bpf_core_field_offset(sk->__sk_common)))
		return 0;
	describe_inet(object, &copy, sk);
	return 0;
}

static __always_inline void note_round_trip(struct pt_socket *row, struct sock *sk)
{
	u32 rtt_us;

	if (BPF_CORE_READ(sk, sk_protocol) != PT_IPPROTO_TCP)
		return;
	rtt_us = BPF_CORE_READ((struct tcp_sock *)sk, srtt_us) >> PT_RTT_SHIFT;
	if (!rtt_us)
		return;
	row->counts.rtt_last_us = rtt_us;
	if (!row->counts.rtt_min_us || rtt_us < row->counts.rtt_min_us)
		row->counts.rtt_min_us = rtt_us;
	if (rtt_us > row->counts.rtt_max_us)
		row->counts.rtt_max_us = rtt_us;
}

static __always_inline void note_segments(struct pt_socket *row, struct sock *sk)
{
	if (BPF_CORE_READ(sk, sk_protocol) == PT_IPPROTO_TCP)
		row->counts.segments = BPF_CORE_READ((struct tcp_sock *)sk, data_segs_out) - row->first_segments;
}

static __always_inline void peer_key_of(struct pt_peer_key *key, const struct pt_socket *row)
{
	key->tgid = row->tgid;
	key->target_slot = row->target_slot;
	key->object = row->object;
}

/* A row without room of its own is a hit of its own, beside what is counted in it: `other` takes that, if it is there. */
static __noinline int count_overflow(const void *other)
{
	struct pt_books *books = get_books();
	struct pt_ledger *ledger;

	if (!books)
		return 0;
	ledger = &books->ledger[PT_CATEGORY_CONNECTIONS];
	count(&ledger->seen);
	count(&ledger->dropped[other ? PT_DROP_KEY_OVERFLOW : PT_DROP_MAP_FULL]);
	return 0;
}

static __noinline struct pt_peer *peer_at(const struct pt_peer_key *key)
{
	struct pt_peer_key other = {};
	struct pt_peer *peer;

	if (!key)
		return NULL;
	peer = bpf_map_lookup_elem(&peers, key);
	if (peer)
		return peer;
	bpf_map_update_elem(&peers, key, &zero_peer, BPF_NOEXIST);
	peer = bpf_map_lookup_elem(&peers, key);
	if (peer)
		return peer;
	/* No room: the peer that stands for all others. User space made it beforehand. */
	peer = bpf_map_lookup_elem(&peers, &other);
	count_overflow(peer);
	return peer;
}

static __noinline struct pt_peer *peer_of(const struct pt_socket *row)
{
	struct pt_peer_key key = {};

	if (!row)
		return NULL;
	peer_key_of(&key, row);
	return peer_at(&key);
}

static __always_inline void add_latency(struct pt_latency *latency, u64 duration_ns, u64 end_ns)
{
	__sync_fetch_and_add(&latency->total_ns, duration_ns);
	if (duration_ns >= latency->max_ns) {
		latency->max_ns = duration_ns;
		latency->max_end_ns = end_ns;
	}
	__sync_fetch_and_add(&latency->buckets[log2_bucket(duration_ns) & (PT_HISTOGRAM_BUCKETS - 1)], 1);
}

static __always_inline void add_transfers(struct pt_transfers *total, const struct pt_transfers *part)
{
	__sync_fetch_and_add(&total->operations, part->operations);
	__sync_fetch_and_add(&total->bytes, part->bytes);
	if (part->max_bytes > total->max_bytes)
		total->max_bytes = part->max_bytes;
	__sync_fetch_and_add(&total->would_block, part->would_block);
	__sync_fetch_and_add(&total->failed, part->failed);
}

/* What a socket counted goes to its peer; the row is about to go. */
static __noinline int fold_counts(struct pt_peer *peer, const struct pt_socket *row)
{
	struct pt_socket_counts *total;
	const struct pt_socket_counts *part;
	int i;

	if (!peer || !row)
		return 0;
	total = &peer->counts;
	part = &row->counts;
	add_transfers(&total->sent, &part->sent);
	add_transfers(&total->received, &part->received);
	__sync_fetch_and_add(&total->responses.total_ns, part->responses.total_ns);
	if (part->responses.max_ns > total->responses.max_ns) {
		total->responses.max_ns = part->responses.max_ns;
		total->responses.max_end_ns = part->responses.max_end_ns;
	}
	for (i = 0; i < PT_HISTOGRAM_BUCKETS; i++) {
		if (part->responses.buckets[i])
			__sync_fetch_and_add(&total->responses.buckets[i], part->responses.buckets[i]);
	}
	__sync_fetch_and_add(&total->unmeasured, part->unmeasured);
	__sync_fetch_and_add(&total->retransmits, part->retransmits);
	__sync_fetch_and_add(&total->segments, part->segments);
	__sync_fetch_and_add(&total->resets_received, part->resets_received);
	__sync_fetch_and_add(&total->resets_sent, part->resets_sent);
	if (part->rtt_last_us) {
		total->rtt_last_us = part->rtt_last_us;
		if (!total->rtt_min_us || part->rtt_min_us < total->rtt_min_us)
			total->rtt_min_us = part->rtt_min_us;
		if (part->rtt_max_us > total->rtt_max_us)
			total->rtt_max_us = part->rtt_max_us;
	}
	if (row->flags & PT_SOCKET_WAS_OPEN)
		__sync_fetch_and_add(&peer->closes, 1);
	return 0;
}

static __always_inline void emit_event_of(u32 kind, const struct pt_peer_key *peer, u64 duration_ns, u64 now, u32 operation,
					  u32 error, struct pt_books *books, const struct pt_control *control)
{
	struct pt_ledger *ledger = &books->ledger[PT_CATEGORY_SOCKET_EVENTS];
	struct pt_socket_event *event;
	u64 slow_ns = 0;

	if (!(control->socket_kinds & (1U << kind)))
		return;
	if (kind == PT_KIND_RESPONSE)
		slow_ns = control->slow_response_ns;
	else if (kind == PT_KIND_CONNECT && !error)
		slow_ns = control->slow_connect_ns;
	/* What is quick is no event at all: it would be two atomic counts for every response. */
	if (duration_ns < slow_ns)
		return;
	count(&ledger->seen);
	event = bpf_ringbuf_reserve(&data_ring, sizeof(*event), 0);
	if (!event) {
		count(&ledger->dropped[PT_DROP_RING_FULL]);
		return;
	}
	set_header(&event->prefix, kind, sizeof(*event), peer->target_slot, peer->tgid);
	event->now_ns = now;
	event->duration_ns = duration_ns;
	event->object = peer->object;
	event->operation = operation;
	event->error = error;
	bpf_ringbuf_submit(event, wakeup_flags(&data_ring, PT_DATA_RING_BYTES));
	count(&ledger->delivered);
}

static __always_inline void emit_socket_event(u32 kind, const struct pt_socket *row, u64 duration_ns, u64 now,
					      u32 operation, u32 error, struct pt_books *books,
					      const struct pt_control *control)
{
	struct pt_peer_key peer = {};

	if (!(control->socket_kinds & (1U << kind)))
		return;
	peer_key_of(&peer, row);
	emit_event_of(kind, &peer, duration_ns, now, operation, error, books, control);
}

static __noinline int emit_close(const struct pt_socket *row, u64 now, struct pt_books *books,
				 const struct pt_control *control)
{
	struct pt_ledger *ledger;
	struct pt_close_event *event;
	u32 responses = 0;
	int i;

	if (!row || !books || !control || !(control->socket_kinds & (1U << PT_KIND_CLOSE)))
		return 0;
	ledger = &books->ledger[PT_CATEGORY_SOCKET_EVENTS];
	count(&ledger->seen);
	event = bpf_ringbuf_reserve(&data_ring, sizeof(*event), 0);
	if (!event) {
		count(&ledger->dropped[PT_DROP_RING_FULL]);
		return 0;
	}
	set_header(&event->prefix, PT_KIND_CLOSE, sizeof(*event), row->target_slot, row->tgid);
	event->closed_ns = now;
	event->opened_ns = row->opened_ns;
	event->sent_operations = row->counts.sent.operations;
	event->sent_bytes = row->counts.sent.bytes;
	event->received_operations = row->counts.received.operations;
	event->received_bytes = row->counts.received.bytes;
	event->responses_total_ns = row->counts.responses.total_ns;
	event->responses_max_ns = row->counts.responses.max_ns;
	event->object = row->object;
	event->local_high = row->local_high;
	event->local_low = row->local_low;
	event->remote_high = row->remote_high;
	event->remote_low = row->remote_low;
	event->local_port = row->local_port;
	event->remote_port = row->remote_port;
	for (i = 0; i < PT_HISTOGRAM_BUCKETS; i++)
		responses += row->counts.responses.buckets[i];
	event->responses = responses;
	event->retransmits = row->counts.retransmits;
	event->rtt_last_us = row->counts.rtt_last_us;
	event->rtt_min_us = row->counts.rtt_min_us;
	event->rtt_max_us = row->counts.rtt_max_us;
	event->padding = 0;
	bpf_ringbuf_submit(event, wakeup_flags(&data_ring, PT_DATA_RING_BYTES));
	count(&ledger->delivered);
	return 0;
}

/* An error without a row of its own is in the counts of failures still, and among the others of its operation. */
static __noinline int count_error_at(const struct pt_socket_error_key *key)
{
	struct pt_socket_error_key other = {};
	u64 *number, zero = 0;

	if (!key)
		return 0;
	number = bpf_map_lookup_elem(&socket_errors, key);
	if (!number) {
		bpf_map_update_elem(&socket_errors, key, &zero, BPF_NOEXIST);
		number = bpf_map_lookup_elem(&socket_errors, key);
	}
	if (!number) {
		other.operation = key->operation;
		other.error = PT_ERROR_OTHER;
		number = bpf_map_lookup_elem(&socket_errors, &other);
		count_overflow(number);
	}
	if (number)
		__sync_fetch_and_add(number, 1);
	return 0;
}

static __noinline int count_error(const struct pt_socket *row, u32 operation, u32 error)
{
	struct pt_socket_error_key key = {};

	if (!row)
		return 0;
	peer_key_of(&key.peer, row);
	key.operation = operation;
	key.error = error;
	return count_error_at(&key);
}

/* The path of a bound unix socket, once per socket: rows are made seldom. */
struct pt_socket_name {
	struct pt_name_event event;
	char text[PT_TEXT_BYTES];
};

static __noinline int emit_socket_name(const struct pt_socket *row, struct file *file, struct pt_books *books)
{
	struct pt_ledger *ledger;
	struct pt_socket_name *name;
	u32 used;

	if (!row || !books || !file)
		return 0;
	ledger = &books->ledger[PT_CATEGORY_NAMES];
	count(&ledger->seen);
	name = bpf_ringbuf_reserve(&data_ring, sizeof(*name), 0);
	if (!name) {
		count(&ledger->dropped[PT_DROP_RING_FULL]);
		return 0;
	}
	used = read_unix_path(name->text, file, &row->object) & 0xff;
	if (!used) {
		bpf_ringbuf_discard(name, BPF_RB_NO_WAKEUP);
		count(&ledger->filtered); /* an unbound socket has no name */
		return 0;
	}
	set_header(&name->event.prefix, PT_KIND_NAME, sizeof(*name), row->target_slot, row->tgid);
	name->event.object = row->object;
	name->event.text_bytes = used;
	name->event.truncated = 0;
	bpf_ringbuf_submit(name, wakeup_flags(&data_ring, PT_DATA_RING_BYTES));
	count(&ledger->delivered);
	return 0;
}

/* Takes the row out, its counts go to its peer. */
static __noinline int end_socket(u64 key, struct pt_socket *row)
{
	struct pt_peer *peer;

	if (!row)
		return 0;
	peer = peer_of(row);
	if (peer)
		fold_counts(peer, row);
	if (!bpf_map_delete_elem(&sockets, &key))
		filter_remove(&socket_filter, (void *)key);
	return 0;
}

/* An empty row for the socket; one that an earlier socket left at this address is ended first. */
static __noinline struct pt_socket *make_row(u64 key, u32 tgid, u32 slot)
{
	struct pt_socket *row = bpf_map_lookup_elem(&sockets, &key);

	if (row)
		end_socket(key, row);
	filter_add(&socket_filter, (void *)key);
	if (bpf_map_update_elem(&sockets, &key, &zero_socket, BPF_NOEXIST)) {
		filter_remove(&socket_filter, (void *)key);
		return NULL;
	}
	row = bpf_map_lookup_elem(&sockets, &key);
	if (!row)
		return NULL;
	row->tgid = tgid;
	row->target_slot = slot;
	return row;
}

/* A socket that was there before anybody told of it, met in the context of a target's thread. */
static __noinline struct pt_socket *adopt_socket(struct sock *sk, u64 inode, const struct pt_thread *thread,
						 u64 opened_ns, struct pt_books *books)
{
	u64 key = (u64)sk;
	struct pt_socket *row = bpf_map_lookup_elem(&sockets, &key);
	u16 family;

	if (!sk || !books || !thread)
		return NULL;
	/* The same socket, whose target got another slot: it goes on. */
	if (row && row->inode == inode && !row->closed_ns && !is_slot_active(row->target_slot)) {
		row->flags &= ~PT_SOCKET_WAS_OPEN;
		opened_ns = row->opened_ns;
	}
	row = make_row((u64)sk, thread->tgid, thread->target_slot);
	if (!row)
		return NULL;
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	row->inode = inode;
	row->opened_ns = opened_ns;
	row->flags = PT_SOCKET_OWNER_SEEN | PT_SOCKET_WAS_OPEN;
	describe_sock(&row->object, sk, inode);
	row->flags |= first_role(row, sk);
	read_addresses(row, sk);
	if (BPF_CORE_READ(sk, sk_protocol) == PT_IPPROTO_TCP && family != PT_AF_UNIX)
		row->first_segments = BPF_CORE_READ((struct tcp_sock *)sk, data_segs_out);
	if (family == PT_AF_UNIX)
		emit_socket_name(row, socket_file(sk), books);
	return row;
}

/* What it sends to is a path: told once, before there is a row for it. */
static __noinline int emit_destination_name(const struct pt_socket *row, const struct pt_destination *to)
{
	struct pt_books *books = get_books();
	struct pt_peer_key key = {};
	struct pt_socket_name *name;
	struct pt_ledger *ledger;

	if (!row || !to || !books || !to->path_bytes)
		return 0;
	key.tgid = row->tgid;
	key.target_slot = row->target_slot;
	key.object = to->object;
	if (bpf_map_lookup_elem(&peers, &key))
		return 0;
	ledger = &books->ledger[PT_CATEGORY_NAMES];
	count(&ledger->seen);
	name = bpf_ringbuf_reserve(&data_ring, sizeof(*name), 0);
	if (!name) {
		count(&ledger->dropped[PT_DROP_RING_FULL]);
		return 0;
	}
	__builtin_memcpy(name->text, to->path, sizeof(to->path));
	set_header(&name->event.prefix, PT_KIND_NAME, sizeof(*name), row->target_slot, row->tgid);
	name->event.object = to->object;
	name->event.text_bytes = to->path_bytes;
	name->event.truncated = 0;
	bpf_ringbuf_submit(name, wakeup_flags(&data_ring, PT_DATA_RING_BYTES));
	count(&ledger->delivered);
	return 0;
}

/* It turns to somebody else: what was counted stays with whom it was exchanged with, if that `is_known`. */
static __noinline int turn_to(struct pt_socket *row, const struct pt_destination *to, bool is_known)
{
	struct pt_peer *peer;

	if (!row || !to)
		return 0;
	if (is_known && (row->counts.sent.operations || row->counts.received.operations)) {
		peer = peer_of(row);
		if (peer) {
			row->flags &= ~PT_SOCKET_WAS_OPEN; /* it does not end */
			fold_counts(peer, row);
			row->flags |= PT_SOCKET_WAS_OPEN;
			__builtin_memset(&row->counts, 0, sizeof(row->counts));
		}
		/* Answers of both may be due: whose the next one is cannot be told. */
		if (row->asked_ns)
			row->flags |= PT_SOCKET_TAINTED;
	}
	emit_destination_name(row, to);
	row->object = to->object;
	return 0;
}

/*
 * Of an exchange begun before us nobody knows who asked. Who asks has it that the
 * other side is quick is the one that is right, or errs without harm: neither its
 * waits nor its answers are long then. While the role is open the row keeps how
 * long an answer would have taken, in microseconds, were it ours (`owed`) or the
 * other side's (`first_segments`); TAINTED: the latest was a receive.
 */
static __always_inline u32 weigh_role(struct pt_socket *row, u32 operation)
{
	u32 latest = row->flags & PT_SOCKET_TAINTED ? PT_OPERATION_RECEIVE : PT_OPERATION_SEND, role;
	u64 now = bpf_ktime_get_ns(), gap_us = 1 + (now - row->piece_ns) / 1000;

	if (row->piece_ns && operation != latest && operation == PT_OPERATION_SEND)
		row->owed = gap_us;
	else if (row->piece_ns && operation != latest)
		row->first_segments = gap_us;
	row->piece_ns = now;
	row->flags &= ~PT_SOCKET_TAINTED;
	if (operation == PT_OPERATION_RECEIVE)
		row->flags |= PT_SOCKET_TAINTED;
	if (!row->owed || !row->first_segments)
		return PT_SOCKET_ROLE_OPEN;
	role = row->owed <= row->first_segments ? PT_SOCKET_SERVER : 0;
	/* Whom it asks is known when it sends. */
	if (!role && operation != PT_OPERATION_SEND)
		return PT_SOCKET_ROLE_OPEN;
	row->owed = 0;
	row->first_segments = 0;
	row->piece_ns = 0;
	row->flags &= ~PT_SOCKET_TAINTED;
	return role;
}

/* Who asks, now that there is a transfer; flags. */
static __always_inline u32 role_by_transfer(struct pt_socket *row, u32 operation)
{
	bool was_there = !row->opened_ns;

	if (was_there && row->object.kind == PT_OBJECT_UNIX_PAIR && row->object.low != row->inode)
		return weigh_role(row, operation);
	if (operation == PT_OPERATION_SEND)
		return 0;
	/* Its port is anybody's: that may be the answer to what it asked before. */
	return was_there && row->object.kind == PT_OBJECT_UDP_QUIET ? PT_SOCKET_ROLE_OPEN : PT_SOCKET_SERVER;
}

/* Before a transfer is counted whose socket does not say by itself who asks, or whom. */
static __noinline int settle_role(struct pt_socket *row, u32 operation)
{
	struct pt_destination to = {};
	bool is_open, names;
	u32 role;

	if (!row)
		return 0;
	is_open = row->flags & PT_SOCKET_ROLE_OPEN;
	if (is_open) {
		role = role_by_transfer(row, operation);
		if (role == PT_SOCKET_ROLE_OPEN)
			return 0;
		row->flags = (row->flags & ~PT_SOCKET_ROLE_OPEN) | role;
		if (row->object.kind == PT_OBJECT_UNIX_PAIR) {
			row->object.kind = role ? PT_OBJECT_UNIX_SERVER : PT_OBJECT_UNIX_PEER;
		} else if (role) {
			row->object.kind = PT_OBJECT_UDP_SERVER;
			row->object.port = row->local_port;
		}
	}
	if (operation != PT_OPERATION_SEND || (row->flags & PT_SOCKET_SERVER))
		return 0;
	names = read_destination(&to);
	/* A pair names nobody: only its first send is looked at. */
	if (names && is_open)
		row->flags |= PT_SOCKET_SENDS_TO;
	if (names && !is_same_object(&to.object, &row->object))
		turn_to(row, &to, !is_open);
	return 0;
}

/*
 * A piece of a request: sent by a client, received by a server. Requests that
 * may overlap make an exchange that cannot be measured; a client then owes
 * attention to as many answers before the next one can be.
 */
static __always_inline void note_request(struct pt_socket *row, u64 bytes, u64 now)
{
	if (!row->asked_ns) {
		if (row->owed && now - row->piece_ns > PT_SILENCE_NS)
			row->owed = 0;
		if (row->owed)
			row->flags |= PT_SOCKET_TAINTED;
		else
			row->flags &= ~PT_SOCKET_TAINTED;
		row->asked_ns = now;
	} else if (now - row->piece_ns > PT_PIECE_GAP_NS) {
		row->flags |= PT_SOCKET_TAINTED;
		if (!(row->flags & PT_SOCKET_SERVER) && bytes < PT_REQUEST_BYTES_MAX && row->owed < PT_OWED_MAX)
			row->owed++;
	}
	row->piece_ns = now;
}

/* A piece of an answer; only the first ends the exchange. */
static __always_inline void note_answer(struct pt_socket *row, struct sock *sk, u64 now, struct pt_books *books,
					const struct pt_control *control)
{
	u64 asked_ns = row->asked_ns;

	if (!asked_ns) {
		if (row->owed)
			row->owed--;
		return;
	}
	row->asked_ns = 0;
	/* Copying from the socket costs 20 ns; what it says changes slowly, and is read again when it ends. */
	if (!row->counts.rtt_last_us || !(row->counts.received.operations & PT_ROUND_TRIP_MASK))
		note_round_trip(row, sk);
	if (row->flags & PT_SOCKET_TAINTED) {
		__sync_fetch_and_add(&row->counts.unmeasured, 1);
		return;
	}
	if (now < asked_ns)
		return;
	add_latency(&row->counts.responses, now - asked_ns, now);
	emit_socket_event(PT_KIND_RESPONSE, row, now - asked_ns, now, PT_OPERATION_RECEIVE, 0, books, control);
}

#endif
