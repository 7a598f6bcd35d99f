/*
 * A process that does nothing but what our hooks look at.
 *
 *     hook_target switches|transfers
 *
 * For each line "N" on standard input it does N rounds and answers with the
 * nanoseconds of CPU time that one takes, so that what others do on the machine
 * is not in it. A round of switches: two threads on one CPU wake each
 * other once. A round of transfers: one byte sent over a TCP connection to
 * itself, and received.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/futex.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static _Atomic unsigned int turn;

__attribute__((noreturn)) static void fail(const char *what)
{
	perror(what);
	exit(71);
}

static unsigned long long cpu_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static void wait_for(unsigned int mine)
{
	unsigned int seen;
	while ((seen = atomic_load(&turn)) % 2 != mine)
		syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static void pass(void)
{
	atomic_fetch_add(&turn, 1);
	syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *answer(void *unused)
{
	for (;;) {
		wait_for(1);
		pass();
	}
	return unused;
}

static void start_switching(void)
{
	pthread_t other;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(sched_getcpu(), &cpus);
	if (sched_setaffinity(0, sizeof cpus, &cpus))
		fail("stay on one CPU");
	if (pthread_create(&other, NULL, answer, NULL))
		fail("start a thread");
}

static void switch_round(int unused)
{
	(void)unused;
	pass();
	wait_for(0);
}

static int connect_to_self(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int yes = 1;

	/* Without it each byte waits 40 ms for the last one to be acknowledged. */
	if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes))
		fail("make a socket");
	/* A socket that is bound and connects to its own address is its own peer. */
	if (bind(fd, (void *)&address, sizeof address) || getsockname(fd, (void *)&address, &length) ||
	    connect(fd, (void *)&address, sizeof address))
		fail("connect to itself");
	return fd;
}

static void transfer_round(int fd)
{
	char byte = 0;
	if (send(fd, &byte, 1, 0) != 1 || recv(fd, &byte, 1, 0) != 1)
		fail("transfer");
}

int main(int argc, char **argv)
{
	int is_switching = argc == 2 && strcmp(argv[1], "switches") == 0;
	void (*round)(int) = is_switching ? switch_round : transfer_round;
	char line[32];
	int fd = -1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (is_switching)
		start_switching();
	else
		fd = connect_to_self();
	while (fgets(line, sizeof line, stdin)) {
		long count = strtol(line, NULL, 10);
		unsigned long long began = cpu_ns();
		for (long i = 0; i < count; i++)
			round(fd);
		printf("%.1f\n", (double)(cpu_ns() - began) / count);
		fflush(stdout);
	}
	return 0;
}
