import { assert } from "../../tests/support/assert.ts";
import { makeTree } from "../../tests/support/host_tree.ts";
import { listeningTcpPorts, parsePortRange, readListeners, udpServerPorts } from "./listeners.ts";
import { ProcFs } from "./procfs.ts";
import type { InternetSocket } from "./socket_tables.ts";

function socket(overrides: Partial<InternetSocket>): InternetSocket {
  return {
    localAddress: "0.0.0.0",
    localPort: 53,
    remoteAddress: "0.0.0.0",
    remotePort: 0,
    state: "close",
    inode: 1,
    ...overrides,
  };
}

Deno.test("listeningTcpPorts() takes listening sockets only, each port once", () => {
  const sockets = [
    socket({ localPort: 8080, state: "listen" }),
    socket({ localPort: 22, state: "listen" }),
    socket({ localPort: 22, localAddress: "::", state: "listen" }),
    socket({ localPort: 40000, state: "established", remotePort: 22 }),
    socket({ localPort: 41000, state: "timeWait" }),
  ];
  assert.deepEqual(listeningTcpPorts(sockets), [22, 8080]);
});

Deno.test("udpServerPorts() passes over connected sockets and ports the kernel handed out", () => {
  const ephemeral = { first: 32768, last: 60999 };
  const rows: readonly (readonly [Partial<InternetSocket>, boolean])[] = [
    [{ localPort: 53 }, true],
    [{ localPort: 53, state: "established", remotePort: 9 }, false],
    [{ localPort: 32767 }, true],
    [{ localPort: 32768 }, false],
    [{ localPort: 60999, localAddress: "::" }, false],
    [{ localPort: 61000 }, true],
    [{ localPort: 40000, localAddress: "127.0.0.1" }, true], // bound by name, so by a server
    [{ localPort: 0, localAddress: "127.0.0.1" }, false],
  ];
  for (const [overrides, isServer] of rows) {
    const expected = isServer ? [overrides.localPort] : [];
    assert.deepEqual(udpServerPorts([socket(overrides)], { ephemeral }), expected, JSON.stringify(overrides));
  }
});

Deno.test("parsePortRange() wants two ports in order", () => {
  assert.deepEqual(parsePortRange("32768\t60999\n"), { first: 32768, last: 60999 });
  for (const text of ["", "1", "2 1", "1 65536", "a b", "1 2 3"]) assert.equal(parsePortRange(text), undefined);
});

Deno.test("readListeners() finds real listeners, the namespace of two processes once", async () => {
  using tree = makeTree();
  using tcp = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using tcp6 = Deno.listen({ hostname: "::1", port: 0 });
  using unix = Deno.listen({ transport: "unix", path: `${tree.path}/my service.sock` });
  const child = new Deno.Command("sleep", { args: ["600"] }).spawn();
  try {
    assert.ok(tcp.addr.transport === "tcp" && tcp6.addr.transport === "tcp" && unix.addr.transport === "unix");
    const procFs = new ProcFs();
    const all = readListeners([Deno.pid, child.pid, 4_194_304], { procFs });
    assert.equal(all.length, 1);
    const [listeners] = all;
    assert.equal(listeners?.networkNamespace, procFs.namespaceInode(Deno.pid, "net"));
    assert.ok(listeners?.tcpPorts.includes(tcp.addr.port));
    assert.ok(listeners?.tcpPorts.includes(tcp6.addr.port));
    assert.ok(listeners?.unixPaths.includes(unix.addr.path));
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
});
