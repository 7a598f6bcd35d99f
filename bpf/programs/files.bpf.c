/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Operations on files, call by call. Attached only while they are asked for:
 * every system call of every process pays for it.
 *
 * Two programs on all calls, not two on each of twenty-eight. Measured on a busy
 * machine: a call of the set costs a bystander 0.6 us more either way, any other
 * call 0.6 instead of 0.14 us. For that it is two programs instead of 56, each
 * with a perf event, and works without tracefs.
 */

/* No operation on a file: a socket is to be connected. These programs are there anyway, and see how it ends. */
#define PT_CONNECT_CALL 200

/* What a call does with a file, by its number. */
const volatile u8 pt_file_calls[PT_ARCH_SYSTEM_CALL_COUNT] = {
	[__NR_openat] = PT_FILE_OPEN,
	[__NR_openat2] = PT_FILE_OPEN,
	[__NR_read] = PT_FILE_READ,
	[__NR_pread64] = PT_FILE_READ,
	[__NR_readv] = PT_FILE_READ,
	[__NR_preadv] = PT_FILE_READ,
	[__NR_preadv2] = PT_FILE_READ,
	[__NR_getdents64] = PT_FILE_READ,
	[__NR_write] = PT_FILE_WRITE,
	[__NR_pwrite64] = PT_FILE_WRITE,
	[__NR_writev] = PT_FILE_WRITE,
	[__NR_pwritev] = PT_FILE_WRITE,
	[__NR_pwritev2] = PT_FILE_WRITE,
	[__NR_fsync] = PT_FILE_SYNC,
	[__NR_fdatasync] = PT_FILE_SYNC,
	[__NR_sync_file_range] = PT_FILE_SYNC,
	[__NR_close] = PT_FILE_CLOSE,
	[__NR_unlinkat] = PT_FILE_UNLINK,
	[__NR_renameat] = PT_FILE_RENAME,
	[__NR_renameat2] = PT_FILE_RENAME,
	[__NR_execve] = PT_FILE_EXEC,
	[__NR_execveat] = PT_FILE_EXEC,
	[__NR_connect] = PT_CONNECT_CALL,
#if defined(__TARGET_ARCH_x86)
	[__NR_open] = PT_FILE_OPEN,
	[__NR_creat] = PT_FILE_OPEN,
	[__NR_getdents] = PT_FILE_READ,
	[__NR_unlink] = PT_FILE_UNLINK,
	[__NR_rmdir] = PT_FILE_UNLINK,
	[__NR_rename] = PT_FILE_RENAME,
#endif
};

/* include/linux/errno.h: from here to 516 the kernel starts the call again, or says EINTR later. */
#define PT_ERESTARTSYS 512
#define PT_ERESTART_LAST 516

/* A path that found no file is told apart by a hash of this much of it. */
#define PT_PATH_WORDS (PT_TEXT_BYTES / 8)

static __always_inline u32 file_operation_of(long number)
{
	if (number < 0 || number >= PT_ARCH_SYSTEM_CALL_COUNT)
		return PT_FILE_NONE;
	return pt_file_calls[number];
}

/* Of the thread that runs. Before 5.11 its address has no type to the verifier: every step is a copy. */
static __always_inline struct file *own_file(s32 fd)
{
	struct file **files, *file = NULL;
	struct fdtable *table;

	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf))
		return file_of((struct task_struct *)bpf_get_current_task_btf(), fd);
	table = BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), files, fdt);
	if (fd < 0 || !table || (u32)fd >= BPF_CORE_READ(table, max_fds))
		return NULL;
	files = BPF_CORE_READ(table, fd);
	bpf_probe_read_kernel(&file, sizeof(file), files + fd);
	return file;
}

/* The place of the path among the arguments: behind a directory's descriptor in the calls that have one. */
static __always_inline int path_index(long number)
{
	switch (number) {
	case __NR_openat:
	case __NR_openat2:
	case __NR_unlinkat:
	case __NR_renameat:
	case __NR_renameat2:
	case __NR_execveat:
		return 1;
	default:
		return 0;
	}
}

static __always_inline bool has_descriptor(u32 operation)
{
	return operation == PT_FILE_READ || operation == PT_FILE_WRITE || operation == PT_FILE_SYNC ||
	       operation == PT_FILE_CLOSE;
}

static __always_inline struct pt_file_value *file_row(const struct pt_file_key *key, bool *is_new)
{
	struct pt_file_value *row = bpf_map_lookup_elem(&file_rows, key);

	*is_new = false;
	if (row)
		return row;
	*is_new = !bpf_map_update_elem(&file_rows, key, &zero_file, BPF_NOEXIST);
	return bpf_map_lookup_elem(&file_rows, key);
}

/* Made by user space before anything is attached: they are always there. */
static __always_inline struct pt_file_value *overflow_file_row(const struct pt_file_key *key)
{
	struct pt_file_key other = {};

	other.operation = key->operation;
	other.error = key->error ? PT_ERROR_OTHER : 0;
	return bpf_map_lookup_elem(&file_rows, &other);
}

#define PT_MAX_TRIES 3

/* Another CPU may write a smaller maximum over ours meanwhile: then ours is written again. */
static __always_inline void raise_maximum(struct pt_file_value *row, u64 duration_ns, u64 end_ns)
{
	volatile u64 *max_ns = &row->max_ns;
	int i;

	for (i = 0; i < PT_MAX_TRIES; i++) {
		if (*max_ns >= duration_ns)
			return;
		*max_ns = duration_ns;
		row->max_end_ns = end_ns;
	}
}

static __always_inline void count_file(struct pt_file_value *row, u64 duration_ns, u64 end_ns, u64 bytes)
{
	count(&row->count);
	__sync_fetch_and_add(&row->total_ns, duration_ns);
	__sync_fetch_and_add(&row->bytes, bytes);
	__sync_fetch_and_add(&row->buckets[log2_bucket(duration_ns) & (PT_HISTOGRAM_BUCKETS - 1)], 1);
	raise_maximum(row, duration_ns, end_ns);
}

static __always_inline void tell_file_name(struct pt_name_scratch *scratch, const struct pt_thread *thread,
					   const struct pt_object *object, u32 used, struct pt_books *books)
{
	struct pt_ledger *ledger = &books->ledger[PT_CATEGORY_NAMES];
	u32 bytes = used & 0xffff;

	count(&ledger->seen);
	if (bytes == 0) {
		count(&ledger->filtered);
		return;
	}
	if (bytes > PT_TEXT_BYTES)
		bytes = PT_TEXT_BYTES;
	set_header(&scratch->event.prefix, PT_KIND_NAME, sizeof(scratch->event) + bytes, thread->target_slot, thread->tgid);
	scratch->event.object = *object;
	scratch->event.text_bytes = bytes;
	scratch->event.truncated = used >> 16;
	if (bpf_ringbuf_output(&data_ring, scratch, sizeof(scratch->event) + bytes,
			       wakeup_flags(&data_ring, PT_DATA_RING_BYTES)))
		count(&ledger->dropped[PT_DROP_RING_FULL]);
	else
		count(&ledger->delivered);
}

/* FNV-1a over words. */
static __noinline u64 hash_path(const char *text)
{
	const u64 *words = (const u64 *)text;
	u64 hash = 0xcbf29ce484222325ULL;
	int i;

	if (!text)
		return 0;
	for (i = 0; i < PT_PATH_WORDS; i++)
		hash = (hash ^ words[i]) * 0x100000001b3ULL;
	return hash;
}

/* The path as the program gave it, in `scratch`; yields its bytes. It was read by the kernel just now, so it is there. */
static __always_inline u32 read_given_path(struct pt_object *object, struct pt_name_scratch *scratch, u64 address)
{
	long length;

	__builtin_memset(scratch->text, 0, PT_TEXT_BYTES);
	length = bpf_probe_read_user_str(scratch->text, PT_TEXT_BYTES, (void *)address);
	if (length <= 0)
		return 0;
	object->kind = PT_OBJECT_PATH;
	object->low = hash_path(scratch->text);
	return length == PT_TEXT_BYTES ? length | (1 << 16) : length; /* that long: its end may be missing */
}

static __always_inline void tell_file(const struct pt_thread *thread, const struct pt_file_key *key, u64 duration_ns,
				      u64 end_ns, u64 bytes, struct pt_books *books)
{
	struct pt_ledger *ledger = &books->ledger[PT_CATEGORY_SLOW_FILES];
	struct pt_file_event *event = bpf_ringbuf_reserve(&data_ring, sizeof(*event), 0);

	if (!event) {
		count(&ledger->dropped[PT_DROP_RING_FULL]);
		return;
	}
	set_header(&event->prefix, PT_KIND_FILE, sizeof(*event), thread->target_slot, thread->tgid);
	event->end_ns = end_ns;
	event->duration_ns = duration_ns;
	event->key = *key;
	event->bytes = bytes;
	event->tid = thread->tid;
	event->system_call = thread->file_call;
	bpf_ringbuf_submit(event, wakeup_flags(&data_ring, PT_DATA_RING_BYTES));
	count(&ledger->delivered);
}

/* Yields whether the call may be an attempt of its own, not the question how an earlier one ended. */
static __always_inline bool begin_connect_call(struct pt_thread *thread, s32 fd)
{
	struct file *file = own_file(fd);
	struct socket *socket;

	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & PT_S_IFMT) != PT_S_IFSOCK)
		return false;
	socket = BPF_CORE_READ(file, private_data);
	if (BPF_CORE_READ(socket, state) != SS_UNCONNECTED)
		return false;
	describe_file(&thread->file_object, file);
	return true;
}

/* The address as the program gave it; 0 when it is none of the family. */
static __always_inline bool read_given_peer(struct pt_object *object, u64 address)
{
	u64 head = 0;

	if (bpf_probe_read_user(&head, sizeof(head), (void *)address))
		return false;
	object->port = __builtin_bswap16((head >> 16) & 0xffff);
	if ((head & 0xffff) == PT_AF_INET) {
		object->high = 0;
		object->low = 0xffff0000ULL | (head >> 32 << 32);
		return true;
	}
	return (head & 0xffff) == PT_AF_INET6 && !bpf_probe_read_user(&object->high, 8, (void *)(address + 8)) &&
	       !bpf_probe_read_user(&object->low, 8, (void *)(address + 16));
}

/* The path of a unix socket as the program gave it, '@' for the NUL of an abstract one; yields its bytes. */
static __always_inline u32 read_given_unix_path(struct pt_name_scratch *scratch, u64 address)
{
	long length;

	__builtin_memset(scratch->text, 0, PT_TEXT_BYTES);
	length = bpf_probe_read_user_str(scratch->text, PT_UNIX_PATH_BYTES, (void *)(address + PT_AF_BYTES));
	if (length != 1)
		return length > 0 ? length : 0;
	length = bpf_probe_read_user_str(scratch->text + 1, PT_UNIX_PATH_BYTES, (void *)(address + PT_AF_BYTES + 1));
	scratch->text[0] = '@';
	return length > 0 ? length + 1 : 0;
}

/* What such a call says is no outcome: it is under way, was asked twice, or is no connect at all. */
static __always_inline bool is_no_attempt(u32 error)
{
	switch (error) {
	case PT_EINTR:
	case 9: /* EBADF */
	case 14: /* EFAULT */
	case 106: /* EISCONN */
	case 114: /* EALREADY */
	case PT_EINPROGRESS:
		return true;
	default:
		return error >= PT_ERESTARTSYS;
	}
}

/* Whom the call turned to, in `key`; false: nothing to tell. Sockets of TCP tell by their state once anything was sent. */
static __always_inline bool find_given_peer(struct pt_peer_key *key, const struct pt_thread *thread, s32 fd, u32 error,
					    struct pt_name_scratch *scratch, u32 *used)
{
	*used = 0;
	switch (thread->file_object.kind) {
	case PT_OBJECT_TCP_PEER:
	case PT_OBJECT_TCP_SERVER:
		key->object.kind = PT_OBJECT_TCP_PEER;
		return error && !(thread->file_call & PT_CONNECT_TOLD) && read_given_peer(&key->object, thread->file_argument);
	case PT_OBJECT_UDP_PEER:
	case PT_OBJECT_UDP_SERVER:
	case PT_OBJECT_UDP_QUIET:
		key->object.kind = PT_OBJECT_UDP_PEER;
		return error && read_given_peer(&key->object, thread->file_argument);
	case PT_OBJECT_UNIX_PEER:
	case PT_OBJECT_UNIX_SERVER:
	case PT_OBJECT_UNIX_PAIR:
		*used = read_given_unix_path(scratch, thread->file_argument);
		if (!error) {
			describe_file(&key->object, own_file(fd));
			return true;
		}
		/* What cannot be connected to has no address in the kernel: a hash stands for it, in the shape of one. */
		key->object.kind = PT_OBJECT_UNIX_PEER;
		key->object.low = hash_path(scratch->text) | (1ULL << 63);
		return *used > 0;
	default:
		return false;
	}
}

/* A connect that ended before anything was sent, or one of a unix socket: nothing else tells of those. */
static __noinline int end_connect_call(struct pt_thread *thread, s32 fd, long result, struct pt_books *books,
				       const struct pt_control *control)
{
	struct pt_socket_error_key key = {};
	struct pt_name_scratch *scratch;
	u32 zero = 0, used, error = result < 0 ? -result : 0;
	u64 begin_ns, end_ns = bpf_ktime_get_ns();
	struct pt_ledger *ledger;
	struct pt_peer *peer;
	bool is_new;

	if (!thread || !books || !control)
		return 0;
	ledger = &books->ledger[PT_CATEGORY_CONNECT_CALLS];
	count(&ledger->seen);
	scratch = bpf_map_lookup_elem(&file_scratch, &zero);
	begin_ns = thread->file_call_ns;
	thread->file_call_ns = 0;
	key.peer.tgid = thread->tgid;
	key.peer.target_slot = thread->target_slot;
	if (!scratch || !is_slot_active(thread->target_slot) || begin_ns < control->files_since_ns || !begin_ns ||
	    file_operation_of(thread->file_call & ~PT_CONNECT_TOLD) != PT_CONNECT_CALL || is_no_attempt(error) ||
	    !find_given_peer(&key.peer, thread, fd, error, scratch, &used)) {
		count(&ledger->filtered);
		return 0;
	}
	is_new = !bpf_map_lookup_elem(&peers, &key.peer);
	peer = peer_at(&key.peer);
	count(&ledger->aggregated);
	if (peer) {
		__sync_fetch_and_add(&peer->connects, 1);
		if (error)
			__sync_fetch_and_add(&peer->connect_failures, 1);
		else
			add_latency(&peer->handshakes, end_ns - begin_ns, end_ns);
	}
	key.operation = PT_OPERATION_CONNECT;
	key.error = error;
	if (error)
		count_error_at(&key);
	if (is_new && used)
		tell_file_name(scratch, thread, &key.peer.object, used, books);
	emit_event_of(PT_KIND_CONNECT, &key.peer, end_ns - begin_ns, end_ns, PT_OPERATION_CONNECT, error, books, control);
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(file_call_enter, struct pt_regs *regs, long number)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct pt_books *books = get_books();
	u32 operation = file_operation_of(number);
	struct pt_control *control;
	struct pt_thread *thread;
	u64 key = (u64)task;

	if (!books)
		return 0;
	books->calls[PT_HOOK_FILE_CALL_ENTER]++;
	/* Most calls of most processes end here. */
	if (operation == PT_FILE_NONE)
		return 0;
	control = get_control();
	if (!control || !control->enabled || control->frozen_at_ns)
		return 0;
	thread = bpf_map_lookup_elem(&threads, &key);
	if (!thread || pt_arch_is_compat(task))
		return 0;
	__builtin_memset(&thread->file_object, 0, sizeof(thread->file_object));
	if (operation == PT_CONNECT_CALL) {
		if (!control->follow_sockets || !begin_connect_call(thread, (s32)pt_arch_argument(regs, 0)))
			return 0;
		thread->file_argument = pt_arch_argument(regs, 1);
	} else if (has_descriptor(operation)) {
		thread->file_argument = pt_arch_argument(regs, 0);
		describe_file(&thread->file_object, own_file((s32)thread->file_argument));
	} else {
		thread->file_argument = path_index(number) ? pt_arch_argument(regs, 1) : pt_arch_argument(regs, 0);
	}
	thread->file_call = number;
	thread->file_call_ns = bpf_ktime_get_ns();
	return 0;
}

/* What the call was about; false: nothing of ours. `used` says what `scratch` holds of its name. */
static __always_inline bool find_object(struct pt_file_key *key, struct pt_thread *thread, long result,
					struct pt_name_scratch *scratch, u32 *used)
{
	u32 operation = key->operation;

	*used = 0;
	if (has_descriptor(operation)) {
		/* A bad descriptor is an operation on nothing; what else is no file is somebody else's. */
		key->object = thread->file_object;
		return key->object.kind == PT_OBJECT_FILE || (result < 0 && key->object.kind == PT_OBJECT_NONE);
	}
	if (result < 0) {
		*used = read_given_path(&key->object, scratch, thread->file_argument);
		return true;
	}
	if (operation != PT_FILE_OPEN)
		return operation != PT_FILE_EXEC;
	describe_file(&key->object, own_file((s32)result));
	return key->object.kind == PT_OBJECT_FILE;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_call_exit, struct pt_regs *regs, long result)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct pt_books *books = get_books();
	u32 operation = file_operation_of(pt_arch_call_number(regs)), zero = 0, used;
	struct pt_control *control;
	struct pt_name_scratch *scratch;
	struct pt_file_key key = {};
	struct pt_file_value *row;
	u64 task_key = (u64)task, begin_ns, end_ns, duration_ns, bytes = 0;
	struct pt_ledger *ledger;
	struct pt_thread *thread;
	bool is_new, is_slow;

	if (!books)
		return 0;
	books->calls[PT_HOOK_FILE_CALL_EXIT]++;
	if (operation == PT_FILE_NONE)
		return 0;
	control = get_control();
	if (!control || !control->enabled || control->frozen_at_ns)
		return 0;
	if (operation == PT_CONNECT_CALL) {
		thread = control->follow_sockets ? bpf_map_lookup_elem(&threads, &task_key) : NULL;
		if (thread)
			end_connect_call(thread, (s32)pt_arch_argument(regs, 0), result, books, control);
		return 0;
	}
	ledger = &books->ledger[PT_CATEGORY_FILES];
	count(&ledger->seen);
	thread = bpf_map_lookup_elem(&threads, &task_key);
	if (!thread)
		goto filtered;
	scratch = bpf_map_lookup_elem(&file_scratch, &zero);
	if (!scratch || !is_slot_active(thread->target_slot))
		goto filtered;
	begin_ns = thread->file_call_ns;
	thread->file_call_ns = 0;
	/* Without a begin, or with one left from a look before, it is older than this look; with an error from 512 on it is not over yet. */
	if (!begin_ns || begin_ns < control->files_since_ns || file_operation_of(thread->file_call) != operation ||
	    (result <= -PT_ERESTARTSYS && result >= -PT_ERESTART_LAST))
		goto filtered;
	end_ns = bpf_ktime_get_ns();
	duration_ns = end_ns - begin_ns;
	key.tgid = thread->tgid;
	key.target_slot = thread->target_slot;
	key.operation = operation;
	key.error = result < 0 ? -result : 0;
	if (!find_object(&key, thread, result, scratch, &used))
		goto filtered;
	if (result > 0 && (operation == PT_FILE_READ || operation == PT_FILE_WRITE))
		bytes = result;
	row = file_row(&key, &is_new);
	if (is_new) {
		if (key.object.kind == PT_OBJECT_FILE) {
			s32 fd = has_descriptor(operation) ? (s32)thread->file_argument : (s32)result;
			struct file *file = own_file(fd);

			/* Closed by now: what was done with it before has told its name, if anything was. */
			if (file)
				used = read_name(scratch->text, &key.object, file, PT_PATH_OF_FILE);
		}
		if (key.object.kind != PT_OBJECT_NONE)
			tell_file_name(scratch, thread, &key.object, used, books);
	}
	is_slow = control->slow_file_ns && duration_ns >= control->slow_file_ns;
	count(&books->ledger[PT_CATEGORY_SLOW_FILES].seen);
	if (is_slow || (control->slow_file_ns && key.error && row && row->count < PT_FAILURES_TOLD))
		tell_file(thread, &key, duration_ns, end_ns, bytes, books);
	else
		count(&books->ledger[PT_CATEGORY_SLOW_FILES].filtered);
	if (row) {
		count(&ledger->aggregated);
	} else {
		row = overflow_file_row(&key);
		count(&ledger->dropped[row ? PT_DROP_KEY_OVERFLOW : PT_DROP_MAP_FULL]);
	}
	if (row)
		count_file(row, duration_ns, end_ns, bytes);
	return 0;
filtered:
	count(&ledger->filtered);
	return 0;
}
