import { assert } from "../../tests/support/assert.ts";
import { LAYOUT } from "../../bpf/generated/layout.ts";
import { REPLAY_TABLE_ROWS_MAX, REPLAY_TRANSLATED_BYTES_MAX } from "../api/limits.ts";
import { ENTRY_KINDS } from "../recording/recording_format.ts";
import { forgeRecording, openTape } from "../recording/test_recording.ts";
import { LayoutTranslation } from "./layout_translation.ts";
import { ACCESS_KEYS } from "./recorded_answers.ts";
import { ReplayAccess } from "./replay_access.ts";

/** A replay of these answers, made with a layout in which tasks have one byte each. */
function replayOf(answers: readonly { readonly key: string; readonly payload: Uint8Array<ArrayBuffer> }[]) {
  const told = answers.map((answer) => ({ kind: ENTRY_KINDS.answer, ...answer }));
  const tape = openTape(forgeRecording([...told, { kind: ENTRY_KINDS.close }, { kind: ENTRY_KINDS.end }]));
  const structs = { ...LAYOUT.structs, pt_task_record: { sizeBytes: 1, fields: {} } };
  const translation = new LayoutTranslation({ ...LAYOUT, structs }, LAYOUT);
  return new ReplayAccess({ tape, translation, timer: { nextTurn: () => Promise.resolve() }, onEnd: () => {} });
}

/** `count` rows of one byte for key and value each. */
function rows(count: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(12 + 2 * count);
  new Uint32Array(bytes.buffer, 0, 3).set([count, 1, 1]);
  return bytes;
}

Deno.test("a table of more rows than any of ours is refused, however it is read", () => {
  const key = ACCESS_KEYS.table("target_slots");
  const most = replayOf([{ key, payload: rows(REPLAY_TABLE_ROWS_MAX) }]).table("target_slots");
  let shownCount = 0;
  most.lookupBatch((_keys, _values, count) => {
    shownCount += count;
  });
  assert.equal(shownCount, REPLAY_TABLE_ROWS_MAX);

  const answers = [0, 1].map(() => ({ key: ACCESS_KEYS.steps("target_slots"), payload: rows(40_000) }));
  const steps = replayOf(answers).table("target_slots").lookupSteps(() => {});
  assert.throws(() => [...steps], /^EngineError: Cannot replay "r\.rec": found more than 65536 rows in "target_slots"/);
});

Deno.test("structs that a forged layout makes tiny do not become gigabytes of ours", () => {
  const access = replayOf([{ key: ACCESS_KEYS.tasks, payload: new Uint8Array(1024 * 1024) }]);
  assert.throws(
    () => access.readTasks(),
    new RegExp(
      `^EngineError: Cannot replay "r\\.rec": found something that cannot be read .*at most ${REPLAY_TRANSLATED_BYTES_MAX}`,
    ),
  );
});

Deno.test("rows are taken out when they were, turn by turn; where a recording does not say, when they are due", () => {
  const key = ACCESS_KEYS.mayTakeOut("waits");
  const flag = (value: number) => ({ key, payload: new Uint8Array(new Float64Array([value]).buffer) });
  const access = replayOf([flag(0), flag(1)]);
  const ask = (isDue: boolean) => access.mayTakeOut("waits", { isDue });
  assert.deepEqual([ask(true), ask(false)], [false, true]);
  assert.deepEqual([ask(true), ask(false)], [true, false]);
  assert.deepEqual(access.mayTakeOut("sockets", { isDue: true }), true);
});
