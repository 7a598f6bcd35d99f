import { assert } from "../../tests/support/assert.ts";
import { openAtEnd } from "./open_connections.ts";
import { buildPeer } from "./test_measurements.ts";

Deno.test("openAtEnd() claims no open connections where nobody tells the end", () => {
  const peer = { protocol: "tcp", address: "10.0.0.5", port: 80, kind: "peer" } as const;
  assert.equal(openAtEnd(buildPeer({ endpoint: peer })), 1);
  assert.equal(openAtEnd(buildPeer({ endpoint: { kind: "server", protocol: "tcp", port: 80 } })), 1);
  for (
    const endpoint of [
      { ...peer, protocol: "udp" },
      { kind: "unixPeer", id: "1", path: "/run/s" },
      { kind: "unixServer", id: "1", path: undefined },
      undefined,
    ] as const
  ) assert.equal(openAtEnd(buildPeer({ endpoint })), undefined);
});
