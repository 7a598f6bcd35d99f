import { assert } from "../../../tests/support/assert.ts";
import { buildBpfText } from "../../../tests/support/bpf_fixtures.ts";
import { kernelTest } from "../../../tests/support/kernel.ts";
import { CALL_FRAMES_MAX, deepestChains, stackProblems } from "./stack_depth.ts";

/**
 * A program that calls a function, which calls another, and so on, each with an array of so many bytes; of the last
 * one the compiler keeps what is used.
 */
function programOf(frames: readonly number[]): string {
  const functions = frames.map((bytes, index) => {
    const next = index + 1 < frames.length ? `sum += call_${index + 1}((long)own);` : "";
    const head = index === 0
      ? '__attribute__((section("syscall"), used)) int program(void *context)'
      : `__attribute__((noinline)) static long call_${index}(long given)`;
    return `${head} {
  volatile char own[${bytes}];
  long sum = ${index === 0 ? "(long)context" : "given"};
  own[0] = (char)sum;
  ${next}
  return sum + own[0] + own[${bytes - 1}];
}`;
  });
  return `${functions.toReversed().join("\n")}\n`;
}

const REQUIRES = { requires: ["clang"] } as const;

kernelTest("deepestChains() adds up the frames of every call below a program, each rounded up", REQUIRES, async () => {
  const [chain, ...others] = deepestChains(await buildBpfText(programOf([64, 100, 8])));

  assert.deepEqual(others, []);
  assert.deepEqual(chain?.functions, ["program", "call_1", "call_2"]);
  // 64, 100 and 8 bytes and what the compiler keeps beside them, in steps of 32.
  assert.ok(
    (chain?.stackBytes ?? 0) >= 64 + 128 + 32 && (chain?.stackBytes ?? 0) <= 96 + 160 + 64,
    `${chain?.stackBytes}`,
  );
  assert.equal((chain?.stackBytes ?? 1) % 32, 0);
});

kernelTest(
  "stackProblems() is silent at what every kernel gives, and names the chain that takes more",
  REQUIRES,
  async () => {
    assert.deepEqual(stackProblems(await buildBpfText(programOf([160, 160]))), []);
    const [deep] = stackProblems(await buildBpfText(programOf([200, 200, 200, 8])));
    assert.match(
      deep ?? "",
      /^program > call_1 > call_2 > call_3: found 704 bytes of stack in 4 frames, wanted at most 512 in 8$/,
    );
    const [long] = stackProblems(await buildBpfText(programOf(new Array(CALL_FRAMES_MAX + 1).fill(8))));
    assert.match(long ?? "", / in 9 frames, wanted at most 512 in 8$/);
  },
);
