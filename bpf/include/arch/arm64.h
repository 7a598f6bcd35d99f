/* SPDX-License-Identifier: GPL-2.0 */
/* Everything the programs know about arm64. */
#ifndef PT_ARCH_H
#define PT_ARCH_H

struct user_pt_regs {
	u64 regs[31];
} __attribute__((preserve_access_index));

struct pt_regs {
	struct user_pt_regs user_regs;
	u64 orig_x0;
	s32 syscallno;
} __attribute__((preserve_access_index));

#define PT_ARCH_SYSTEM_CALL_COUNT 512

/* include/linux/thread_info.h (arch/arm64): the task runs 32-bit code. */
#define PT_TIF_32BIT 22

/* Before 5.15 nothing yields another task's registers; where its stack ends depends on the page size. */
static __always_inline bool pt_arch_knows_registers(void)
{
	return bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs);
}

static __always_inline const struct pt_regs *pt_arch_registers(struct task_struct *task)
{
	return (const struct pt_regs *)bpf_task_pt_regs(task);
}

/* `syscallno` is NO_SYSCALL (-1) outside of one (arch/arm64/include/asm/ptrace.h). */
static __always_inline long pt_arch_system_call(struct task_struct *task, const struct pt_regs *regs)
{
	if (task->thread_info.flags & (1UL << PT_TIF_32BIT))
		return -1;
	return regs->syscallno;
}

static __always_inline bool pt_arch_is_exception(const struct pt_regs *regs)
{
	return regs->syscallno == -1;
}

static __always_inline bool pt_arch_is_compat(struct task_struct *task)
{
	return BPF_CORE_READ(task, thread_info.flags) & (1UL << PT_TIF_32BIT);
}

/* The number a call had, in the tracepoint of its return, whose registers may be read directly. */
static __always_inline long pt_arch_call_number(const struct pt_regs *regs)
{
	return regs->syscallno;
}

/* The first argument shares its register with the result, so the kernel keeps a copy. */
static __always_inline u64 pt_arch_argument(const struct pt_regs *regs, int index)
{
	switch (index) {
	case 0:
		return regs->orig_x0;
	case 1:
		return regs->user_regs.regs[1];
	case 2:
		return regs->user_regs.regs[2];
	default:
		return regs->user_regs.regs[3];
	}
}

static __always_inline u64 pt_arch_fifth_argument(const struct pt_regs *regs)
{
	return regs->user_regs.regs[4];
}

static __always_inline u64 pt_arch_sixth_argument(const struct pt_regs *regs)
{
	return regs->user_regs.regs[5];
}

#endif
