/**
 * Recordings whose checksums are right and whose contents are not: somebody
 * made them so. They are refused in one line or replayed, never more.
 *
 * @module
 */

import { deflateRawSync } from "node:zlib";
import { realTimer } from "../../cmd/process_context.ts";
import { CORPUS_FOLDER } from "../../cmd/dev/recordings.ts";
import { replay } from "../../cmd/diagnose/replay.ts";
import { EngineError } from "../../engine/api/errors.ts";
import {
  encodeFrame,
  encodePreamble,
  EntryBuffer,
  type EntryKind,
  FRAME_MARKS,
} from "../../engine/recording/recording_format.ts";
import { RecordingReader } from "../../engine/recording/recording_reader.ts";
import { assert } from "../support/assert.ts";
import { keepContext } from "../support/process_contexts.ts";
import { seededNumbers, testSeed } from "../support/property.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const ROUNDS = 60;

/** Yields the recording at `path` with some answers changed, and every checksum right. */
function forge(path: string, random: () => number): Uint8Array<ArrayBuffer> {
  using file = Deno.openSync(path);
  const reader = new RecordingReader(file, { name: "it" });
  const entries = new EntryBuffer(1 << 20);
  const encoder = new TextEncoder();
  const flipRarity = [40, 400, 4000][random() % 3] ?? 400;
  for (const { kind, continues, key, payload } of reader.entries()) {
    const forged = payload.slice();
    if (random() % flipRarity === 0 && forged.length > 0) {
      for (let flip = random() % 8; flip >= 0; flip--) forged[random() % forged.length] = random() & 0xff;
    }
    const isCut = random() % (10 * flipRarity) === 0;
    const shown = isCut ? forged.subarray(0, random() % (forged.length + 1)) : forged;
    entries.add({ kind: kind as EntryKind, continues, key: encoder.encode(key), payload: shown });
  }
  const raw = entries.take();
  const frame = encodeFrame(deflateRawSync(raw), { sequence: 0, marks: FRAME_MARKS.end, rawBytes: raw.length });
  return new Uint8Array([...encodePreamble(reader.preamble), ...frame]);
}

Deno.test("forged recordings are replayed or refused in one line", async () => {
  const seed = testSeed();
  const folder = Deno.makeTempDirSync();
  let refusedCount = 0;
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const name = ["lock_holder", "slow_upstream", "crash_loop"][round % 3];
      const path = `${folder}/forged.rec`;
      Deno.writeFileSync(path, forge(`${ROOT}${CORPUS_FOLDER}/${name}.rec`, seededNumbers(seed + round)));
      const context = { ...keepContext(), timer: realTimer };
      const log = context.status.logger("error");
      try {
        const output = round % 2 === 0 ? "json" : "html";
        const requested = { kind: "replay", path, failOn: undefined, live: "none" } as const;
        const report = await replay(requested, { context, log, output, render: (made) => made.render(output) });
        assert.ok(report.rendered.length > 0);
      } catch (error) {
        const where = `seed ${seed}, round ${round}`;
        assert.ok(error instanceof EngineError, `${where}: ${error instanceof Error ? error.stack : error}`);
        assert.match(error.message, /^[^\n]+$/, where);
        refusedCount++;
      }
    }
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
  assert.ok(refusedCount > 0 && refusedCount < ROUNDS, `${refusedCount} of ${ROUNDS} refused`);
});
