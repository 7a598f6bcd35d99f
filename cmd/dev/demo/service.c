/*
 * The demo's service, with its troubles planted:
 *  - a thread `upstream-caller` that waits for a slow upstream,
 *  - a thread, named by `holder`, that holds a lock while it syncs the file `path`,
 *  - threads `worker-N` that contend for that lock,
 *  - and a child process, the command after `--`, that calls the upstream from
 *    an event loop.
 */
#include "../../../tests/fixtures/programs/planted.h"

#define WORKERS_MAX 16
#define WRITE_BYTES (1 << 20)

static pthread_mutex_t shared = PTHREAD_MUTEX_INITIALIZER;
static int log_fd;

static void *call_upstream(void *argument)
{
	(void)argument;
	int fd = connect_loopback(SOCK_STREAM, option_number("upstream_port", 0));
	char byte = '?';
	while (running() && send(fd, &byte, 1, MSG_NOSIGNAL) == 1 && recv(fd, &byte, 1, 0) == 1)
		nap_ms(option_number("call_pause_ms", 0));
	close(fd);
	return NULL;
}

static void sync_log_for(double hold_ms)
{
	static char text[WRITE_BYTES];
	for (double end_ms = now_ms() + hold_ms; running() && now_ms() < end_ms;) {
		text[0]++;
		if (pwrite(log_fd, text, sizeof text, 0) < 0)
			fail("write the log");
		fsync(log_fd);
	}
}

static void *hold_and_sync(void *argument)
{
	(void)argument;
	prefer_this_thread();
	while (running()) {
		pthread_mutex_lock(&shared);
		sync_log_for(option_number("hold_ms", 50));
		pthread_mutex_unlock(&shared);
		nap_ms(option_number("gap_ms", 5));
	}
	return NULL;
}

static void *be_worker(void *argument)
{
	(void)argument;
	while (running()) {
		pthread_mutex_lock(&shared);
		burn_ms(0.1);
		pthread_mutex_unlock(&shared);
		nap_ms(2);
	}
	return NULL;
}

/* What the child prints is ours to read: only one READY may reach our own output. */
static pid_t start_child(char **command, int *output)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		fail("make a pipe");
	pid_t parent = getpid(), child = fork();
	if (child == 0) {
		bind_lifetime(parent);
		arm_timer(0); /* the timer would outlive exec; the child keeps time by itself */
		dup2(ends[1], STDOUT_FILENO);
		execvp(command[0], command);
		fail("start the child");
	}
	close(ends[1]);
	*output = ends[0];
	return child;
}

static void await_line(int fd)
{
	char byte = 0;
	while (byte != '\n') {
		if (read(fd, &byte, 1) != 1)
			fail("hear from the child");
	}
}

int main(int argc, char **argv)
{
	int split = 1;
	while (split < argc && strcmp(argv[split], "--") != 0)
		split++;
	begin(split, argv);
	log_fd = open(option_text("path", "audit.log"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (log_fd < 0)
		fail("open the log");
	int child_output = -1;
	pid_t child = split + 1 < argc ? start_child(argv + split + 1, &child_output) : -1;
	if (child > 0)
		await_line(child_output);

	pthread_t threads[WORKERS_MAX + 2];
	long count = 0, workers = option_number("workers", 3);
	for (long i = 0; i < workers && i < WORKERS_MAX; i++) {
		char name[16];
		snprintf(name, sizeof name, "worker-%ld", i);
		threads[count++] = start_thread(name, be_worker, NULL);
	}
	threads[count++] = start_thread("upstream-caller", call_upstream, NULL);
	threads[count++] = start_thread(option_text("holder", "flusher"), hold_and_sync, NULL);
	ready("\"child_pid\":%d", child);
	for (long i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	if (child > 0) {
		kill(child, SIGTERM);
		waitpid(child, NULL, 0);
	}
	truth("%s", "");
	return 0;
}
