import { assert } from "../../tests/support/assert.ts";
import { isPrivateAddress } from "./private_address.ts";

Deno.test("isPrivateAddress() knows both ends of every range, and what is no address", () => {
  const isPrivate = [
    ...["0.0.0.0", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1", "169.254.169.254"],
    ...["172.16.0.0", "172.31.255.255", "192.0.0.8", "192.168.0.1", "198.18.0.1", "198.19.255.255", "224.0.0.1"],
    ...["255.255.255.255", "::", "::1", "fc00::1", "fdff::1", "fe80::1", "fe80::1%eth0", "febf::", "ff02::1"],
    ...[
      "::ffff:10.0.0.1",
      "::FFFF:127.0.0.1",
      "64:ff9b::10.0.0.1",
      "::10.0.0.1",
      "hooks.slack.com",
      "",
      "1.2.3",
      "256.1.1.1",
    ],
  ];
  const isPublic = [
    ...["1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0"],
    ...["169.253.255.255", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255", "198.17.255.255"],
    ...["198.20.0.0", "223.255.255.255", "2001:db8::1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1"],
  ];
  assert.deepEqual(isPrivate.filter((address) => !isPrivateAddress(address)), []);
  assert.deepEqual(isPublic.filter(isPrivateAddress), []);
});
