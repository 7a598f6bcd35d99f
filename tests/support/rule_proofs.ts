/**
 * Which test proves a rule on the real kernel, and which shows that it stays
 * silent about a healthy program of the same kind. A rule without both does not
 * compile, and a test that is not there any more fails `rule_proofs_test.ts`.
 *
 * @module
 */

import type { RuleId } from "../../engine/diagnose/finding.ts";

/** A test by file (below tests/kernel) and full name. */
export interface NamedTest {
  readonly file: string;
  readonly test: string;
}

export interface RuleProof {
  /** A planted trouble that the rule finds; its name says the rule's. */
  readonly trouble: NamedTest;
  /** A healthy workload of the same kind, about which nothing above info is said. */
  readonly quiet: NamedTest;
}

const planted = (test: string): NamedTest => ({ file: "planted_trouble_test.ts", test });
const service = (test: string): NamedTest => ({ file: "planted_service_test.ts", test });
const socket = (test: string): NamedTest => ({ file: "socket_trouble_test.ts", test });
const resource = (test: string): NamedTest => ({ file: "resources_kernel_test.ts", test });
const file = (test: string): NamedTest => ({ file: "files_kernel_test.ts", test });
const quiet = (what: string): NamedTest => ({
  file: "quiet_programs_test.ts",
  test: `no rule speaks above info of ${what}`,
});

const HEALTHY_SERVICE = planted("diagnose finds nothing above info in a service with a thread per client");
const HEALTHY_LOOP = planted("diagnose finds nothing above info in a service on an epoll loop");
const HEALTHY_CLIENT = socket("diagnose finds nothing of sockets in a healthy client");
const HEALTHY_SERVER = socket("diagnose finds nothing of sockets in a healthy server");
const HEALTHY_RESOURCES = resource("healthy programs have none of it");
const BUSY = planted("diagnose finds nothing above info in a busy process on a CPU of its own");
const HALF_A_QUOTA = quiet("a program that uses half of its CPU quota");
const WORKING_CHILDREN = quiet("a shell whose children work and end");
const FULL_PAGE_CACHE = quiet("a group whose memory is full of page cache");
const SHARED_LOCK = quiet("threads that share a lock for moments");
const SMALL_SYNCS = quiet("a program that writes and syncs a little now and then");

export const RULE_PROOFS: Readonly<Record<RuleId, RuleProof>> = {
  "slow-peer": {
    trouble: planted("diagnose finds slow-peer in a slow upstream called from a blocking thread"),
    quiet: HEALTHY_CLIENT,
  },
  "disk-stall": { trouble: planted("diagnose finds disk-stall in an fsync-heavy log"), quiet: SMALL_SYNCS },
  "lock-contention": {
    trouble: planted("diagnose finds lock-contention in a lock whose holder computes"),
    quiet: SHARED_LOCK,
  },
  "cpu-wait": { trouble: planted("diagnose finds cpu-wait in more busy threads than CPUs"), quiet: BUSY },
  "cpu-throttling": {
    trouble: planted("diagnose finds cpu-throttling in busy threads under a CPU limit"),
    quiet: HALF_A_QUOTA,
  },
  "pipe-wait": {
    trouble: planted("diagnose finds pipe-wait in a pipe with a slow writer"),
    quiet: quiet("a pipe whose writer keeps up"),
  },
  "child-wait": {
    trouble: planted("diagnose finds child-wait in slow children waited for with waitpid()"),
    quiet: WORKING_CHILDREN,
  },
  "page-fault": {
    trouble: planted("diagnose finds page-fault in pages that have to be read from the disk"),
    quiet: FULL_PAGE_CACHE,
  },
  "stopped": {
    trouble: planted("diagnose finds stopped in a process that is stopped most of the time"),
    quiet: planted("diagnose finds nothing above info in an idle process in pause"),
  },
  "crash-loop": {
    trouble: planted("diagnose finds crash-loop in a child that dies of SIGSEGV again and again"),
    quiet: WORKING_CHILDREN,
  },
  "service-sleep": {
    trouble: service("diagnose finds service-sleep in a redis whose only thread sleeps"),
    quiet: HEALTHY_SERVICE,
  },
  "blocked-loop": {
    trouble: service("diagnose finds blocked-loop in a redis that runs slow scripts"),
    quiet: planted("diagnose finds nothing above info in redis under load"),
  },
  "busy-polling": {
    trouble: service("diagnose finds busy-polling in a thread that looks at a flag again and again"),
    quiet: quiet("a thread that looks at a flag fifty times a second"),
  },
  "stuck-lock": {
    trouble: service("diagnose finds stuck-lock in two threads that wait for each other, and nothing else"),
    quiet: SHARED_LOCK,
  },
  "connection-churn": {
    trouble: service("diagnose finds connection-churn in a benchmark that reuses no connection"),
    quiet: HEALTHY_LOOP,
  },
  "rtt-spikes": {
    trouble: {
      file: "rtt_spikes_kernel_test.ts",
      test: "rtt-spikes tells a peer the way to which gets slow in the window, and from what to what",
    },
    quiet: {
      file: "rtt_spikes_kernel_test.ts",
      test: "rtt-spikes is silent about the same peer while its way is quick",
    },
  },
  "connection-failures": {
    trouble: socket("diagnose finds connection-failures in a peer at which nobody listens"),
    quiet: HEALTHY_CLIENT,
  },
  "port-exhaustion": {
    trouble: socket("diagnose finds port-exhaustion in a program without a local port left"),
    quiet: HEALTHY_CLIENT,
  },
  "slow-handshake": {
    trouble: socket("diagnose finds slow-handshake in a peer whose queue is full"),
    quiet: HEALTHY_CLIENT,
  },
  "retransmits": {
    trouble: socket("diagnose finds retransmits in a way on which segments get lost"),
    quiet: HEALTHY_CLIENT,
  },
  "connection-resets": {
    trouble: socket("diagnose finds connection-resets in a peer that resets every connection"),
    quiet: HEALTHY_CLIENT,
  },
  "slow-responses": {
    trouble: socket("diagnose finds slow-responses in a slow peer nobody waits for"),
    quiet: HEALTHY_CLIENT,
  },
  "slow-service": {
    trouble: socket("diagnose finds slow-service in a service that computes for its answers"),
    quiet: HEALTHY_SERVER,
  },
  "listen-overflow": {
    trouble: socket("diagnose finds listen-overflow in a service that does not accept fast enough"),
    quiet: HEALTHY_SERVER,
  },
  "resource-limit": {
    trouble: service(
      "diagnose finds resource-limit in a process that uses nearly all of its quota without being throttled",
    ),
    quiet: HALF_A_QUOTA,
  },
  "event-loss": {
    trouble: service("diagnose tells event-loss when it was held up while its target spawned, and only then"),
    quiet: service("diagnose tells event-loss when it was held up while its target spawned, and only then"),
  },
  "oom-kill": {
    trouble: resource("oom-kill tells a process the kernel kills for want of memory, with what it held"),
    quiet: FULL_PAGE_CACHE,
  },
  "memory-limit": {
    trouble: resource("memory-limit tells a group that is nearly full of what cannot be given back"),
    quiet: FULL_PAGE_CACHE,
  },
  "fault-storm": {
    trouble: resource("fault-storm tells memory that is given back and faulted in again"),
    quiet: HEALTHY_RESOURCES,
  },
  "descriptor-limit": {
    trouble: resource("descriptor-limit tells a process that has all it may have"),
    quiet: HEALTHY_RESOURCES,
  },
  "spawn-storm": {
    trouble: resource("spawn-storm tells a thread per task, and processes that live for moments"),
    quiet: WORKING_CHILDREN,
  },
  "io-limit": {
    trouble: {
      file: "io_limit_kernel_test.ts",
      test: "io-limit tells a group whose writes the kernel holds back, where the limit is, and the file",
    },
    quiet: {
      file: "io_limit_kernel_test.ts",
      test: "io-limit is silent about a group that writes less than it may",
    },
  },
  "file-errors": { trouble: file("file-errors names what is looked for in vain"), quiet: SMALL_SYNCS },
  "slow-files": {
    trouble: file("slow-files names a file whose calls take long without a disk"),
    quiet: SMALL_SYNCS,
  },
};
