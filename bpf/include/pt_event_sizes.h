/* SPDX-License-Identifier: GPL-2.0 */
/* The sizes of everything in pt_events.h: a change of one is meant, or does not build. */
#ifndef PT_EVENT_SIZES_H
#define PT_EVENT_SIZES_H

_Static_assert(sizeof(struct pt_header) == 8, "pt_header");
_Static_assert(sizeof(struct pt_prefix) == 16, "pt_prefix");
_Static_assert(sizeof(struct pt_object) == 24, "pt_object");
_Static_assert(sizeof(struct pt_wait_key) == 48, "pt_wait_key");
_Static_assert(sizeof(struct pt_wait_value) == 192, "pt_wait_value");
_Static_assert(sizeof(struct pt_chain_key) == 48, "pt_chain_key");
_Static_assert(sizeof(struct pt_chain_value) == 40, "pt_chain_value");
_Static_assert(sizeof(struct pt_sample_key) == 16, "pt_sample_key");
_Static_assert(sizeof(struct pt_recent_wait) == 56, "pt_recent_wait");
_Static_assert(sizeof(struct pt_thread) == 584, "pt_thread");
_Static_assert(sizeof(struct pt_task_record) == 480, "pt_task_record");
_Static_assert(sizeof(struct pt_wait_event) == 88, "pt_wait_event");
_Static_assert(sizeof(struct pt_name_event) == 48, "pt_name_event");
_Static_assert(sizeof(struct pt_fork_event) == 56, "pt_fork_event");
_Static_assert(sizeof(struct pt_exec_event) == 56, "pt_exec_event");
_Static_assert(sizeof(struct pt_exit_event) == 144, "pt_exit_event");
_Static_assert(sizeof(struct pt_oom_kill_event) == 72, "pt_oom_kill_event");
_Static_assert(sizeof(struct pt_file_key) == 40, "pt_file_key");
_Static_assert(sizeof(struct pt_file_value) == 168, "pt_file_value");
_Static_assert(sizeof(struct pt_file_event) == 88, "pt_file_event");
_Static_assert(sizeof(struct pt_listener_key) == 8, "pt_listener_key");
_Static_assert(sizeof(struct pt_books) == 1192, "pt_books");
_Static_assert(sizeof(struct pt_ledger) == 56, "pt_ledger");
_Static_assert(sizeof(struct pt_departed) == 48, "pt_departed");
_Static_assert(sizeof(struct pt_control) == 96, "pt_control");
_Static_assert(sizeof(struct pt_listen_key) == 16, "pt_listen_key");
_Static_assert(sizeof(struct pt_latency) == 152, "pt_latency");
_Static_assert(sizeof(struct pt_transfers) == 32, "pt_transfers");
_Static_assert(sizeof(struct pt_socket_counts) == 248, "pt_socket_counts");
_Static_assert(sizeof(struct pt_socket) == 384, "pt_socket");
_Static_assert(sizeof(struct pt_peer_key) == 32, "pt_peer_key");
_Static_assert(sizeof(struct pt_peer) == 416, "pt_peer");
_Static_assert(sizeof(struct pt_socket_error_key) == 40, "pt_socket_error_key");
_Static_assert(sizeof(struct pt_listen_queue) == 72, "pt_listen_queue");
_Static_assert(sizeof(struct pt_socket_event) == 64, "pt_socket_event");
_Static_assert(sizeof(struct pt_close_event) == 168, "pt_close_event");

#endif
