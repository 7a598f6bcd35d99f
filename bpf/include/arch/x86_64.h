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
} __attribute__((preserve_access_index));

#define PT_ARCH_SYSTEM_CALL_COUNT 512
#define PT_ENOSYS 38

/* arch/x86/include/asm/thread_info.h: the system call came through the 32-bit door. */
#define PT_TS_COMPAT 0x0002

/*
 * The system call a switched-out task is in, or -1. `orig_ax` is one only while
 * `ax` still holds the -ENOSYS the entry code put there (arch/x86/entry/entry_64.S).
 */
static __always_inline long pt_arch_system_call(struct task_struct *task, const struct pt_regs *regs)
{
	if ((long)regs->ax != -PT_ENOSYS)
		return -1;
	if (task->thread_info.status & PT_TS_COMPAT)
		return -1;
	return (long)regs->orig_ax;
}

/* True in the kernel because of a fault or an interrupt, not of a system call. */
static __always_inline bool pt_arch_is_exception(const struct pt_regs *regs)
{
	return (long)regs->orig_ax == -1;
}

static __always_inline u64 pt_arch_argument(const struct pt_regs *regs, int index)
{
	switch (index) {
	case 0:
		return regs->di;
	case 1:
		return regs->si;
	case 2:
		return regs->dx;
	default:
		return regs->r10;
	}
}

#endif
