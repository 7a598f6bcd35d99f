/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel types the programs read, cut down to the fields they use. Clang
 * records every access; libbpf moves it to the running kernel's offset (CO-RE).
 * A name with three underscores is a flavour: the same kernel type as an older
 * or newer kernel shapes it.
 */
#ifndef PT_CORE_TYPES_H
#define PT_CORE_TYPES_H

/* What bpf_tracing.h looks for before it trusts the register names of the kernel itself. */
#define __VMLINUX_H__

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __s32 s32;
typedef __u64 u64;
typedef __s64 s64;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

/* include/uapi/linux/bpf.h */
enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
};
enum {
	BPF_RB_NO_WAKEUP = 1,
	BPF_RB_FORCE_WAKEUP = 2,
};
#define PT_RB_AVAIL_DATA 0
enum {
	BPF_F_USER_STACK = 256,
	BPF_F_NO_PREALLOC = 1,
};
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_STACK_TRACE = 7,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_RINGBUF = 27,
};
enum bpf_func_id {
	BPF_FUNC_get_current_task_btf = 158,
	BPF_FUNC_task_pt_regs = 175,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct list_head {
	struct list_head *next;
};

struct qstr {
	const unsigned char *name;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};
struct hlist_head {
	struct hlist_node *first;
};
struct super_block {
	unsigned long s_magic;
	u32 s_dev;
};

struct inode {
	u16 i_mode;
	u32 i_rdev;
	unsigned long i_ino;
	struct super_block *i_sb;
	union {
		struct hlist_head i_dentry;
	};
};
struct address_space {
	struct inode *host;
};
struct folio {
	struct address_space *mapping;
};

struct page {
	struct address_space *mapping;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	union {
		struct hlist_node d_alias;
	} d_u;
};

struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};
struct fs_struct {
	struct path root;
	struct path pwd;
};

struct file {
	struct path f_path;
	struct inode *f_inode;
	void *private_data;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
	unsigned long *open_fds;
};

struct files_struct {
	struct fdtable *fdt;
};

struct kernfs_node {
	u64 id;
};

struct cgroup {
	int level;
	struct kernfs_node *kn;
	struct cgroup *ancestors[0]; /* from 6.1 */
};

/* Before 6.1 a cgroup held the ids of its ancestors. */
struct cgroup___ids {
	u64 ancestor_ids[0];
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct upid {
	int nr;
};

struct pid {
	unsigned int level;
	struct upid numbers[0];
};

struct sched_entity {
	u64 exec_start;
	u64 sum_exec_runtime;
};

struct sched_info {
	unsigned long long run_delay;
};

struct cfs_bandwidth {
	u64 quota;
	u64 throttled_time;
};

struct task_group {
	struct task_group *parent;
	struct cfs_bandwidth cfs_bandwidth;
};

struct thread_info {
	unsigned long flags;
	u32 status; /* x86 only */
};

typedef struct {
	int counter;
} atomic_t;

struct rlimit {
	unsigned long rlim_cur;
};

/* From 6.2; the sums of the CPUs are added when they grow past a batch. */
struct percpu_counter {
	s64 count;
};

struct mm_struct {
	unsigned long total_vm;
	unsigned long arg_start;
	unsigned long arg_end;
	struct percpu_counter rss_stat[4];
};

typedef struct {
	s64 counter;
} atomic64_t;

/*
 * Before 6.2. Its inner struct stays without a name: for a type that the kernel
 * does not have libbpf looks through the modules, which takes CAP_SYS_ADMIN.
 */
struct mm_struct___old {
	struct {
		atomic64_t count[4];
	} rss_stat;
};

struct signal_struct {
	atomic_t live;
	int nr_threads;
	struct rlimit rlim[16];
	struct mm_struct *oom_mm;
};

struct task_struct {
	struct thread_info thread_info;
	unsigned int __state; /* from 5.14 */
	void *stack;
	unsigned int flags;
	int on_cpu;
	struct sched_entity se;
	struct task_group *sched_task_group;
	struct sched_info sched_info;
	int exit_code;
	unsigned in_iowait : 1;
	int pid;
	int tgid;
	struct task_struct *real_parent;
	struct pid *thread_pid;
	u64 start_boottime;
	unsigned long nvcsw;
	unsigned long nivcsw;
	unsigned long min_flt;
	unsigned long maj_flt;
	char comm[16];
	struct mm_struct *mm;
	struct fs_struct *fs;
	struct files_struct *files;
	struct signal_struct *signal;
	struct css_set *cgroups;
	u32 kstack_offset; /* another one each time it returns to user space; not in every kernel, 0 where it is off */
};

/* Before 5.14. */
struct task_struct___old {
	volatile long state;
};

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct in6_addr {
	union {
		u8 u6_addr8[16];
	} in6_u;
};

struct sock_common {
	u32 skc_daddr;
	u32 skc_rcv_saddr;
	u16 skc_dport;
	u16 skc_num;
	u16 skc_family;
	volatile unsigned char skc_state;
	struct hlist_node skc_bind_node;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

struct sk_buff_head {
	u32 qlen;
};

struct socket;

struct sock {
	struct sock_common __sk_common;
	atomic_t sk_drops;
	struct sk_buff_head sk_receive_queue;
	int sk_err;
	struct socket *sk_socket;
	u32 sk_ack_backlog;
	u32 sk_max_ack_backlog;
	u8 sk_userlocks : 4;
	u16 sk_type;
	u16 sk_protocol; /* a byte of its own, or half of one, before 5.6 */
	struct pid *sk_peer_pid;
};

typedef enum {
	SS_UNCONNECTED = 1, /* include/uapi/linux/net.h */
} socket_state;

struct socket {
	socket_state state;
	struct file *file;
	struct sock *sk;
};

struct socket_alloc {
	struct socket socket;
	struct inode vfs_inode;
};

struct msghdr;
struct sk_buff;

struct tcp_sock {
	u32 snd_una;
	u32 snd_nxt;
	u64 bytes_sent;
	u64 bytes_acked;
	u64 bytes_retrans;
	u32 segs_out;
	u32 data_segs_out;
	u32 srtt_us; /* eighths */
};

struct sockaddr_un {
	u16 sun_family;
	char sun_path[108];
};

struct unix_address {
	int len;
	struct sockaddr_un name[0];
};

struct unix_sock {
	struct unix_address *addr;
	struct sock *peer;
};

struct epoll_filefd {
	struct file *file;
	int fd;
} __attribute__((packed));

struct epitem {
	struct list_head rdllink;
	struct epoll_filefd ffd;
};

struct eventpoll {
	struct list_head rdllist;
};

struct linux_binprm {
	const char *filename;
};

struct seq_file {
	u64 index;
};

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	u32 fd;
	struct file *file;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

#pragma clang attribute pop

#endif
