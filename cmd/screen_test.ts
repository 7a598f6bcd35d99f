import { assert } from "../tests/support/assert.ts";
import { KeptOutput } from "../tests/support/process_contexts.ts";
import { isUnicodeLocale, type Key, openScreen, toKeys } from "./screen.ts";
import { OutputGoneError } from "./text_output.ts";

Deno.test("toKeys() yields characters and known sequences, and nothing for others", () => {
  const table: readonly (readonly [string, readonly Key[]])[] = [
    ["q", ["q"]],
    ["\x1b[A\x1b[Bc", ["up", "down", "c"]],
    ["\x1bOA", ["up"]],
    ["\x1b[5~\x1b[6~\x1b[H\x1b[F", ["pageUp", "pageDown", "home", "end"]],
    ["\x1b[1;5Dq", ["q"]],
    ["\x1b[200~", []],
    ["\x1b", []],
    ["\x1bx", ["x"]],
    ["日q", ["日", "q"]],
    ["", []],
  ];
  for (const [text, keys] of table) assert.deepEqual(toKeys(text), keys, JSON.stringify(text));
});

Deno.test("isUnicodeLocale() looks where setlocale looks", () => {
  const of = (environment: Record<string, string>) => isUnicodeLocale((name) => environment[name]);
  assert.equal(of({ LANG: "en_US.UTF-8" }), true);
  assert.equal(of({ LANG: "de_DE.utf8", LC_ALL: "" }), true);
  assert.equal(of({ LANG: "en_US.UTF-8", LC_ALL: "C" }), false);
  assert.equal(of({ LC_CTYPE: "C.UTF-8", LANG: "C" }), true);
  assert.equal(of({}), false);
});

/** A terminal in memory. */
function aTerminal() {
  const output = new KeptOutput();
  const typed = new TransformStream<Uint8Array, Uint8Array>();
  const keyboard = typed.writable.getWriter();
  const seen: string[] = [];
  const state = { isRaw: false, isWatched: false, resize: () => {}, urgent: "" };
  const screen = openScreen({
    onKey: (key) => void seen.push(key),
    onResize: () => void seen.push("resize"),
    onGone: () => void seen.push("gone"),
  }, {
    output,
    input: { setRaw: (isRaw) => void (state.isRaw = isRaw), readable: typed.readable },
    writeNow: (text) => void (state.urgent += text),
    size: () => ({ columns: 80, rows: 24, isUnicode: false }),
    watchSize: (listener) => {
      Object.assign(state, { isWatched: true, resize: listener });
      return () => void (state.isWatched = false);
    },
  });
  const type = (text: string) => keyboard.write(new TextEncoder().encode(text));
  return { output, seen, state, screen, type, keyboard };
}

const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
const LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l";

Deno.test("a screen takes the terminal over and gives it back, once", async () => {
  const { output, state, screen, seen, type } = aTerminal();
  assert.deepEqual([state.isRaw, state.isWatched], [true, true]);
  await type("c\x1b[A");
  state.resize();
  screen.draw(["one", "two"]);
  await screen[Symbol.asyncDispose]();
  await screen[Symbol.asyncDispose]();
  screen.draw(["late"]);

  assert.ok(output.text.startsWith(ENTER), JSON.stringify(output.text));
  assert.ok(output.text.endsWith(LEAVE), JSON.stringify(output.text));
  assert.equal(output.text.split(LEAVE).length, 2);
  assert.ok(!output.text.includes("late"));
  assert.deepEqual([state.isRaw, state.isWatched, state.urgent], [false, false, ""]);
  assert.deepEqual(seen.toSorted(), ["c", "resize", "up"]);
});

Deno.test("a screen draws from the first row and clears behind each line, so that nothing flickers", async () => {
  const { output, screen } = aTerminal();
  screen.draw(["one", "two"]);
  await screen[Symbol.asyncDispose]();
  assert.ok(!output.text.includes("one") || output.text.includes("\x1b[Hone\x1b[K\r\ntwo\x1b[K\x1b[J"));

  const slow = aTerminal();
  await slow.type(""); // lets the first write through
  slow.screen.draw(["one", "two"]);
  await slow.type("");
  assert.ok(slow.output.text.endsWith("\x1b[Hone\x1b[K\r\ntwo\x1b[K\x1b[J"), JSON.stringify(slow.output.text));
  await slow.screen[Symbol.asyncDispose]();
});

Deno.test("a screen is given back at once when the process is ended by force", () => {
  const { state, screen } = aTerminal();
  screen.abandon();
  screen.abandon();
  assert.deepEqual([state.isRaw, state.isWatched, state.urgent], [false, false, LEAVE]);
});

Deno.test("a screen says when nobody looks at it any more, and still ends", async () => {
  const { output, screen, seen, type } = aTerminal();
  await type("");
  output.failure = new OutputGoneError("gone");
  screen.draw(["one"]);
  await type("");
  assert.deepEqual(seen, ["gone"]);
  await screen[Symbol.asyncDispose]();
});
