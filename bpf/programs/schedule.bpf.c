/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The time plane. Every nanosecond of a target thread is on-CPU, runnable or
 * blocked; sched_switch moves it off and on a CPU, sched_waking ends a block.
 */

/*
 * What a thread was throttled so far: the groups above it with a CPU limit, the
 * root has none. Loads, not copies: this runs at every wakeup.
 */
static __always_inline u64 throttled_ns_of(struct task_struct *task)
{
	struct task_group *group = NULL;
	u64 total = 0;
	int i;

	/* A kernel built without CFS bandwidth control cannot throttle. */
	if (!bpf_core_field_exists(task->sched_task_group) || !bpf_core_field_exists(group->cfs_bandwidth))
		return 0;
	group = task->sched_task_group;
	for (i = 0; i < 8 && group; i++) {
		struct task_group *parent = group->parent;

		if (!parent)
			break;
		if (group->cfs_bandwidth.quota != ~0ULL)
			total += group->cfs_bandwidth.throttled_time;
		group = parent;
	}
	return total;
}

static __always_inline void become_runnable(struct pt_thread *thread, struct task_struct *task, u64 now)
{
	thread->state = PT_STATE_RUNNABLE;
	thread->since_ns = now;
	thread->throttle_mark_ns = throttled_ns_of(task);
}

/* The groups' clocks add up over CPUs, and it may have moved to a group whose clock stands lower. */
static __always_inline u64 throttled_since(const struct pt_thread *thread, struct task_struct *task, u64 interval_ns)
{
	u64 total_ns = throttled_ns_of(task);

	if (total_ns <= thread->throttle_mark_ns)
		return 0;
	return total_ns - thread->throttle_mark_ns < interval_ns ? total_ns - thread->throttle_mark_ns : interval_ns;
}

/* No thread of the process is left, and this one is the first to say so. Its id may be anybody's from here on. */
static __always_inline bool ends_process(struct pt_thread *thread, struct task_struct *task)
{
	u32 tgid = thread->tgid, one = 1;

	if (BPF_CORE_READ(task, signal, live.counter) != 0)
		return false;
	bpf_map_delete_elem(&target_processes, &tgid);
	return bpf_map_update_elem(&ended_processes, &tgid, &one, BPF_NOEXIST) == 0;
}

/* Its whole ledger leaves with the thread, in a record or, with no room for one, in the totals. */
static __noinline int close_thread(struct pt_thread *thread, struct task_struct *task, struct pt_books *books, u64 now,
				   bool left_target)
{
	struct pt_ledger *ledger;
	struct pt_exit_event *event;
	u64 key = (u64)task, number;

	if (!thread || !task || !books)
		return 0;
	ledger = &books->ledger[PT_CATEGORY_LIFECYCLE];
	event = bpf_ringbuf_reserve(&lifecycle_ring, sizeof(*event), 0);
	if (!event) {
		struct pt_departed last = {
			.lifetime_ns = now - thread->begin_ns,
			.on_cpu_ns = thread->on_cpu_ns,
			.runnable_ns = thread->runnable_ns,
			.throttled_ns = thread->throttled_ns,
			.blocked_ns = thread->blocked_ns,
		};

		if (!left_target)
			ends_process(thread, task);
		/* Whoever takes the row out accounts for it: the iterator may be closing the same thread. */
		if (bpf_map_delete_elem(&threads, &key))
			return 0;
		filter_remove(&thread_filter, task);
		count(&ledger->seen);
		count(&ledger->dropped[PT_DROP_RING_FULL]);
		books->departed.thread_count++;
		books->departed.lifetime_ns += last.lifetime_ns;
		books->departed.on_cpu_ns += last.on_cpu_ns;
		books->departed.runnable_ns += last.runnable_ns;
		books->departed.throttled_ns += last.throttled_ns;
		books->departed.blocked_ns += last.blocked_ns;
		return 0;
	}
	set_header(&event->prefix, PT_KIND_EXIT, sizeof(*event), thread->target_slot, thread->tgid);
	event->end_ns = now;
	event->begin_ns = thread->begin_ns;
	event->on_cpu_ns = thread->on_cpu_ns;
	event->runnable_ns = thread->runnable_ns;
	event->throttled_ns = thread->throttled_ns;
	event->blocked_ns = thread->blocked_ns;
	event->kernel_on_cpu_ns = BPF_CORE_READ(task, se.sum_exec_runtime) - thread->seed_exec_ns;
	event->kernel_delay_ns = BPF_CORE_READ(task, sched_info.run_delay) - thread->seed_delay_ns;
	number = number_of(task);
	event->minor_faults = faults_of(number, false) - thread->seed_minor_faults;
	event->major_faults = faults_of(number, true) - thread->seed_major_faults;
	event->oom_victim = is_oom_victim(number);
	event->padding = 0;
	event->tid = thread->tid;
	event->namespace_tid = thread->namespace_tid;
	event->parent_tgid = BPF_CORE_READ(task, real_parent, tgid);
	event->exit_code = BPF_CORE_READ(task, exit_code);
	event->process_ended = !left_target && ends_process(thread, task);
	event->left_target = left_target;
	__builtin_memset(event->comm, 0, sizeof(event->comm));
	bpf_probe_read_kernel_str(event->comm, sizeof(event->comm), &task->comm);
	if (bpf_map_delete_elem(&threads, &key)) {
		bpf_ringbuf_discard(event, BPF_RB_NO_WAKEUP);
		return 0;
	}
	filter_remove(&thread_filter, task);
	count(&ledger->seen);
	count(&ledger->delivered);
	bpf_ringbuf_submit(event, wakeup_flags(&lifecycle_ring, PT_LIFECYCLE_RING_BYTES));
	return 0;
}

/*
 * The scheduler charges by a clock that it reads before it switches: some
 * microseconds before when it comes out of idle (6 us in half of the cases,
 * measured), and as early as the wakeup that made it switch where the kernel was
 * busy meanwhile (rq_clock_skip_update). Its accounts say when a thread came and
 * left. The tick brings them up to date; what was not charged for longer was
 * taken from the machine by its host, and stays where the clock says it was.
 */
#define PT_TICK_NS_MAX 10000000 /* at 100 a second */

static __always_inline u64 at_most(u64 value, u64 limit)
{
	return value < limit ? value : limit;
}

/* How much of the last wait for a CPU was the scheduler telling us late: its own count of that wait is shorter. */
static __always_inline u64 arrival_lag_ns(const struct pt_thread *thread, struct task_struct *task, u64 charged_ns,
					  u64 interval_ns)
{
	u64 delay_ns = task->sched_info.run_delay - thread->delay_mark_ns;
	u64 lag_ns = charged_ns > interval_ns ? charged_ns - interval_ns : 0;

	/* A kernel that does not count delays leaves the net difference of both ends. */
	if (task->sched_info.run_delay && delay_ns + lag_ns < thread->last_runnable_ns)
		lag_ns = thread->last_runnable_ns - delay_ns;
	/* Nobody ran for longer than was charged. */
	return at_most(at_most(lag_ns, charged_ns), thread->last_runnable_ns);
}

/* Yields when it left the CPU, not later than `now`. */
static __always_inline u64 book_on_cpu(struct pt_thread *thread, struct task_struct *task, u64 interval_ns, u64 now)
{
	u64 charged_ns = task->se.sum_exec_runtime - thread->exec_mark_ns, lag_ns;

	lag_ns = arrival_lag_ns(thread, task, charged_ns, interval_ns);
	thread->runnable_ns -= lag_ns;
	thread->on_cpu_ns += interval_ns + lag_ns;
	if (charged_ns >= interval_ns + lag_ns)
		return now;
	lag_ns = at_most(at_most(interval_ns + lag_ns - charged_ns, PT_TICK_NS_MAX), interval_ns);
	thread->on_cpu_ns -= lag_ns;
	return now - lag_ns;
}

/*
 * Off the CPU; yields since when. A row that is not RUNNING was seeded while it
 * changed: the scheduler's account decides.
 */
static __always_inline u64 leave_cpu(struct pt_thread *thread, struct task_struct *task, u64 now)
{
	u64 interval_ns = now - thread->since_ns, known_ns, on_cpu_ns;

	if (now <= thread->since_ns)
		return thread->since_ns;
	if (thread->state == PT_STATE_RUNNING)
		return book_on_cpu(thread, task, interval_ns, now);
	known_ns = task->se.sum_exec_runtime - thread->seed_exec_ns;
	on_cpu_ns = known_ns > thread->on_cpu_ns ? known_ns - thread->on_cpu_ns : 0;
	if (on_cpu_ns > interval_ns)
		on_cpu_ns = interval_ns;
	thread->on_cpu_ns += on_cpu_ns;
	if (thread->state == PT_STATE_BLOCKED) {
		thread->blocked_ns += interval_ns - on_cpu_ns;
		thread->pending_ns = interval_ns - on_cpu_ns;
	} else {
		thread->runnable_ns += interval_ns - on_cpu_ns;
	}
	return now;
}

/* A stack that cannot be taken (no room, a page not there) is no stack, whatever the reason. */
static __always_inline void take_user_stack(void *ctx, struct pt_thread *thread)
{
	long id = bpf_get_stackid(ctx, &user_stacks, BPF_F_USER_STACK);

	thread->stack_id = id < 0 ? -1 : id;
}

/*
 * It comes onto a CPU and is said to be on one: its last switch was not told.
 * Or it leaves one, and has left one since it came onto it: two were not told.
 * The scheduler's accounts say how much of the time since it ran and wanted to;
 * the rest it was blocked, in nobody knows what.
 */
static __noinline int book_untold_switch(struct pt_thread *thread, struct task_struct *task, struct pt_books *books,
					 const struct pt_control *control, u64 now)
{
	u64 interval_ns, on_cpu_ns, delay_ns, known_ns;

	if (!thread || !task || !books || !control)
		return 0;
	interval_ns = now > thread->since_ns ? now - thread->since_ns : 0;
	on_cpu_ns = at_most(BPF_CORE_READ(task, se.sum_exec_runtime) - thread->exec_mark_ns, interval_ns);
	/* The wait that ended as it came onto the CPU is counted after we are told. */
	known_ns = thread->delay_mark_ns + thread->last_runnable_ns;
	delay_ns = BPF_CORE_READ(task, sched_info.run_delay);
	delay_ns = at_most(delay_ns > known_ns ? delay_ns - known_ns : 0, interval_ns - on_cpu_ns);
	thread->on_cpu_ns += on_cpu_ns;
	thread->runnable_ns += delay_ns;
	thread->pending_ns = interval_ns - on_cpu_ns - delay_ns;
	thread->blocked_ns += thread->pending_ns;
	if (!thread->pending_ns)
		return 0;
	thread->wait_class = PT_WAIT_OTHER;
	thread->system_call = PT_NO_SYSTEM_CALL;
	thread->poll_kind = PT_POLL_NONE;
	thread->stack_id = -1;
	__builtin_memset(&thread->object, 0, sizeof(thread->object));
	finish_wait(thread, task, books, control, now);
	thread->wait_class = PT_WAIT_NONE;
	return 0;
}

/* The scheduler has counted the switch it is in: one more is one nobody told of, and so is the way back. */
static __always_inline bool was_away(const struct pt_thread *thread, struct task_struct *task, u64 now)
{
	return thread->state == PT_STATE_RUNNING && now > thread->since_ns &&
	       switches_of(task) - thread->switch_mark > 1;
}

static __always_inline void switch_out(void *ctx, struct pt_thread *thread, struct task_struct *task, bool is_preempted,
				       u32 state, struct pt_books *books, const struct pt_control *control, u64 now)
{
	if (was_away(thread, task, now))
		book_untold_switch(thread, task, books, control, now);
	else
		now = leave_cpu(thread, task, now);
	/* Seeded while it woke up: nobody saw that wait end, and what is in no row would have no name. */
	if (thread->pending_ns && thread->wait_class != PT_WAIT_NONE)
		finish_wait(thread, task, books, control, now);
	thread->pending_ns = 0;
	thread->wait_class = PT_WAIT_NONE;
	thread->since_ns = now;
	thread->switch_count++;
	if (state & PT_TASK_DEAD) {
		close_thread(thread, task, books, now, false);
		return;
	}
	if (is_preempted || state == 0) {
		become_runnable(thread, task, now);
		return;
	}
	/* Threads name themselves after they were born; look often at first, then seldom. */
	if (thread->switch_count < 16 || (thread->switch_count & 63) == 0)
		bpf_probe_read_kernel_str(thread->comm, sizeof(thread->comm), task->comm);
	join_call(thread, task);
	capture_wait(thread, task, state, true);
	if (thread->poll_kind == PT_POLL_NONE)
		part_waits(thread);
	thread->stack_id = -1;
	if (control->user_stacks)
		take_user_stack(ctx, thread);
	thread->state = PT_STATE_BLOCKED;
}

/* It waited for a CPU that long. Yields how much of it was not for a limit's sake. */
static __always_inline u64 book_runnable(struct pt_thread *thread, struct task_struct *task, u64 interval_ns)
{
	u64 throttled_ns = throttled_since(thread, task, interval_ns);

	thread->throttled_ns += throttled_ns;
	thread->runnable_ns += interval_ns - throttled_ns;
	return interval_ns - throttled_ns;
}

/* A wait of which nobody will see the end: booked as far as it went, under the name its object already has. */
static __noinline int book_unfinished_wait(struct pt_thread *thread, struct pt_books *books, u64 duration_ns, u64 now)
{
	struct pt_ledger *ledger;
	struct pt_wait_key key = {};
	struct pt_wait_value *row;

	if (!thread || !books)
		return 0;
	ledger = &books->ledger[PT_CATEGORY_WAITS];
	count(&ledger->seen);
	fill_key(&key, thread);
	row = bpf_map_lookup_elem(&waits, &key);
	if (!row) {
		bpf_map_update_elem(&waits, &key, &zero_wait, BPF_NOEXIST);
		row = bpf_map_lookup_elem(&waits, &key);
	}
	if (row) {
		count(&ledger->aggregated);
	} else {
		row = overflow_row(&key);
		count(&ledger->dropped[row ? PT_DROP_KEY_OVERFLOW : PT_DROP_MAP_FULL]);
	}
	if (row)
		count_wait(row, thread, duration_ns, now);
	return 0;
}

/* Lets a thread go that lives on, because its target or the thread itself has moved: its present state ends here. */
static __noinline int release_thread(struct pt_thread *thread, struct task_struct *task, struct pt_books *books, u64 now)
{
	u64 interval_ns, waited_ns;

	if (!thread || !task || !books)
		return 0;
	interval_ns = now > thread->since_ns ? now - thread->since_ns : 0;
	if (thread->state == PT_STATE_RUNNING)
		thread->on_cpu_ns += interval_ns;
	else if (thread->state == PT_STATE_RUNNABLE)
		book_runnable(thread, task, interval_ns);
	else
		thread->blocked_ns += interval_ns;
	waited_ns = thread->pending_ns + (thread->state == PT_STATE_BLOCKED ? interval_ns : 0);
	if (waited_ns && thread->wait_class != PT_WAIT_NONE)
		book_unfinished_wait(thread, books, waited_ns, now);
	return close_thread(thread, task, books, now, true);
}

static __always_inline void switch_in(struct pt_thread *thread, struct task_struct *task, struct pt_books *books,
				      const struct pt_control *control, u64 now)
{
	u64 interval_ns = now > thread->since_ns ? now - thread->since_ns : 0;
	u64 woken_ns = thread->since_ns;

	if (thread->state == PT_STATE_RUNNING)
		book_untold_switch(thread, task, books, control, now);
	thread->last_runnable_ns = 0;
	if (thread->state == PT_STATE_RUNNABLE) {
		thread->last_runnable_ns = book_runnable(thread, task, interval_ns);
	} else if (thread->state == PT_STATE_BLOCKED) {
		/* Its wakeup was missed: from when it waited for a CPU is not known. */
		thread->blocked_ns += interval_ns;
		thread->pending_ns = interval_ns;
		woken_ns = now;
	}
	if (thread->wait_class != PT_WAIT_NONE) {
		finish_wait(thread, task, books, control, woken_ns);
		thread->wait_class = PT_WAIT_NONE;
	}
	thread->waker_tid = 0;
	thread->exec_mark_ns = task->se.sum_exec_runtime;
	thread->switch_mark = switches_of(task);
	thread->delay_mark_ns = task->sched_info.run_delay;
	thread->state = PT_STATE_RUNNING;
	thread->since_ns = now > thread->since_ns ? now : thread->since_ns;
}

/* A known thread may have moved to another cgroup; an unknown one may have moved into a target. */
static __always_inline struct pt_thread *find_thread(struct task_struct *task, struct pt_books *books,
						     const struct pt_control *control, u64 now, u32 state,
						     struct pt_ledger *ledger)
{
	u64 key = (u64)task;
	struct pt_thread *thread = bpf_map_lookup_elem(&threads, &key);
	u32 slot, generation;

	if (thread) {
		if (thread->state == 0) {
			ledger->filtered++;
			return NULL;
		}
		if (!thread->cgroup_address || thread->cgroup_address == (u64)cgroup_of(task))
			return thread;
		slot = slot_by_place(task, control);
		if (slot == thread->target_slot) {
			thread->cgroup_address = (u64)cgroup_of(task);
			return thread;
		}
		release_thread(thread, task, books, now);
	}
	generation = *(volatile const u32 *)&control->target_generation;
	slot = slot_by_place(task, control);
	if (!slot) {
		note_elsewhere(task, control, generation);
		ledger->filtered++;
		return NULL;
	}
	thread = adopt(task, slot, now, true);
	if (thread)
		thread->state = state;
	else
		ledger->dropped[PT_DROP_MAP_FULL]++;
	return thread;
}

#define PT_PREEMPTED (1ULL << 32)

/* A thread that may be a target's leaves its CPU. `state`: what it leaves it for, PT_PREEMPTED beside it. */
static __noinline int leave(void *context, struct task_struct *task, u64 state, struct pt_books *books, u64 now)
{
	struct pt_control *control = get_control();
	struct pt_ledger *ledger;
	struct pt_thread *thread;

	if (!control || !books || !task)
		return 0;
	ledger = &books->ledger[PT_CATEGORY_SCHEDULING];
	ledger->seen++;
	thread = find_thread(task, books, control, now, PT_STATE_RUNNING, ledger);
	if (!thread)
		return 0;
	switch_out(context, thread, task, state & PT_PREEMPTED, (u32)state, books, control, now);
	ledger->aggregated++;
	return 0;
}

/* A thread that may be a target's comes onto a CPU. */
static __noinline int arrive(struct task_struct *task, struct pt_books *books, u64 now)
{
	struct pt_control *control = get_control();
	struct pt_ledger *ledger;
	struct pt_thread *thread;

	if (!control || !books || !task)
		return 0;
	ledger = &books->ledger[PT_CATEGORY_SCHEDULING];
	ledger->seen++;
	thread = find_thread(task, books, control, now, PT_STATE_RUNNABLE, ledger);
	if (!thread)
		return 0;
	switch_in(thread, task, books, control, now);
	ledger->aggregated++;
	return 0;
}

/* Neither has a row, nor is in a place where one would be made for it. */
static __always_inline bool is_bystander(struct task_struct *task, const struct pt_control *control)
{
	return !may_hold(&thread_filter, task) && is_elsewhere(task, control);
}

/* One of both may be a target's, by its row or by its place. */
static __noinline int on_switch(u64 *context, struct task_struct *prev, struct task_struct *next, u32 prev_state)
{
	struct pt_control *control = get_control();
	struct pt_books *books = get_books();
	bool has_left, has_come;
	u64 now;

	if (!control || !books || !prev || !next)
		return 0;
	if (!is_open(control)) {
		books->calls[PT_HOOK_SCHED_SWITCH]++;
		return 0;
	}
	has_left = !is_bystander(prev, control);
	has_come = !is_bystander(next, control);
	if (!has_left && !has_come) {
		books->bystanders[PT_HOOK_SCHED_SWITCH]++;
		return 0;
	}
	books->calls[PT_HOOK_SCHED_SWITCH]++;
	if (!has_left || !has_come) {
		books->ledger[PT_CATEGORY_SCHEDULING].seen++;
		books->ledger[PT_CATEGORY_SCHEDULING].filtered++;
	}
	now = bpf_ktime_get_ns();
	if (has_left)
		leave(context, prev, prev_state | (context[0] ? PT_PREEMPTED : 0), books, now);
	if (has_come)
		arrive(next, books, now);
	return 0;
}

/*
 * Whether that is all there is to the call: it is counted, as a bystander's when
 * the window is open. Last in the programs' first look: what lives across a
 * look-up would have to be saved, for clang a look-up is a call.
 */
static __always_inline bool pass(u32 hook, bool looks_at_places)
{
	struct pt_books *books = get_books();
	struct pt_control *control = get_control();

	if (!books || !control)
		return true;
	if (!is_open(control)) {
		books->calls[hook]++;
		return true;
	}
	if (looks_at_places && (control->cgroup_levels | control->system_wide_slot))
		return false;
	books->bystanders[hook]++;
	return true;
}

/*
 * Runs at every switch of every process. What bystanders pay for stands here and
 * calls nothing: even the return from a call is dear on kernels that guard it.
 */
static __always_inline bool is_switch_of_others(struct task_struct *prev, struct task_struct *next)
{
	return !may_hold(&thread_filter, prev) && !may_hold(&thread_filter, next) && pass(PT_HOOK_SCHED_SWITCH, true);
}

SEC("tp_btf/sched_switch")
int sched_switch(u64 *context)
{
	struct task_struct *prev = (void *)context[1], *next = (void *)context[2];

	if (is_switch_of_others(prev, next))
		return 0;
	return on_switch(context, prev, next, context[3]);
}

/* Before 5.18 the tracepoint does not say with what state the task was taken off. */
SEC("tp_btf/sched_switch")
int sched_switch_by_task_state(u64 *context)
{
	struct task_struct *prev = (void *)context[1], *next = (void *)context[2];

	if (is_switch_of_others(prev, next))
		return 0;
	return on_switch(context, prev, next, state_of(prev));
}

static __always_inline void note_waker(struct pt_thread *thread)
{
	u64 id = bpf_get_current_pid_tgid();

	thread->waker_tid = (u32)id;
	thread->waker_tgid = id >> 32;
	bpf_get_current_comm(thread->waker_comm, sizeof(thread->waker_comm));
}

/* The books of a wakeup of what may be a target's thread, if it is one in the window. */
static __always_inline struct pt_books *books_of_wakeup(u32 hook)
{
	struct pt_control *control = get_control();
	struct pt_books *books = get_books();

	if (!control || !books)
		return NULL;
	books->calls[hook]++;
	return is_open(control) ? books : NULL;
}

/* A thread that may be a target's is woken; runs in its waker, or in an interrupt on top of anybody. */
static __noinline int on_waking(struct task_struct *task)
{
	struct pt_books *books = books_of_wakeup(PT_HOOK_SCHED_WAKING);
	struct pt_ledger *ledger;
	struct pt_thread *thread;
	u64 key = (u64)task, now;

	if (!task || !books)
		return 0;
	ledger = &books->ledger[PT_CATEGORY_SCHEDULING];
	count(&ledger->seen);
	thread = bpf_map_lookup_elem(&threads, &key);
	if (!thread || thread->state == 0) {
		count(&ledger->filtered);
		return 0;
	}
	count(&ledger->aggregated);
	/* It may still be on its way off the CPU: then its state is not known yet, but who wakes it is. */
	note_waker(thread);
	if (thread->state == PT_STATE_BLOCKED && thread->wait_class == PT_WAIT_LOCK && thread->object.kind == PT_OBJECT_LOCK) {
		now = bpf_ktime_get_ns();
		follow_holder(thread, books, now > thread->since_ns ? now - thread->since_ns : 0, now);
	}
	return 0;
}

/* A thread that may be a target's is put on a run queue. */
static __noinline int on_wakeup(struct task_struct *task)
{
	struct pt_books *books = books_of_wakeup(PT_HOOK_SCHED_WAKEUP);
	struct pt_ledger *ledger;
	struct pt_thread *thread;
	u64 key = (u64)task, now;

	if (!task || !books)
		return 0;
	ledger = &books->ledger[PT_CATEGORY_SCHEDULING];
	count(&ledger->seen);
	thread = bpf_map_lookup_elem(&threads, &key);
	if (!thread || thread->state == 0) {
		count(&ledger->filtered);
		return 0;
	}
	count(&ledger->aggregated);
	if (thread->state != PT_STATE_BLOCKED)
		return 0;
	now = bpf_ktime_get_ns();
	thread->pending_ns = now > thread->since_ns ? now - thread->since_ns : 0;
	thread->blocked_ns += thread->pending_ns;
	become_runnable(thread, task, now);
	return 0;
}

/*
 * Counted without an atomic operation: a call that an interrupt breaks into may
 * be lost, of a bystander's on both sides of the ledger.
 */
SEC("tp_btf/sched_waking")
int sched_waking(u64 *context)
{
	struct task_struct *task = (void *)context[0];

	if (!may_hold(&thread_filter, task) && pass(PT_HOOK_SCHED_WAKING, false))
		return 0;
	return on_waking(task);
}

/* On a run queue: here, not at sched_waking, the scheduler begins to count its delay (an interrupt may lie between). */
SEC("tp_btf/sched_wakeup")
int sched_wakeup(u64 *context)
{
	struct task_struct *task = (void *)context[0];

	if (!may_hold(&thread_filter, task) && pass(PT_HOOK_SCHED_WAKEUP, false))
		return 0;
	return on_wakeup(task);
}
