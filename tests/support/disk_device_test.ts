import { assert } from "./assert.ts";
import { diskDeviceOf, toDevice } from "./disk_device.ts";

Deno.test("toDevice() takes st_dev apart", () => {
  assert.deepEqual([0xfe00, 0x0801, 0x10110305, 0x5].map(toDevice), ["254:0", "8:1", "259:65797", "0:5"]);
});

Deno.test("diskDeviceOf() knows no disk below /proc", async () => {
  assert.equal(await diskDeviceOf("/proc"), undefined);
});
