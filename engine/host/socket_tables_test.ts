import { assert } from "../../tests/support/assert.ts";
import { formatAddress, parseInternetSockets, parseUnixSockets } from "./socket_tables.ts";

const TCP_HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

function internetLine(options: { local: string; remote: string; state: string; inode?: number }): string {
  const { local, remote, state, inode = 1576 } = options;
  return `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0000 100 0 0 10 0\n`;
}

Deno.test("parseInternetSockets() reads addresses of both families as canonical text", () => {
  const rows: readonly (readonly [string, string, number])[] = [
    ["0100007F:1F90", "127.0.0.1", 8080],
    ["00000000:0016", "0.0.0.0", 22],
    ["0101A8C0:FFFF", "192.168.1.1", 65535],
    ["00000000000000000000000000000000:0050", "::", 80],
    ["00000000000000000000000001000000:0001", "::1", 1],
    ["0000000000000000FFFF00000100007F:1F90", "127.0.0.1", 8080],
    ["B80D01200000000000000000010000FE:01BB", "2001:db8::fe00:1", 443],
  ];
  for (const [local, address, port] of rows) {
    const remote = local.replace(/:.*/, ":0000");
    const [socket] = parseInternetSockets(TCP_HEADER + internetLine({ local, remote, state: "0A" }));
    assert.deepEqual(socket, {
      localAddress: address,
      localPort: port,
      remoteAddress: address,
      remotePort: 0,
      state: "listen",
      inode: 1576,
    });
  }
});

Deno.test("parseInternetSockets() knows every state and leaves malformed lines out", () => {
  const endpoint = "0100007F:0001";
  const states = Array.from({ length: 14 }, (_, index) => index.toString(16).toUpperCase().padStart(2, "0"));
  const text = states.map((state) => internetLine({ local: endpoint, remote: endpoint, state })).join("");
  assert.deepEqual(parseInternetSockets(text).map((socket) => socket.state), [
    "established",
    "synSent",
    "synReceived",
    "finWait1",
    "finWait2",
    "timeWait",
    "close",
    "closeWait",
    "lastAck",
    "listen",
    "closing",
    "newSynReceived",
  ]);
  for (const local of ["0100007F", "0100007F:1", "100007F:0001", "0100007G:0001", ""]) {
    assert.deepEqual(parseInternetSockets(internetLine({ local, remote: endpoint, state: "0A" })), []);
  }
});

Deno.test("formatAddress() shortens as RFC 5952 says", () => {
  const rows: readonly (readonly [readonly number[], string])[] = [
    [[0x2001, 0xdb8, 0, 0, 1, 0, 0, 1], "2001:db8::1:0:0:1"],
    [[0x2001, 0xdb8, 0, 1, 1, 1, 1, 1], "2001:db8:0:1:1:1:1:1"],
    [[1, 0, 0, 0, 0, 0, 0, 0], "1::"],
    [[0xfe80, 0, 0, 0, 0, 0, 0, 0xa], "fe80::a"],
    [[1, 2, 3, 4, 5, 6, 7, 8], "1:2:3:4:5:6:7:8"],
  ];
  for (const [groups, text] of rows) {
    assert.equal(formatAddress(new Uint8Array(groups.flatMap((group) => [group >> 8, group & 0xff]))), text);
  }
});

Deno.test("parseUnixSockets() reads listening, abstract and nameless sockets", () => {
  const text = [
    "Num       RefCount Protocol Flags    Type St Inode Path",
    "00000000fe658906: 00000002 00000000 00010000 0001 01  1573 /run/my app.sock",
    "00000000fe658907: 00000002 00000000 00010000 0001 01 99999999 @abstract",
    "00000000fe658908: 00000003 00000000 00000000 0001 03  1572",
    "garbage",
  ].join("\n");
  assert.deepEqual(parseUnixSockets(text), [
    { isListening: true, inode: 1573, path: "/run/my app.sock" },
    { isListening: true, inode: 99999999, path: "@abstract" },
    { isListening: false, inode: 1572, path: "" },
  ]);
});
