/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The socket plane. Sends and receives are counted in the socket's own row: one
 * look-up each. Opening, accepting and closing are told by the state of TCP
 * sockets; UDP and unix sockets are met when they are first used.
 */

/* A send or receive of no traced socket: is its thread a target's? `tells_end`: tcp_destroy_sock will. */
static __always_inline struct pt_socket *meet_socket(struct sock *sk, u64 inode, bool tells_end, struct pt_books *books,
						     struct pt_ledger *ledger)
{
	u64 current = bpf_get_current_task(), other = 0;
	struct pt_thread *thread = bpf_map_lookup_elem(&threads, &current);
	struct pt_socket *row;

	/* A closed connection whose row is gone has nothing left to tell. */
	if (!thread || !is_slot_active(thread->target_slot) ||
	    (tells_end && sk->__sk_common.skc_state == PT_TCP_CLOSE)) {
		ledger->filtered++;
		return NULL;
	}
	/* Nobody saw a TCP connection open that is not in the table: it was there before. */
	row = adopt_socket(sk, inode, thread, tells_end ? 0 : bpf_ktime_get_ns(), books);
	if (row)
		return row;
	row = bpf_map_lookup_elem(&sockets, &other);
	ledger->dropped[row ? PT_DROP_KEY_OVERFLOW : PT_DROP_MAP_FULL]++;
	return row;
}

/* The first thread that uses an accepted socket says which process, and which target, has it. */
static __always_inline void confirm_owner(struct pt_socket *row)
{
	u64 current = bpf_get_current_task();
	struct pt_thread *thread = bpf_map_lookup_elem(&threads, &current);

	if (!thread || !is_slot_active(thread->target_slot))
		return;
	row->tgid = thread->tgid;
	row->target_slot = thread->target_slot;
	row->flags |= PT_SOCKET_OWNER_SEEN;
}

static __always_inline bool is_no_failure(u32 error)
{
	return error == PT_EAGAIN || error == PT_EINTR || error == PT_EINPROGRESS || error >= PT_ERESTART_FIRST;
}

/* `transfers`: those of the direction. */
static __always_inline void count_transfer(struct pt_socket *row, struct pt_transfers *transfers, struct sock *sk,
					   u32 operation, int outcome, struct pt_books *books,
					   const struct pt_control *control)
{
	u32 flags = row->flags;
	bool is_server;

	if (outcome < 0 && is_no_failure(-outcome)) {
		__sync_fetch_and_add(&transfers->would_block, 1);
		return;
	}
	if ((flags & (PT_SOCKET_ROLE_OPEN | PT_SOCKET_SENDS_TO)) && (outcome > 0 || operation == PT_OPERATION_SEND)) {
		settle_role(row, operation);
		flags = row->flags;
	}
	is_server = flags & PT_SOCKET_SERVER;
	if (outcome < 0) {
		__sync_fetch_and_add(&transfers->failed, 1);
		count_error(row, operation, -outcome);
		emit_socket_event(PT_KIND_TRANSFER_FAILURE, row, 0, bpf_ktime_get_ns(), operation, -outcome, books, control);
		return;
	}
	__sync_fetch_and_add(&transfers->operations, 1);
	if (outcome == 0)
		return;
	__sync_fetch_and_add(&transfers->bytes, outcome);
	if ((u32)outcome > transfers->max_bytes)
		transfers->max_bytes = outcome;
	if (!row->tgid || (flags & PT_SOCKET_ROLE_OPEN))
		return; /* many sockets together, or who knows who asks */
	if ((operation == PT_OPERATION_SEND) != is_server)
		note_request(row, outcome, bpf_ktime_get_ns());
	else if (row->asked_ns || row->owed)
		note_answer(row, sk, bpf_ktime_get_ns(), books, control);
}

/* A send or receive that may be a target's: by the socket, or by the thread that does it. */
static __noinline int on_transfer(struct sock *sk, int outcome, int flags, u32 operation)
{
	u32 hook = operation == PT_OPERATION_SEND ? PT_HOOK_SOCKET_SEND : PT_HOOK_SOCKET_RECEIVE;
	struct pt_control *control = get_control();
	struct pt_books *books = get_books();
	struct pt_ledger *ledger;
	struct pt_socket *row;
	u64 key = (u64)sk, inode = 0;
	bool tells_end;

	if (!control || !books)
		return 0;
	books->calls[hook]++;
	if (!is_open(control))
		return 0;
	ledger = &books->ledger[PT_CATEGORY_TRANSFERS];
	ledger->seen++;
	if (!sk || (flags & (PT_MSG_PEEK | PT_MSG_ERRQUEUE)) || !is_followed(sk)) {
		ledger->filtered++;
		return 0;
	}
	tells_end = sk->__sk_common.skc_family != PT_AF_UNIX && sk->sk_protocol == PT_IPPROTO_TCP;
	/* Only TCP tells when a socket goes; another one at the same address has another inode. */
	if (!tells_end)
		inode = sk->sk_socket->file->f_inode->i_ino;
	row = bpf_map_lookup_elem(&sockets, &key);
	if (!row || row->inode != inode || !is_slot_active(row->target_slot)) {
		row = meet_socket(sk, inode, tells_end, books, ledger);
		if (!row)
			return 0;
		if (row->tgid)
			ledger->aggregated++;
	} else {
		ledger->aggregated++;
		if (!(row->flags & PT_SOCKET_OWNER_SEEN))
			confirm_owner(row);
	}
	if (operation == PT_OPERATION_SEND)
		count_transfer(row, &row->counts.sent, sk, operation, outcome, books, control);
	else
		count_transfer(row, &row->counts.received, sk, operation, outcome, books, control);
	return 0;
}

/* What bystanders pay for: no target's thread is at it, nor is the socket a target's. */
static __always_inline bool is_transfer_of_others(struct sock *sk, u32 hook)
{
	return !may_have_row(sk) && !may_hold(&thread_filter, (void *)bpf_get_current_task()) &&
	       pass(hook, false);
}

SEC("tp_btf/sock_send_length")
int sock_send_length(u64 *context)
{
	struct sock *sk = (void *)context[0];

	if (is_transfer_of_others(sk, PT_HOOK_SOCKET_SEND))
		return 0;
	return on_transfer(sk, context[1], context[2], PT_OPERATION_SEND);
}

SEC("tp_btf/sock_recv_length")
int sock_recv_length(u64 *context)
{
	struct sock *sk = (void *)context[0];

	if (is_transfer_of_others(sk, PT_HOOK_SOCKET_RECEIVE))
		return 0;
	return on_transfer(sk, context[1], context[2], PT_OPERATION_RECEIVE);
}

/*
 * Which ports are served, by whomever: a wait on an accepted socket is idle, a
 * wait on one we opened is a wait for that peer. Says nothing about whose they are.
 */
static __always_inline bool note_port(struct sock *sk)
{
	struct pt_listener_key key = {};
	u32 is_known = 1;

	key.network_namespace = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	key.port = BPF_CORE_READ(sk, __sk_common.skc_num);
	key.protocol = PT_IPPROTO_TCP;
	return bpf_map_update_elem(&listeners, &key, &is_known, BPF_ANY) == 0;
}

static __always_inline void listen_key_of(struct pt_listen_key *key, struct sock *sk)
{
	key->address = (u64)sk;
	key->inode = inode_of(sk);
}

static __always_inline void read_queue(struct pt_listen_queue *queue, struct sock *sk, u16 family)
{
	queue->backlog_max = BPF_CORE_READ(sk, sk_max_ack_backlog);
	/* unix_stream_connect() queues the new socket's first buffer; TCP counts. */
	queue->queued = family == PT_AF_UNIX ? BPF_CORE_READ(sk, sk_receive_queue.qlen) : BPF_CORE_READ(sk, sk_ack_backlog);
	queue->last_drops = BPF_CORE_READ(sk, sk_drops.counter);
}

/* The owner of a listening socket, and its queue as it stands. Yields whether both are known now. */
static __noinline int note_queue(struct sock *sk, u32 tgid, u32 slot)
{
	struct pt_listen_queue fresh = {}, *queue;
	struct pt_listen_key key = {};
	u16 family;

	if (!sk)
		return 0;
	listen_key_of(&key, sk);
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	queue = bpf_map_lookup_elem(&listen_queues, &key);
	if (!queue) {
		fresh.tgid = tgid;
		fresh.target_slot = slot;
		describe_sock(&fresh.object, sk, key.inode);
		if (family != PT_AF_UNIX)
			read_local(&fresh.local_high, &fresh.local_low, sk, family);
		fresh.first_drops = BPF_CORE_READ(sk, sk_drops.counter);
		if (bpf_map_update_elem(&listen_queues, &key, &fresh, BPF_NOEXIST))
			return 0;
		queue = bpf_map_lookup_elem(&listen_queues, &key);
		if (!queue)
			return 0;
	} else if (queue->target_slot != slot && (queue->tgid == tgid || !is_slot_active(queue->target_slot))) {
		/* Its process belongs to another target now; of sockets that several processes hold the first keeps it. */
		queue->tgid = tgid;
		queue->target_slot = slot;
		queue->first_drops = BPF_CORE_READ(sk, sk_drops.counter);
	}
	queue->is_closed = 0;
	read_queue(queue, sk, family);
	return 1;
}

/* It listens no more, and owns nothing from here on. Yields whether it was known. */
static __always_inline bool close_queue(struct sock *sk)
{
	struct pt_listen_key key = {};
	struct pt_listen_queue *queue;

	listen_key_of(&key, sk);
	queue = bpf_map_lookup_elem(&listen_queues, &key);
	if (!queue)
		return false;
	queue->last_drops = BPF_CORE_READ(sk, sk_drops.counter);
	queue->queued = 0;
	queue->is_closed = 1;
	return true;
}

/* A socket was there at this address whose end nobody told us of. */
static __noinline int end_predecessor(u64 key)
{
	struct pt_socket *row = may_hold(&socket_filter, (void *)key) ? bpf_map_lookup_elem(&sockets, &key) : NULL;

	return row ? end_socket(key, row) : 0;
}

/* Runs in the caller of connect(); the address is set, the local port is not yet. */
static __always_inline void begin_connect(struct sock *sk, u64 now, struct pt_ledger *ledger)
{
	u64 current = bpf_get_current_task();
	struct pt_thread *thread = bpf_map_lookup_elem(&threads, &current);
	struct pt_socket *row;
	u16 family;

	if (!thread || !is_slot_active(thread->target_slot)) {
		end_predecessor((u64)sk);
		count(&ledger->filtered);
		return;
	}
	thread->file_call |= PT_CONNECT_TOLD;
	row = make_row((u64)sk, thread->tgid, thread->target_slot);
	if (!row) {
		count(&ledger->dropped[PT_DROP_MAP_FULL]);
		return;
	}
	row->flags = PT_SOCKET_OWNER_SEEN;
	row->object.kind = PT_OBJECT_TCP_PEER;
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	read_remote(&row->object.high, &row->object.low, sk, family);
	row->object.port = __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
	row->opened_ns = now;
	row->connect_ns = now;
	count(&ledger->aggregated);
}

/* `error`: 0 established. */
static __noinline int end_connect(struct pt_socket *row, u32 error, u64 now, struct pt_books *books,
				  const struct pt_control *control)
{
	struct pt_peer *peer;
	u64 duration_ns;

	if (!row || !books || !control)
		return 0;
	duration_ns = now > row->connect_ns ? now - row->connect_ns : 0;
	row->connect_ns = 0;
	peer = peer_of(row);
	if (peer) {
		__sync_fetch_and_add(&peer->connects, 1);
		if (error)
			__sync_fetch_and_add(&peer->connect_failures, 1);
		else
			add_latency(&peer->handshakes, duration_ns, now);
	}
	if (error)
		count_error(row, PT_OPERATION_CONNECT, error);
	emit_socket_event(PT_KIND_CONNECT, row, duration_ns, now, PT_OPERATION_CONNECT, error, books, control);
	return 0;
}

/* Nothing was ever sent: no local port was to be had (inet_hash_connect()). Without an error: the program closed it. */
static __always_inline u32 connect_error(struct sock *sk)
{
	int error = BPF_CORE_READ(sk, sk_err);

	if (error)
		return error;
	return BPF_CORE_READ((struct tcp_sock *)sk, segs_out) ? PT_ERROR_ABANDONED : PT_EADDRNOTAVAIL;
}

static __always_inline void count_listener(bool is_noted, struct pt_ledger *ledger)
{
	count(is_noted ? &ledger->aggregated : &ledger->dropped[PT_DROP_MAP_FULL]);
}

/* How many neighbours a copy is looked for behind: those that came into the list within a microsecond. */
#define PT_PARENT_STEPS_MAX 4

/*
 * The listening socket that `copy` was made from just now, or 0. The copy still
 * has its parent's place in the list of sockets that share the port
 * (inet_csk_clone_lock() lets it be, __inet_inherit_port() gives it one of its
 * own later), and the socket before that place points to the parent. One that is
 * put between them meanwhile points on, and does not listen yet.
 */
__noinline u64 parent_of(u64 copy)
{
	struct sock *child = (void *)copy, *parent;
	struct hlist_node **before = BPF_CORE_READ(child, __sk_common.skc_bind_node.pprev), *node = NULL;
	int i;

	if (!before || bpf_probe_read_kernel(&node, sizeof(node), before))
		return 0;
	for (i = 0; i < PT_PARENT_STEPS_MAX; i++) {
		if (!node)
			break;
		parent = (void *)node - bpf_core_field_offset(struct sock, __sk_common.skc_bind_node);
		if (BPF_CORE_READ(parent, __sk_common.skc_state) == PT_TCP_LISTEN)
			return (u64)parent;
		node = BPF_CORE_READ(node, next);
	}
	return 0;
}

/* In an interrupt: a connection is the listening socket's owner's until somebody uses it. */
static __always_inline void begin_accept(struct sock *sk, struct pt_ledger *ledger)
{
	struct sock *parent = (void *)parent_of(number_of(sk));
	struct pt_listen_queue *owner = NULL;
	struct pt_listen_key key = {};
	struct pt_socket *row;

	if (parent) {
		listen_key_of(&key, parent);
		owner = bpf_map_lookup_elem(&listen_queues, &key);
	}
	if (!owner || owner->is_closed || !is_slot_active(owner->target_slot)) {
		end_predecessor((u64)sk);
		count(&ledger->filtered);
		return;
	}
	row = make_row((u64)sk, owner->tgid, owner->target_slot);
	if (!row) {
		count(&ledger->dropped[PT_DROP_MAP_FULL]);
		return;
	}
	row->flags = PT_SOCKET_SERVER;
	row->object.kind = PT_OBJECT_TCP_SERVER;
	row->object.port = BPF_CORE_READ(sk, __sk_common.skc_num);
	count(&ledger->aggregated);
}

static __always_inline void end_accept(struct pt_socket *row, struct sock *sk, u64 now, struct pt_books *books,
				       const struct pt_control *control)
{
	struct pt_peer *peer;

	row->flags |= PT_SOCKET_WAS_OPEN;
	row->opened_ns = now;
	read_addresses(row, sk);
	peer = peer_of(row);
	if (peer)
		__sync_fetch_and_add(&peer->accepts, 1);
	emit_socket_event(PT_KIND_ACCEPT, row, 0, now, 0, 0, books, control);
}

/* A known socket changes. */
static __always_inline void follow_state(struct pt_socket *row, struct sock *sk, int new_state, u64 now,
					 struct pt_books *books, const struct pt_control *control)
{
	if (new_state == PT_TCP_ESTABLISHED && (row->flags & PT_SOCKET_SERVER) && !(row->flags & PT_SOCKET_WAS_OPEN)) {
		end_accept(row, sk, now, books, control);
		return;
	}
	if (row->connect_ns && new_state == PT_TCP_ESTABLISHED) {
		read_addresses(row, sk);
		row->flags |= PT_SOCKET_WAS_OPEN;
		end_connect(row, 0, now, books, control);
		return;
	}
	if (row->connect_ns && new_state == PT_TCP_CLOSE) {
		end_connect(row, connect_error(sk), now, books, control);
		end_socket((u64)sk, row);
		return;
	}
	if (!row->closed_ns &&
	    (new_state == PT_TCP_FIN_WAIT1 || new_state == PT_TCP_LAST_ACK || new_state == PT_TCP_CLOSE))
		row->closed_ns = now;
}

static __always_inline void on_state(struct sock *sk, int old_state, int new_state, struct pt_books *books,
				     const struct pt_control *control)
{
	struct pt_ledger *ledger = &books->ledger[PT_CATEGORY_CONNECTIONS];
	u64 key = (u64)sk, now = bpf_ktime_get_ns();
	struct pt_socket *row;

	count(&ledger->seen);
	if (new_state == PT_TCP_SYN_SENT) {
		begin_connect(sk, now, ledger);
		return;
	}
	if (old_state == PT_TCP_LISTEN && new_state == PT_TCP_SYN_RECV) {
		begin_accept(sk, ledger); /* a copy of it, that is to become a connection */
		return;
	}
	if (old_state == PT_TCP_LISTEN) {
		count(new_state == PT_TCP_CLOSE && close_queue(sk) ? &ledger->aggregated : &ledger->filtered);
		return;
	}
	row = bpf_map_lookup_elem(&sockets, &key);
	if (!row || !is_slot_active(row->target_slot)) {
		count(&ledger->filtered);
		return;
	}
	count(&ledger->aggregated);
	follow_state(row, sk, new_state, now, books, control);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(inet_sock_set_state, struct sock *sk, const int old_state, const int new_state)
{
	struct pt_control *control = get_control();
	struct pt_books *books = get_books();
	struct pt_thread *thread;
	struct pt_ledger *ledger;
	u64 current = bpf_get_current_task();

	if (!control || !books)
		return 0;
	count(&books->calls[PT_HOOK_SOCKET_STATE]);
	if (!control->enabled || control->frozen_at_ns)
		return 0;
	ledger = &books->ledger[PT_CATEGORY_LISTENERS];
	count(&ledger->seen);
	/* listen() runs in its caller. A port that is closed stays known: what was accepted from it lives on. */
	thread = new_state == PT_TCP_LISTEN ? bpf_map_lookup_elem(&threads, &current) : NULL;
	if (thread && is_slot_active(thread->target_slot))
		count_listener(note_port(sk) && (!control->follow_sockets || note_queue(sk, thread->tgid, thread->target_slot)),
			       ledger);
	else
		count(&ledger->filtered);
	if (control->follow_sockets && new_state != PT_TCP_LISTEN && sk->sk_protocol == PT_IPPROTO_TCP)
		on_state(sk, old_state, new_state, books, control);
	return 0;
}

/* The row of a socket that something happened to in an interrupt; counts the outcome. */
static __always_inline struct pt_socket *row_of_event(u64 key, struct pt_books *books)
{
	struct pt_ledger *ledger = &books->ledger[PT_CATEGORY_CONNECTIONS];
	struct pt_socket *row = bpf_map_lookup_elem(&sockets, &key);

	count(&ledger->seen);
	if (!key || !row || !is_slot_active(row->target_slot)) {
		count(&ledger->filtered);
		return NULL;
	}
	count(&ledger->aggregated);
	return row;
}

/* What every program here that takes a socket begins with; nothing when there is nothing to do. */
static __always_inline struct pt_books *open_books(struct sock *sk, u32 hook, struct pt_control **control)
{
	struct pt_books *books = get_books();

	*control = get_control();
	if (!*control || !books)
		return NULL;
	if (is_open(*control) && !may_have_row(sk)) {
		count(&books->bystanders[hook]);
		return NULL;
	}
	count(&books->calls[hook]);
	return is_open(*control) ? books : NULL;
}

/* The last that is told of a TCP socket, in whatever state it was. */
SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(tcp_destroy_sock, struct sock *sk)
{
	struct pt_control *control;
	struct pt_books *books = open_books(sk, PT_HOOK_SOCKET_DESTROY, &control);
	struct pt_socket *row;
	u64 now;

	if (!books || !control)
		return 0;
	row = row_of_event((u64)sk, books);
	if (!row)
		return 0;
	now = row->closed_ns ? row->closed_ns : bpf_ktime_get_ns();
	note_round_trip(row, sk);
	note_segments(row, sk);
	if (row->flags & PT_SOCKET_WAS_OPEN)
		emit_close(row, now, books, control);
	end_socket((u64)sk, row);
	return 0;
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(tcp_retransmit_skb, struct sock *sk)
{
	struct pt_control *control;
	struct pt_books *books = open_books(sk, PT_HOOK_TCP_RETRANSMIT, &control);
	struct pt_socket *row;

	if (!books || !control)
		return 0;
	row = row_of_event((u64)sk, books);
	if (!row)
		return 0;
	__sync_fetch_and_add(&row->counts.retransmits, 1);
	emit_socket_event(PT_KIND_RETRANSMIT, row, 0, bpf_ktime_get_ns(), PT_OPERATION_SEND, 0, books, control);
	return 0;
}

SEC("tp_btf/tcp_receive_reset")
int BPF_PROG(tcp_receive_reset, struct sock *sk)
{
	struct pt_control *control;
	struct pt_books *books = open_books(sk, PT_HOOK_TCP_RECEIVE_RESET, &control);
	struct pt_socket *row;

	if (!books)
		return 0;
	row = row_of_event((u64)sk, books);
	/* A connect that is refused is a reset, too; it has its own outcome. */
	if (row && !row->connect_ns)
		__sync_fetch_and_add(&row->counts.resets_received, 1);
	return 0;
}

SEC("tp_btf/tcp_send_reset")
int BPF_PROG(tcp_send_reset, struct sock *sk)
{
	struct pt_control *control;
	struct pt_books *books = open_books(sk, PT_HOOK_TCP_SEND_RESET, &control);
	struct pt_socket *row;

	if (!books)
		return 0;
	row = row_of_event((u64)sk, books);
	if (row)
		__sync_fetch_and_add(&row->counts.resets_sent, 1);
	return 0;
}

/* What the kernel counts by itself, at this instant. */
static __always_inline void refresh_socket(struct sock *sk, u64 inode)
{
	u64 key = (u64)sk;
	struct pt_socket *row = bpf_map_lookup_elem(&sockets, &key);

	if (!row || (row->inode && row->inode != inode))
		return;
	note_round_trip(row, sk);
	note_segments(row, sk);
}

/*
 * The process of a socket belongs to another target now: what was counted until
 * here stays with the one it belonged to.
 */
static __noinline int change_owner(struct pt_socket *row, struct sock *sk, const struct pt_thread *thread,
				   struct pt_books *books)
{
	struct pt_object object;
	u64 opened_ns, inode;
	u32 role;

	if (!row || !sk || !thread || !books)
		return 0;
	if (!(row->flags & PT_SOCKET_WAS_OPEN)) {
		row->target_slot = thread->target_slot; /* nothing was counted yet */
		return 0;
	}
	object = row->object;
	opened_ns = row->opened_ns;
	inode = row->inode;
	role = row->flags & PT_SOCKET_ROLES;
	row->flags &= ~PT_SOCKET_WAS_OPEN; /* it does not end */
	row = adopt_socket(sk, inode, thread, opened_ns, books);
	if (!row)
		return 0;
	row->object = object;
	row->flags = (row->flags & ~PT_SOCKET_ROLES) | role;
	return 0;
}

/*
 * Sockets by the descriptors of target threads: takes in those that are there
 * before us, and reads again what the kernel counts.
 */
SEC("iter/task_file")
int socket_iterator(struct bpf_iter__task_file *ctx)
{
	struct pt_control *control = get_control();
	struct pt_books *books = get_books();
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct pt_ledger *ledger;
	struct pt_thread *thread;
	struct pt_socket *row;
	struct socket *socket;
	struct sock *sk;
	u64 key = (u64)task, inode, kept;
	u16 family, protocol;
	u8 state;

	if (!control || !books || !task || !file)
		return 0;
	count(&books->calls[PT_HOOK_SOCKET_ITERATOR]);
	thread = bpf_map_lookup_elem(&threads, &key);
	if (!thread || !is_slot_active(thread->target_slot))
		return 0;
	if ((BPF_CORE_READ(file, f_inode, i_mode) & PT_S_IFMT) != PT_S_IFSOCK)
		return 0;
	socket = BPF_CORE_READ(file, private_data);
	sk = BPF_CORE_READ(socket, sk);
	if (!sk)
		return 0;
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	protocol = BPF_CORE_READ(sk, sk_protocol);
	if (family != PT_AF_UNIX && family != PT_AF_INET && family != PT_AF_INET6)
		return 0;
	if (family != PT_AF_UNIX && protocol != PT_IPPROTO_TCP && protocol != PT_IPPROTO_UDP &&
	    protocol != PT_IPPROTO_MPTCP)
		return 0;
	inode = BPF_CORE_READ(file, f_inode, i_ino);
	state = BPF_CORE_READ(sk, __sk_common.skc_state);
	if (state == PT_TCP_LISTEN) {
		bool is_new_port = family != PT_AF_UNIX && control->iterator_mode == PT_ITERATE_SEED;

		ledger = &books->ledger[PT_CATEGORY_LISTENERS];
		count(&ledger->seen);
		count_listener((!is_new_port || note_port(sk)) && note_queue(sk, thread->tgid, thread->target_slot), ledger);
		return 0;
	}
	if (control->iterator_mode != PT_ITERATE_SEED) {
		refresh_socket(sk, inode);
		return 0;
	}
	kept = family != PT_AF_UNIX && protocol == PT_IPPROTO_TCP ? 0 : inode;
	key = (u64)sk;
	row = bpf_map_lookup_elem(&sockets, &key);
	if (row && row->inode == kept && is_slot_active(row->target_slot)) {
		if (row->tgid == thread->tgid && row->target_slot != thread->target_slot)
			change_owner(row, sk, thread, books);
		return 0;
	}
	/* Not connected yet, or not any more. */
	if (!kept && (state == PT_TCP_CLOSE || state == PT_TCP_SYN_SENT))
		return 0;
	ledger = &books->ledger[PT_CATEGORY_CONNECTIONS];
	count(&ledger->seen);
	count(adopt_socket(sk, kept, thread, 0, books) ? &ledger->aggregated : &ledger->dropped[PT_DROP_MAP_FULL]);
	return 0;
}
