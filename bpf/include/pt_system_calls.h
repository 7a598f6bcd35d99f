/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a blocked system call waits for, by its number. The numbers are the
 * architecture's own; a call that is missing here is class "other" under its name.
 */
#ifndef PT_SYSTEM_CALLS_H
#define PT_SYSTEM_CALLS_H

#if defined(__TARGET_ARCH_x86)
/* This object is built for BPF, so the host's choice between 32 and 64 bits must be made here. */
#include <asm/unistd_64.h>
#else
/* What arm64 asks of the generic table; the build host's word size must not decide. */
#include <asm/bitsperlong.h>
#undef __BITS_PER_LONG
#define __BITS_PER_LONG 64
#define __ARCH_WANT_RENAMEAT
#define __ARCH_WANT_NEW_STAT
#define __ARCH_WANT_TIME32_SYSCALLS
#define __ARCH_WANT_SYS_CLONE3
#include <asm-generic/unistd.h>
#endif

enum pt_call {
	PT_CALL_OTHER = 0,
	PT_CALL_READ = 1,	/* argument 0 is a descriptor, data comes in */
	PT_CALL_WRITE = 2,	/* argument 0 is a descriptor, data goes out */
	PT_CALL_SYNC = 3,	/* argument 0 is a descriptor */
	PT_CALL_SYNC_ALL = 4,	/* no descriptor */
	PT_CALL_PATH_READ = 5,	/* looks up or reads by path */
	PT_CALL_PATH_WRITE = 6, /* changes a directory */
	PT_CALL_FUTEX = 7,
	PT_CALL_EPOLL = 8,
	PT_CALL_POLL = 9,
	PT_CALL_SELECT = 10,
	PT_CALL_SLEEP = 11,
	PT_CALL_SIGNAL = 12,
	PT_CALL_CHILD = 13,
	PT_CALL_SPAWN = 14,
	PT_CALL_RESTART = 15,
	PT_CALL_ACCEPT = 16,
	PT_CALL_CONNECT = 17,
	PT_CALL_FILE_LOCK = 18,
};

const volatile u8 pt_calls[PT_ARCH_SYSTEM_CALL_COUNT] = {
	[__NR_read] = PT_CALL_READ,
	[__NR_pread64] = PT_CALL_READ,
	[__NR_readv] = PT_CALL_READ,
	[__NR_preadv] = PT_CALL_READ,
	[__NR_preadv2] = PT_CALL_READ,
	[__NR_recvfrom] = PT_CALL_READ,
	[__NR_recvmsg] = PT_CALL_READ,
	[__NR_recvmmsg] = PT_CALL_READ,
	[__NR_getdents64] = PT_CALL_READ,
	[__NR_readahead] = PT_CALL_READ,
	[__NR_copy_file_range] = PT_CALL_READ,
	[__NR_splice] = PT_CALL_READ,
	[__NR_write] = PT_CALL_WRITE,
	[__NR_pwrite64] = PT_CALL_WRITE,
	[__NR_writev] = PT_CALL_WRITE,
	[__NR_pwritev] = PT_CALL_WRITE,
	[__NR_pwritev2] = PT_CALL_WRITE,
	[__NR_sendto] = PT_CALL_WRITE,
	[__NR_sendmsg] = PT_CALL_WRITE,
	[__NR_sendmmsg] = PT_CALL_WRITE,
	[__NR_sendfile] = PT_CALL_WRITE,
	[__NR_fallocate] = PT_CALL_WRITE,
	[__NR_ftruncate] = PT_CALL_WRITE,
	[__NR_fsync] = PT_CALL_SYNC,
	[__NR_fdatasync] = PT_CALL_SYNC,
	[__NR_sync_file_range] = PT_CALL_SYNC,
	[__NR_syncfs] = PT_CALL_SYNC,
	[__NR_sync] = PT_CALL_SYNC_ALL,
	[__NR_msync] = PT_CALL_SYNC_ALL,
	[__NR_openat] = PT_CALL_PATH_READ,
	[__NR_openat2] = PT_CALL_PATH_READ,
	[__NR_newfstatat] = PT_CALL_PATH_READ,
	[__NR_statx] = PT_CALL_PATH_READ,
	[__NR_faccessat] = PT_CALL_PATH_READ,
	[__NR_faccessat2] = PT_CALL_PATH_READ,
	[__NR_readlinkat] = PT_CALL_PATH_READ,
	[__NR_execve] = PT_CALL_PATH_READ,
	[__NR_execveat] = PT_CALL_PATH_READ,
	[__NR_unlinkat] = PT_CALL_PATH_WRITE,
	[__NR_renameat] = PT_CALL_PATH_WRITE,
	[__NR_renameat2] = PT_CALL_PATH_WRITE,
	[__NR_mkdirat] = PT_CALL_PATH_WRITE,
	[__NR_linkat] = PT_CALL_PATH_WRITE,
	[__NR_symlinkat] = PT_CALL_PATH_WRITE,
	[__NR_truncate] = PT_CALL_PATH_WRITE,
	[__NR_futex] = PT_CALL_FUTEX,
	[__NR_epoll_pwait] = PT_CALL_EPOLL,
	[__NR_epoll_pwait2] = PT_CALL_EPOLL,
	[__NR_ppoll] = PT_CALL_POLL,
	[__NR_pselect6] = PT_CALL_SELECT,
	[__NR_nanosleep] = PT_CALL_SLEEP,
	[__NR_clock_nanosleep] = PT_CALL_SLEEP,
	[__NR_rt_sigsuspend] = PT_CALL_SIGNAL,
	[__NR_rt_sigtimedwait] = PT_CALL_SIGNAL,
	[__NR_wait4] = PT_CALL_CHILD,
	[__NR_waitid] = PT_CALL_CHILD,
	[__NR_clone] = PT_CALL_SPAWN,
	[__NR_clone3] = PT_CALL_SPAWN,
	[__NR_restart_syscall] = PT_CALL_RESTART,
	[__NR_accept] = PT_CALL_ACCEPT,
	[__NR_accept4] = PT_CALL_ACCEPT,
	[__NR_connect] = PT_CALL_CONNECT,
	[__NR_flock] = PT_CALL_FILE_LOCK,
	[__NR_fcntl] = PT_CALL_FILE_LOCK,
#if defined(__TARGET_ARCH_x86)
	[__NR_getdents] = PT_CALL_READ,
	[__NR_open] = PT_CALL_PATH_READ,
	[__NR_creat] = PT_CALL_PATH_WRITE,
	[__NR_stat] = PT_CALL_PATH_READ,
	[__NR_lstat] = PT_CALL_PATH_READ,
	[__NR_access] = PT_CALL_PATH_READ,
	[__NR_readlink] = PT_CALL_PATH_READ,
	[__NR_unlink] = PT_CALL_PATH_WRITE,
	[__NR_rename] = PT_CALL_PATH_WRITE,
	[__NR_mkdir] = PT_CALL_PATH_WRITE,
	[__NR_rmdir] = PT_CALL_PATH_WRITE,
	[__NR_link] = PT_CALL_PATH_WRITE,
	[__NR_symlink] = PT_CALL_PATH_WRITE,
	[__NR_epoll_wait] = PT_CALL_EPOLL,
	[__NR_poll] = PT_CALL_POLL,
	[__NR_select] = PT_CALL_SELECT,
	[__NR_pause] = PT_CALL_SIGNAL,
	[__NR_fork] = PT_CALL_SPAWN,
	[__NR_vfork] = PT_CALL_SPAWN,
#endif
};

#endif
