/*
 * What libbpf needs to read a full ring: the counterpart of our own reader, on
 * the same object.
 *
 *     libbpf_reader OBJECT RING_BYTES
 *
 * For each line "FILLS" on standard input it fills the ring and reads it empty
 * that many times, and answers with "RECORDS NANOSECONDS" for each, in one line:
 * of reading alone.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <signal.h>
#include <time.h>

/* As ring_producer.bpf.c has it. */
struct produce_arguments {
	unsigned long long first;
	unsigned int count;
	unsigned int discard_every;
	unsigned int produced;
	unsigned int refused;
};

#define EVENT_SPAN_BYTES 128

static volatile unsigned long long sink;

__attribute__((noreturn)) static void fail(const char *what, int error)
{
	fprintf(stderr, "Cannot %s: %s\n", what, strerror(error < 0 ? -error : error));
	exit(71);
}

static unsigned long long now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* What our cursor looks at: kind, target slot, size. */
static int on_record(void *total, void *data, size_t size_bytes)
{
	const unsigned int *words = data;
	*(unsigned long long *)total += words[1] + words[2] + size_bytes;
	return 0;
}

static unsigned int fill(int program_fd, unsigned int ring_bytes)
{
	struct produce_arguments arguments = { .count = ring_bytes / EVENT_SPAN_BYTES };
	LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = &arguments, .ctx_size_in = sizeof arguments);
	int error = bpf_prog_test_run_opts(program_fd, &options);
	if (error != 0)
		fail("fill the ring", error);
	return arguments.produced;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	unsigned int ring_bytes = (unsigned int)strtoul(argv[2], NULL, 10);
	struct bpf_object *object = bpf_object__open_file(argv[1], NULL);
	if (object == NULL)
		fail("open the object", 22);
	struct bpf_map *ring_map = bpf_object__find_map_by_name(object, "ring");
	struct bpf_program *program = bpf_object__find_program_by_name(object, "produce");
	if (ring_map == NULL || program == NULL)
		fail("find the ring and its producer", 2);
	bpf_map__set_max_entries(ring_map, ring_bytes);
	int error = bpf_object__load(object);
	if (error != 0)
		fail("load the object", error);
	unsigned long long total = 0;
	struct ring_buffer *ring = ring_buffer__new(bpf_map__fd(ring_map), on_record, &total, NULL);
	if (ring == NULL)
		fail("map the ring", 12);

	unsigned int fill_count;
	while (scanf("%u", &fill_count) == 1) {
		for (unsigned int i = 0; i < fill_count; i++) {
			unsigned int produced = fill(bpf_program__fd(program), ring_bytes);
			unsigned long long began_ns = now_ns();
			int consumed = ring_buffer__consume(ring);
			unsigned long long reading_ns = now_ns() - began_ns;
			if (consumed < 0 || (unsigned int)consumed != produced)
				fail("read every record", consumed);
			printf("%u %llu ", produced, reading_ns);
		}
		sink = total;
		printf("\n");
		fflush(stdout);
	}
	ring_buffer__free(ring);
	bpf_object__close(object);
	return 0;
}
