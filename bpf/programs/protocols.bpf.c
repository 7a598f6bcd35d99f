/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is sent and received before Linux 6.3, whose socket layer does not tell:
 * its own functions are inlined into their callers. Those of the protocol
 * families are not, because it calls them through the socket's table, or by name
 * to avoid that (INDIRECT_CALL_INET()). UDP and MPTCP go through the same ones as
 * TCP; unix_seqpacket_sendmsg() ends in the one of streams, its counterpart in
 * the one of datagrams. sendfile() has a function of its own, called once a page.
 */
/* Not a function of its own: older verifiers take eight frames, and that of a transfer is eight deep already. */
static __always_inline int on_protocol_send(struct sock *sk, int outcome)
{
	return on_transfer(sk, outcome, 0, PT_OPERATION_SEND);
}

static __always_inline int on_protocol_receive(struct sock *sk, int outcome, int flags)
{
	return on_transfer(sk, outcome, flags, PT_OPERATION_RECEIVE);
}

#define PT_PROTOCOL_SEND(function)                                                                 \
	SEC("fexit/" #function)                                                                    \
	int BPF_PROG(function, struct socket *sock, struct msghdr *message, u64 size, int ret) \
	{                                                                                          \
		return on_protocol_send(sock->sk, ret);                                            \
	}

#define PT_PROTOCOL_SEND_PAGE(function)                                                                         \
	SEC("fexit/" #function)                                                                                 \
	int BPF_PROG(function, struct socket *sock, struct page *page, int offset, u64 size, int flags, \
		     long ret)                                                                                  \
	{                                                                                                       \
		return on_protocol_send(sock->sk, ret);                                                         \
	}

#define PT_PROTOCOL_RECEIVE(function)                                                                             \
	SEC("fexit/" #function)                                                                                   \
	int BPF_PROG(function, struct socket *sock, struct msghdr *message, u64 size, int flags, int ret) \
	{                                                                                                         \
		return on_protocol_receive(sock->sk, ret, flags);                                                 \
	}

PT_PROTOCOL_SEND(inet_sendmsg)
PT_PROTOCOL_SEND(inet6_sendmsg)
PT_PROTOCOL_SEND(unix_stream_sendmsg)
PT_PROTOCOL_SEND(unix_dgram_sendmsg)
PT_PROTOCOL_SEND_PAGE(inet_sendpage)
PT_PROTOCOL_SEND_PAGE(unix_stream_sendpage)

PT_PROTOCOL_RECEIVE(inet_recvmsg)
PT_PROTOCOL_RECEIVE(inet6_recvmsg)
PT_PROTOCOL_RECEIVE(unix_stream_recvmsg)
PT_PROTOCOL_RECEIVE(unix_dgram_recvmsg)
