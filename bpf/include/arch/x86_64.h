/* SPDX-License-Identifier: GPL-2.0 */
/* Everything the programs know about x86-64. */
#ifndef PT_ARCH_H
#define PT_ARCH_H

struct pt_regs {
	unsigned long r10;
	unsigned long r9;
	unsigned long r8;
	unsigned long ax;
	unsigned long dx;
	unsigned long si;
	unsigned long di;
	unsigned long orig_ax;
	unsigned long cs;
} __attribute__((preserve_access_index));

#define PT_ARCH_SYSTEM_CALL_COUNT 512
#define PT_ENOSYS 38

/* arch/x86/include/asm/thread_info.h: the system call came through the 32-bit door. */
#define PT_TS_COMPAT 0x0002

/* THREAD_SIZE without KASAN (arch/x86/include/asm/page_64_types.h); with it the stack is larger and `cs` gives it away. */
#define PT_STACK_BYTES 16384

#define pt_arch_has_helper() bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs)

/* What the helper yields can be read directly, what was found on the stack cannot. */
#define PT_ARCH_READ(regs, field) (pt_arch_has_helper() ? (regs)->field : BPF_CORE_READ(regs, field))

/* With the helper or without: before 5.15 they are taken from where task_pt_regs() of the kernel finds them. */
static __always_inline bool pt_arch_knows_registers(void)
{
	return true;
}

/* The user's registers of any task: the last thing on its kernel stack (arch/x86/include/asm/processor.h). */
static __always_inline const struct pt_regs *pt_arch_registers(struct task_struct *task)
{
	if (pt_arch_has_helper())
		return (const struct pt_regs *)bpf_task_pt_regs(task);
	return BPF_CORE_READ(task, stack) + PT_STACK_BYTES - bpf_core_type_size(struct pt_regs);
}

/*
 * The system call a switched-out task is in, or -1. `orig_ax` is one only while
 * `ax` still holds the -ENOSYS the entry code put there (arch/x86/entry/entry_64.S).
 */
static __always_inline long pt_arch_system_call(struct task_struct *task, const struct pt_regs *regs)
{
	if ((long)PT_ARCH_READ(regs, ax) != -PT_ENOSYS)
		return -1;
	if (task->thread_info.status & PT_TS_COMPAT)
		return -1;
	/* User code runs at privilege 3: anything else there is no register set. */
	if (!pt_arch_has_helper() && (BPF_CORE_READ(regs, cs) & 3) != 3)
		return -1;
	return (long)PT_ARCH_READ(regs, orig_ax);
}

/* True in the kernel because of a fault or an interrupt, not of a system call. */
static __always_inline bool pt_arch_is_exception(const struct pt_regs *regs)
{
	return (long)PT_ARCH_READ(regs, orig_ax) == -1;
}

/* The task runs 32-bit code just now, or came through that door: numbers mean other calls there. */
static __always_inline bool pt_arch_is_compat(struct task_struct *task)
{
	return BPF_CORE_READ(task, thread_info.status) & PT_TS_COMPAT;
}

/* The number a call had, in the tracepoint of its return, whose registers may be read directly. */
static __always_inline long pt_arch_call_number(const struct pt_regs *regs)
{
	return (long)regs->orig_ax;
}

static __always_inline u64 pt_arch_argument(const struct pt_regs *regs, int index)
{
	switch (index) {
	case 0:
		return PT_ARCH_READ(regs, di);
	case 1:
		return PT_ARCH_READ(regs, si);
	case 2:
		return PT_ARCH_READ(regs, dx);
	default:
		return PT_ARCH_READ(regs, r10);
	}
}

static __always_inline u64 pt_arch_fifth_argument(const struct pt_regs *regs)
{
	return PT_ARCH_READ(regs, r8);
}

static __always_inline u64 pt_arch_sixth_argument(const struct pt_regs *regs)
{
	return PT_ARCH_READ(regs, r9);
}

#endif
