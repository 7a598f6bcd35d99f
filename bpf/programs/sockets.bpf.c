/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which ports are ours to serve: a wait on an accepted socket is idle, a wait
 * on one we opened is a wait for that peer.
 */

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(inet_sock_set_state, const struct sock *sk, const int old_state, const int new_state)
{
	struct pt_control *control = get_control();
	struct pt_books *books = get_books();
	struct pt_listener_key key = {};
	struct pt_ledger *ledger;
	u64 current = bpf_get_current_task();
	u32 one = 1;

	if (!control || !books)
		return 0;
	books->calls[PT_HOOK_SOCKET_STATE]++;
	if (!control->enabled || control->frozen_at_ns)
		return 0;
	ledger = &books->ledger[PT_CATEGORY_LISTENERS];
	ledger->seen++;
	/* listen() runs in its caller. A port that is closed stays known: what was accepted from it lives on. */
	if (new_state != PT_TCP_LISTEN || !bpf_map_lookup_elem(&threads, &current)) {
		ledger->filtered++;
		return 0;
	}
	key.network_namespace = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	key.port = BPF_CORE_READ(sk, __sk_common.skc_num);
	key.protocol = PT_IPPROTO_TCP;
	if (bpf_map_update_elem(&listeners, &key, &one, BPF_ANY))
		ledger->dropped[PT_DROP_MAP_FULL]++;
	else
		ledger->aggregated++;
	return 0;
}
