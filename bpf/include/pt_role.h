/* SPDX-License-Identifier: GPL-2.0 */
/* Who asks on a socket whose state does not say so, and whom. */
#ifndef PT_ROLE_H
#define PT_ROLE_H

/* Who made both ends of a pair, and kept this one: init_peercred() notes the process. */
static __always_inline u32 maker_of_pair(struct sock *sk)
{
	struct pid *pid = BPF_CORE_READ(sk, sk_peer_pid);
	struct upid *numbers = (void *)pid + bpf_core_field_offset(struct pid, numbers);

	return pid ? BPF_CORE_READ(numbers, nr) : 0;
}

/*
 * Who asks, as far as the socket itself says, in flags; its object is described.
 * One that was there before us may be in the middle of an exchange: who speaks
 * next says nothing then. Of a pair, whoever made it uses the one that was given
 * the other end; a port that was asked for is one to be found by.
 */
static __always_inline u32 first_role(struct pt_socket *row, struct sock *sk)
{
	u32 maker;

	switch (row->object.kind) {
	case PT_OBJECT_TCP_SERVER:
	case PT_OBJECT_UNIX_SERVER:
		return PT_SOCKET_SERVER;
	case PT_OBJECT_UDP_SERVER:
		return row->opened_ns ? PT_SOCKET_ROLE_OPEN : PT_SOCKET_SERVER;
	case PT_OBJECT_UDP_QUIET:
		return PT_SOCKET_ROLE_OPEN;
	case PT_OBJECT_UNIX_PAIR:
		break;
	default:
		return 0;
	}
	maker = maker_of_pair(sk);
	if (row->opened_ns || row->object.low != row->inode || !maker)
		return PT_SOCKET_ROLE_OPEN;
	if (maker == row->tgid) {
		row->object.kind = PT_OBJECT_UNIX_PEER;
		return 0;
	}
	row->object.kind = PT_OBJECT_UNIX_SERVER;
	return PT_SOCKET_SERVER;
}

#define PT_AF_BYTES 2
#define PT_UNIX_PATH_WORDS 8

/*
 * Whom the send going on names: the argument of sendto(), the first field of a
 * message of sendmsg(). False: nobody (the socket is connected), or not told to
 * us (io_uring; before Linux 5.11 nothing yields the caller's registers here).
 */
static __always_inline u64 named_by_call(void)
{
	const struct pt_regs *regs;
	struct task_struct *task;
	u64 address = 0;
	long number;

	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf) || !pt_arch_knows_registers())
		return 0;
	task = (struct task_struct *)bpf_get_current_task_btf();
	regs = pt_arch_registers(task);
	number = pt_arch_system_call(task, regs);
	if (number == __NR_sendto)
		return pt_arch_fifth_argument(regs);
	if (number != __NR_sendmsg && number != __NR_sendmmsg)
		return 0;
	if (bpf_probe_read_user(&address, sizeof(address), (void *)pt_arch_argument(regs, 1)))
		return 0;
	return address;
}

/* Paths that begin alike are one: what is behind these bytes is not looked at. FNV-1a over words, in the shape of an address. */
static __always_inline u64 hash_unix_path(const u64 *words)
{
	u64 hash = 0xcbf29ce484222325ULL;
	int i;

	for (i = 0; i < PT_UNIX_PATH_WORDS; i++)
		hash = (hash ^ words[i]) * 0x100000001b3ULL;
	return hash | (1ULL << 63);
}

static __noinline int read_destination(struct pt_object *object)
{
	u64 address = named_by_call(), path[PT_UNIX_PATH_WORDS] = {}, head = 0;
	long length;

	if (!object || !address || bpf_probe_read_user(&head, sizeof(head), (void *)address))
		return 0;
	object->port = __builtin_bswap16((head >> 16) & 0xffff);
	object->kind = PT_OBJECT_UDP_PEER;
	switch (head & 0xffff) {
	case PT_AF_INET:
		object->high = 0;
		object->low = 0xffff0000ULL | (head >> 32 << 32);
		return 1;
	case PT_AF_INET6:
		return !bpf_probe_read_user(&object->high, 8, (void *)(address + 8)) &&
		       !bpf_probe_read_user(&object->low, 8, (void *)(address + 16));
	case PT_AF_UNIX:
		address += PT_AF_BYTES;
		length = bpf_probe_read_user_str(path, sizeof(path), (void *)address);
		if (length == 1)
			length = bpf_probe_read_user_str(path, sizeof(path), (void *)(address + 1));
		object->kind = PT_OBJECT_UNIX_PEER;
		object->port = 0;
		object->high = 0;
		object->low = hash_unix_path(path);
		return length > 1;
	default:
		return 0;
	}
}

#endif
