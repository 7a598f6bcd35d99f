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
#define PT_UNIX_PATH_BYTES 108
#define PT_UNIX_PATH_WORDS 14

/* Whom a send names. */
struct pt_destination {
	struct pt_object object;
	u64 address; /* of the caller's */
	u64 path[PT_UNIX_PATH_WORDS]; /* of a unix socket; the NUL of an abstract one stands as '@' */
	u32 address_bytes;
	u32 path_bytes;
};

/*
 * The address of the send going on: an argument of sendto(), the first two fields
 * of a message of sendmsg(). False: there is none (the socket is connected), or it
 * is not told to us (io_uring; before Linux 5.11 nothing yields the caller's
 * registers here).
 */
static __always_inline bool find_destination(struct pt_destination *to)
{
	const struct pt_regs *regs;
	struct task_struct *task;
	u64 message;
	long number;

	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf) || !pt_arch_knows_registers())
		return false;
	task = (struct task_struct *)bpf_get_current_task_btf();
	regs = pt_arch_registers(task);
	number = pt_arch_system_call(task, regs);
	if (number == __NR_sendto) {
		to->address = pt_arch_fifth_argument(regs);
		to->address_bytes = pt_arch_sixth_argument(regs);
		return to->address;
	}
	if (number != __NR_sendmsg && number != __NR_sendmmsg)
		return false;
	message = pt_arch_argument(regs, 1);
	return !bpf_probe_read_user(&to->address, sizeof(to->address), (void *)message) && to->address &&
	       !bpf_probe_read_user(&to->address_bytes, sizeof(to->address_bytes), (void *)(message + 8));
}

/* FNV-1a over words, in the shape of a kernel address. */
static __always_inline u64 hash_unix_path(const u64 *words)
{
	u64 hash = 0xcbf29ce484222325ULL;
	int i;

	for (i = 0; i < PT_UNIX_PATH_WORDS; i++)
		hash = (hash ^ words[i]) * 0x100000001b3ULL;
	return hash | (1ULL << 63);
}

/* A path ends with a NUL, an abstract name with the address. */
static __always_inline bool read_unix_destination(struct pt_destination *to)
{
	u64 name_bytes = (u32)to->address_bytes - PT_AF_BYTES, address = to->address + PT_AF_BYTES;
	long length = bpf_probe_read_user_str(to->path, PT_UNIX_PATH_BYTES, (void *)address);

	if (length == 1) {
		if (name_bytes > PT_UNIX_PATH_BYTES)
			return false;
		/* At most 108: the mask is for the verifier, which must not see that it is for nothing. */
		asm volatile("" : "+r"(name_bytes));
		name_bytes &= 127;
		if (name_bytes > PT_UNIX_PATH_BYTES || bpf_probe_read_user(to->path, name_bytes, (void *)address))
			return false;
		*(char *)to->path = '@';
		length = name_bytes;
	}
	to->object.kind = PT_OBJECT_UNIX_PEER;
	to->object.low = hash_unix_path(to->path);
	to->path_bytes = length;
	return length > 1;
}

/* Into an empty `to`. */
static __noinline int read_destination(struct pt_destination *to)
{
	u64 head = 0;

	if (!to || !find_destination(to) || bpf_probe_read_user(&head, sizeof(head), (void *)to->address))
		return 0;
	if ((head & 0xffff) == PT_AF_UNIX)
		return read_unix_destination(to);
	to->object.port = __builtin_bswap16((head >> 16) & 0xffff);
	to->object.kind = PT_OBJECT_UDP_PEER;
	if ((head & 0xffff) == PT_AF_INET) {
		to->object.low = 0xffff0000ULL | (head >> 32 << 32);
		return 1;
	}
	return (head & 0xffff) == PT_AF_INET6 && !bpf_probe_read_user(&to->object.high, 8, (void *)(to->address + 8)) &&
	       !bpf_probe_read_user(&to->object.low, 8, (void *)(to->address + 16));
}

#endif
