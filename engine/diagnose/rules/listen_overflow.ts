/**
 * `listen-overflow`: SYNs were dropped because the queue of a listening socket
 * of ours was full: clients try again after a second, then two, and each try is
 * counted, so there are more of them than connects.
 *
 * Wrong when the kernel dropped them for another reason (no memory, a socket
 * filter): it counts both in one figure per socket.
 *
 * @module
 */

import type { ListenQueueMeasurement } from "../../api/socket_measurements.ts";
import { incompletenessNotes, isReliable, type TargetFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { formatCount } from "../format.ts";
import { describeObject, objectKey } from "../wait_object.ts";

/** Of the SYNs, from which on clients notice every time. */
const ERROR_SHARE_MIN = 0.1;

export function listenOverflow(facts: TargetFacts): readonly Finding[] {
  if (!isReliable(facts, ["connections"])) return [];
  return facts.listenQueues.flatMap((queue) => judgeQueue(facts, queue));
}

function judgeQueue(facts: TargetFacts, queue: ListenQueueMeasurement): readonly Finding[] {
  const { droppedCount, backlogMax, queuedCount, endpoint } = queue;
  if (droppedCount === undefined || droppedCount === 0) return [];
  const acceptCount = facts.peers
    .filter((peer) => peer.endpoint !== undefined && objectKey(peer.endpoint) === objectKey(endpoint))
    .reduce((total, peer) => total + peer.acceptCount, 0);
  const share = droppedCount / (droppedCount + acceptCount);
  const port = endpoint.kind === "server" ? `${endpoint.protocol} port ${endpoint.port}` : describeObject(endpoint);
  return [{
    id: "listen-overflow",
    targetId: facts.targetId,
    severity: share >= ERROR_SHARE_MIN ? "error" : "warning",
    title: `${formatCount(droppedCount, "SYN")} to ${port} ${
      droppedCount === 1 ? "was" : "were"
    } dropped, repeats included: its listen queue holds ${backlogMax}.`,
    evidence: {
      object: port,
      notes: [
        ...incompletenessNotes(facts, ["connections"]),
        `${acceptCount} connections were established meanwhile; ${queuedCount} of ${backlogMax} waited to be accepted ` +
        "when the look ended",
      ],
    },
    consequences: [],
    nextStep: `Accept faster (a thread of its own), or raise the backlog given to listen() and net.core.somaxconn.`,
    explainedMs: 0,
    share: 0,
  }];
}
