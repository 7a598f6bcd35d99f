/* SPDX-License-Identifier: GPL-2.0 */
/* From a descriptor to what it is: file, socket and peer, pipe, timer; and its name. */
#ifndef PT_OBJECT_H
#define PT_OBJECT_H

/* include/uapi/linux/stat.h */
#define PT_S_IFMT 0170000
#define PT_S_IFSOCK 0140000
#define PT_S_IFREG 0100000
#define PT_S_IFBLK 0060000
#define PT_S_IFDIR 0040000
#define PT_S_IFCHR 0020000
#define PT_S_IFIFO 0010000

/* include/uapi/linux/magic.h */
#define PT_ANON_INODE_FS_MAGIC 0x09041934

#define PT_AF_UNIX 1
#define PT_AF_INET 2
#define PT_AF_INET6 10
#define PT_AF_NETLINK 16
#define PT_SOCK_STREAM 1
#define PT_SOCK_DGRAM 2
#define PT_IPPROTO_TCP 6
#define PT_TCP_LISTEN 10
#define PT_TCP_CLOSE_WAIT 8
/* Bits of the states in which what is sent is counted, and of those in which our end of the stream is among it. */
#define PT_TCP_STATES_COUNTED ((1 << 1) | (1 << PT_TCP_CLOSE_WAIT) | PT_TCP_STATES_FINISHED)
#define PT_TCP_STATES_FINISHED ((1 << 4) | (1 << 5) | (1 << 9) | (1 << 11))

/* include/net/sock.h, SOCK_BINDADDR_LOCK and SOCK_BINDPORT_LOCK: bind() was told an address, a port */
#define PT_SOCK_BOUND_BY_NAME 12

#define PT_PATH_STEPS_MAX 24

/* Kernel-internal device numbers: 12 bits of major above 20 of minor. */
#define PT_DEVICE_MAJOR(device) ((device) >> 20)

static __noinline struct file *file_of(struct task_struct *task, s32 fd)
{
	struct fdtable *table;
	struct file **files, *file = NULL;

	if (fd < 0)
		return NULL;
	/* Loads from typed pointers cost a tenth of a copy; the entry itself has no type to the verifier. */
	table = task->files->fdt;
	if (!table || (u32)fd >= table->max_fds)
		return NULL;
	files = table->fd;
	bpf_probe_read_kernel(&file, sizeof(file), files + fd);
	return file;
}

/*
 * The first bytes of a kernel structure. A copy costs 20 ns whatever it takes:
 * one copy of several fields, not one each. A field that this kernel keeps
 * further down is copied on its own.
 */
struct pt_copy {
	u64 words[12];
};

#define PT_COPIED(copy, source, field)                                                             \
	({                                                                                         \
		typeof((source)->field) value_ = 0;                                                \
		u32 offset_ = bpf_core_field_offset((source)->field);                              \
                                                                                                   \
		if (offset_ + sizeof(value_) <= sizeof(struct pt_copy))                            \
			value_ = *(typeof(value_) *)((char *)(copy) + offset_);                    \
		else                                                                               \
			bpf_probe_read_kernel((void *)&value_, sizeof(value_), (char *)(source) + offset_); \
		value_;                                                                            \
	})

static __always_inline bool is_listening_port(const struct pt_copy *copy, struct sock_common *common)
{
	struct pt_listener_key key = {};

	key.network_namespace = BPF_CORE_READ(PT_COPIED(copy, common, skc_net.net), ns.inum);
	key.port = PT_COPIED(copy, common, skc_num);
	key.protocol = PT_IPPROTO_TCP;
	return bpf_map_lookup_elem(&listeners, &key) != NULL;
}

static __always_inline void describe_peer(struct pt_object *object, const struct pt_copy *copy, struct sock_common *common)
{
	object->port = __builtin_bswap16(PT_COPIED(copy, common, skc_dport));
	if (PT_COPIED(copy, common, skc_family) == PT_AF_INET) {
		/* ::ffff:a.b.c.d, in the byte order of the wire */
		object->high = 0;
		object->low = 0xffff0000ULL | ((u64)PT_COPIED(copy, common, skc_daddr) << 32);
	} else {
		void *address = (void *)common + bpf_core_field_offset(common->skc_v6_daddr);

		bpf_probe_read_kernel(&object->high, 8, address);
		bpf_probe_read_kernel(&object->low, 8, address + 8);
	}
}

/*
 * Whether the other side opened a TCP connection, whatever became of the socket
 * that listened. Who opens one sends a first number that is acknowledged and
 * counted like a byte (tcp_snd_una_update()), though none was sent; what a
 * listening socket makes begins behind that number.
 */
static __always_inline bool is_accepted(struct sock *sk, u32 state)
{
	struct tcp_sock *tcp = (void *)sk;
	u32 acknowledged, sent;

	if (state > 11 || !((1U << state) & PT_TCP_STATES_COUNTED) || BPF_CORE_READ(sk, sk_protocol) != PT_IPPROTO_TCP)
		return false;
	acknowledged = (u32)BPF_CORE_READ(tcp, bytes_acked) + BPF_CORE_READ(tcp, snd_nxt) - BPF_CORE_READ(tcp, snd_una);
	sent = (u32)BPF_CORE_READ(tcp, bytes_sent) - (u32)BPF_CORE_READ(tcp, bytes_retrans);
	if ((1U << state) & PT_TCP_STATES_FINISHED)
		sent++;
	return acknowledged == sent;
}

/* Of UDP that is connected to nobody: a port it asked for is one to be found by. */
static __always_inline bool is_bound_by_name(struct sock *sk)
{
	return BPF_CORE_READ_BITFIELD_PROBED(sk, sk_userlocks) & PT_SOCK_BOUND_BY_NAME;
}

/* `kind`: of a socket that is asked. */
static __always_inline void describe_own_port(struct pt_object *object, const struct pt_copy *copy,
					      struct sock_common *common, u32 kind)
{
	object->kind = kind;
	object->port = PT_COPIED(copy, common, skc_num);
}

static __always_inline void describe_inet(struct pt_object *object, const struct pt_copy *copy, struct sock *sk)
{
	struct sock_common *common = (void *)sk + bpf_core_field_offset(sk->__sk_common);
	u32 state = PT_COPIED(copy, common, skc_state);

	if (BPF_CORE_READ(sk, sk_type) != PT_SOCK_STREAM) {
		object->kind = PT_OBJECT_UDP_PEER;
		if (PT_COPIED(copy, common, skc_dport))
			describe_peer(object, copy, common);
		else if (is_bound_by_name(sk))
			describe_own_port(object, copy, common, PT_OBJECT_UDP_SERVER);
		else
			object->kind = PT_OBJECT_UDP_QUIET;
		return;
	}
	if (state == PT_TCP_LISTEN || is_listening_port(copy, common) || is_accepted(sk, state)) {
		describe_own_port(object, copy, common, PT_OBJECT_TCP_SERVER);
		return;
	}
	object->kind = PT_OBJECT_TCP_PEER;
	describe_peer(object, copy, common);
}

/*
 * A bound address is shared by the listener and everything accepted from it; the
 * caller's end has none, or is a datagram socket that must be answered. Where
 * neither end or both have one, the socket alone does not say who asks.
 */
static __always_inline void describe_unix(struct pt_object *object, struct sock *sk, u64 inode)
{
	struct unix_sock *unix_sock = (void *)sk, *peer;
	struct unix_address *own = BPF_CORE_READ(unix_sock, addr), *other = NULL;

	peer = (void *)BPF_CORE_READ(unix_sock, peer);
	if (peer)
		other = BPF_CORE_READ(peer, addr);
	object->kind = PT_OBJECT_UNIX_PAIR;
	object->low = own ? (u64)own : inode;
	if (other && (!own || BPF_CORE_READ(sk, sk_type) == PT_SOCK_DGRAM)) {
		object->kind = PT_OBJECT_UNIX_PEER;
		object->low = (u64)other;
	} else if (own && !other && (peer || BPF_CORE_READ(sk, __sk_common.skc_state) == PT_TCP_LISTEN)) {
		object->kind = PT_OBJECT_UNIX_SERVER;
	}
}

/*
 * What the row of a socket says of it, where its state does not. Only who asked
 * and has no answer yet waits for somebody. No function of its own, and the key in
 * memory that is there already: calls this deep share 512 bytes of stack.
 */
static __always_inline void ask_row(struct pt_object *object, struct pt_copy *copy, struct sock *sk, u64 inode)
{
	struct pt_socket *row;

	copy->words[0] = (u64)sk;
	row = bpf_map_lookup_elem(&sockets, &copy->words[0]);
	if (!row || row->inode != inode || (row->flags & PT_SOCKET_ROLE_OPEN))
		return;
	if ((row->flags & PT_SOCKET_SERVER) || row->asked_ns) {
		*object = row->object;
	} else if (object->kind != PT_OBJECT_UNIX_PAIR) {
		*object = row->object;
		object->kind = PT_OBJECT_UDP_QUIET;
	}
}

static __always_inline void describe_anonymous(struct pt_object *object, struct file *file)
{
	const unsigned char *name = BPF_CORE_READ(file, f_path.dentry, d_name.name);
	char text[8] = {};

	object->kind = PT_OBJECT_ANONYMOUS;
	bpf_probe_read_kernel(text, sizeof(text), name);
	if (text[0] == '[' && text[1] == 'e' && text[2] == 'v' && text[6] == 'f')
		object->kind = PT_OBJECT_EVENTFD; /* [eventfd] */
	else if (text[0] == '[' && text[1] == 't' && text[2] == 'i' && text[6] == 'f')
		object->kind = PT_OBJECT_TIMER; /* [timerfd] */
	else
		__builtin_memcpy(&object->low, text, sizeof(object->low)); /* tells [signalfd] from [io_uring] */
}

/* Into the caller's `copy`: two of them are too much for the stack that the calls of one program share before 6.12. */
static __always_inline void describe_socket(struct pt_object *object, struct pt_copy *copy, struct socket *socket,
					    u64 inode)
{
	struct sock *sk = BPF_CORE_READ(socket, sk);
	struct sock_common *common = (void *)sk + bpf_core_field_offset(sk->__sk_common);
	u16 family;

	if (!sk || bpf_probe_read_kernel(copy, sizeof(*copy), common))
		return;
	family = PT_COPIED(copy, common, skc_family);
	if (family == PT_AF_INET || family == PT_AF_INET6)
		describe_inet(object, copy, sk);
	else if (family == PT_AF_UNIX)
		describe_unix(object, sk, inode);
	else if (family == PT_AF_NETLINK)
		object->kind = PT_OBJECT_NETLINK;
	if (object->kind == PT_OBJECT_UNIX_PAIR || object->kind == PT_OBJECT_UDP_QUIET ||
	    object->kind == PT_OBJECT_UDP_SERVER)
		ask_row(object, copy, sk, inode);
}

/* Fills `object`; it stays PT_OBJECT_NONE when the file cannot be read. */
static __noinline int describe_file(struct pt_object *object, struct file *file)
{
	struct pt_copy copy;
	struct inode *inode;
	struct super_block *super;
	void *data;
	u32 mode;

	if (!object || !file || bpf_probe_read_kernel(&copy, sizeof(copy), file))
		return 0;
	data = PT_COPIED(&copy, file, private_data);
	inode = PT_COPIED(&copy, file, f_inode);
	if (!inode || bpf_probe_read_kernel(&copy, sizeof(copy), inode))
		return 0;
	mode = PT_COPIED(&copy, inode, i_mode) & PT_S_IFMT;
	if (mode == PT_S_IFSOCK) {
		describe_socket(object, &copy, data, PT_COPIED(&copy, inode, i_ino));
		return 0;
	}
	super = PT_COPIED(&copy, inode, i_sb);
	if (BPF_CORE_READ(super, s_magic) == PT_ANON_INODE_FS_MAGIC) {
		describe_anonymous(object, file);
		return 0;
	}
	object->low = PT_COPIED(&copy, inode, i_ino);
	if (mode == PT_S_IFIFO) {
		object->kind = PT_OBJECT_PIPE;
		return 0;
	}
	if (mode == PT_S_IFCHR) {
		u32 device = PT_COPIED(&copy, inode, i_rdev), major = PT_DEVICE_MAJOR(device);

		/* Documentation/admin-guide/devices.txt: consoles, /dev/tty, Unix98 terminals */
		object->kind = major == 4 || major == 5 || (major >= 136 && major <= 143) ? PT_OBJECT_TERMINAL :
											     PT_OBJECT_DEVICE;
		object->low = device;
		return 0;
	}
	object->kind = PT_OBJECT_FILE;
	object->high = BPF_CORE_READ(super, s_dev);
	return 0;
}

/*
 * Writes the components of a path, leaf first, each NUL-ended, across mounts,
 * to `text`, which holds twice PT_TEXT_BYTES. Yields the bytes used; sets bit 16
 * when cut.
 *
 * How much is used is kept behind the text, not in a register: of memory the
 * verifier knows nothing, so it finds every step alike (a third of its work).
 */
static __always_inline u32 walk_path(char *text, struct dentry *dentry, struct vfsmount *vfs_mount)
{
	u32 *used_at;
	int i;

	if (!text || !dentry)
		return 0;
	used_at = (u32 *)(text + 2 * PT_TEXT_BYTES - sizeof(u64));
	*used_at = 0;
	for (i = 0; i < PT_PATH_STEPS_MAX; i++) {
		struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
		u32 used = *used_at;
		long length;

		if (dentry == BPF_CORE_READ(vfs_mount, mnt_root) || dentry == parent) {
			struct mount *mount = (void *)vfs_mount - bpf_core_field_offset(struct mount, mnt);
			struct mount *above;

			if (!vfs_mount)
				break; /* where its file system is mounted is not known */
			above = BPF_CORE_READ(mount, mnt_parent);
			if (!above || above == mount)
				return used;
			dentry = BPF_CORE_READ(mount, mnt_mountpoint);
			vfs_mount = (void *)above + bpf_core_field_offset(struct mount, mnt);
			continue;
		}
		if (used >= PT_TEXT_BYTES)
			break;
		/* Says the same again, in a way that the verifier of 6.1 carries over to the pointer; clang must not see that it does. */
		asm volatile("" : "+r"(used));
		used &= PT_TEXT_BYTES - 1;
		length = bpf_probe_read_kernel_str(text + used, PT_TEXT_BYTES - sizeof(u64),
						   BPF_CORE_READ(dentry, d_name.name));
		if (length <= 0 || used + length > PT_TEXT_BYTES)
			break;
		*used_at = used + length;
		dentry = parent;
	}
	return *used_at | (1 << 16);
}

/* Whose scratch memory a path is written to. */
#define PT_PATH_OF_NAME 0
#define PT_PATH_OF_TASK 1
#define PT_PATH_OF_FILE 2

/* Global, one for each place, so that the verifier walks here once and not on every way there. */
__noinline u32 path_of_name(u64 dentry, u64 vfs_mount)
{
	u32 zero = 0;
	struct pt_name_scratch *scratch = bpf_map_lookup_elem(&name_scratch, &zero);

	return scratch ? walk_path(scratch->text, (void *)dentry, (void *)vfs_mount) : 0;
}

__noinline u32 path_of_task(u64 dentry, u64 vfs_mount)
{
	u32 zero = 0;
	struct pt_task_scratch *scratch = bpf_map_lookup_elem(&task_scratch, &zero);

	return scratch ? walk_path((char *)scratch->record.text, (void *)dentry, (void *)vfs_mount) : 0;
}

__noinline u32 path_of_file(u64 dentry, u64 vfs_mount)
{
	u32 zero = 0;
	struct pt_name_scratch *scratch = bpf_map_lookup_elem(&file_scratch, &zero);

	return scratch ? walk_path(scratch->text, (void *)dentry, (void *)vfs_mount) : 0;
}

/* `place` is known to the compiler. */
static __always_inline u32 read_path(struct dentry *dentry, struct vfsmount *vfs_mount, u32 place)
{
	if (place == PT_PATH_OF_TASK)
		return path_of_task((u64)dentry, (u64)vfs_mount);
	if (place == PT_PATH_OF_FILE)
		return path_of_file((u64)dentry, (u64)vfs_mount);
	return path_of_name((u64)dentry, (u64)vfs_mount);
}

/* The path of an inode as `task` would give it: below its root or its working directory, if that is the same mount. */
static __noinline u32 read_inode_path(struct inode *inode, struct task_struct *task)
{
	struct hlist_node *alias;
	struct super_block *super;
	struct vfsmount *vfs_mount;

	if (!inode || !task)
		return 0;
	alias = BPF_CORE_READ(inode, i_dentry.first);
	if (!alias)
		return 0;
	super = BPF_CORE_READ(inode, i_sb);
	vfs_mount = BPF_CORE_READ(task, fs, root.mnt);
	if (BPF_CORE_READ(vfs_mount, mnt_sb) != super)
		vfs_mount = BPF_CORE_READ(task, fs, pwd.mnt);
	if (BPF_CORE_READ(vfs_mount, mnt_sb) != super)
		vfs_mount = NULL;
	return read_path((void *)alias - bpf_core_field_offset(struct dentry, d_u.d_alias), vfs_mount, PT_PATH_OF_NAME);
}

#define PT_UNIX_FAMILY_BYTES 2

/* The path that the object, a unix socket, is named by; '@' stands for the NUL of an abstract one. */
static __noinline u32 read_unix_path(char *text, struct file *file, const struct pt_object *object)
{
	struct socket *socket;
	struct unix_sock *unix_sock;
	struct unix_address *address;
	long length;

	if (!text || !file || !object)
		return 0;
	socket = BPF_CORE_READ(file, private_data);
	unix_sock = (void *)BPF_CORE_READ(socket, sk);
	if (object->kind == PT_OBJECT_UNIX_PEER) {
		unix_sock = (void *)BPF_CORE_READ(unix_sock, peer);
		if (!unix_sock)
			return 0;
	}
	address = BPF_CORE_READ(unix_sock, addr);
	if (!address || object->low != (u64)address)
		return 0;
	length = bpf_probe_read_kernel_str(text, 108, (void *)address + bpf_core_field_offset(struct unix_address, name) + 2);
	if (length == 1) {
		/* The name of an abstract one ends with the address: no NUL comes after it. */
		u64 name_bytes = (u32)BPF_CORE_READ(address, len) - PT_UNIX_FAMILY_BYTES;

		/* At most 108: the mask is for the verifier. */
		name_bytes &= 127;
		length = bpf_probe_read_kernel_str(text + 1, name_bytes,
						   (void *)address + bpf_core_field_offset(struct unix_address, name) + 3);
		text[0] = '@';
		length = length > 0 ? length + 1 : 0;
	}
	return length > 0 ? length : 0;
}

/* `text` is what `place` says. */
static __always_inline u32 read_name(char *text, const struct pt_object *object, struct file *file, u32 place)
{
	switch (object->kind) {
	case PT_OBJECT_FILE:
		return read_path(BPF_CORE_READ(file, f_path.dentry), BPF_CORE_READ(file, f_path.mnt), place);
	case PT_OBJECT_UNIX_PEER:
	case PT_OBJECT_UNIX_SERVER:
	case PT_OBJECT_UNIX_PAIR:
		return read_unix_path(text, file, object);
	case PT_OBJECT_ANONYMOUS: {
		long length = bpf_probe_read_kernel_str(text, 64, BPF_CORE_READ(file, f_path.dentry, d_name.name));

		return length > 0 ? length : 0;
	}
	default:
		return 0;
	}
}

/* Something to read or to accept. */
static __always_inline bool is_ready(struct file *file)
{
	u32 mode = BPF_CORE_READ(file, f_inode, i_mode) & PT_S_IFMT;
	struct socket *socket;
	struct sock *sk;

	if (mode != PT_S_IFSOCK)
		return false;
	socket = BPF_CORE_READ(file, private_data);
	sk = BPF_CORE_READ(socket, sk);
	if (!sk)
		return false;
	if (BPF_CORE_READ(sk, __sk_common.skc_state) == PT_TCP_LISTEN)
		return BPF_CORE_READ(sk, sk_ack_backlog) > 0;
	return BPF_CORE_READ(sk, sk_receive_queue.qlen) > 0;
}

#endif
