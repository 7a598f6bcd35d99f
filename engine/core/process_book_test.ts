import { assert } from "../../tests/support/assert.ts";
import type { ProcessReading } from "../api/host_reader.ts";
import { toTargetId } from "../api/units.ts";
import { ProcessBook } from "./process_book.ts";

const A = toTargetId("a");

function open(options: { processesMax?: number } = {}): { book: ProcessBook; host: Map<number, ProcessReading> } {
  const host = new Map<number, ProcessReading>();
  return { book: new ProcessBook({ host: { process: (processId) => host.get(processId) }, ...options }), host };
}

Deno.test("ProcessBook keeps what it was told and adds what the host knows, sanitised", () => {
  const { book, host } = open();
  host.set(7, { parentProcessId: 1, command: "other", commandLine: ["sh", "-c", "a\x1b[2J"] });
  book.see({ processId: 7, targetId: A, parentProcessId: 3, command: "sh\n" });
  book.readSome();

  assert.deepEqual([...book.processes()], [{
    processId: 7,
    parentProcessId: 3,
    targetId: A,
    command: "sh\\x0a",
    commandLine: ["sh", "-c", "a\\x1b[2J"],
    exited: false,
  }]);
});

Deno.test("exec() reads the command line anew, end() keeps the last one", () => {
  const { book, host } = open();
  host.set(7, { parentProcessId: 1, command: "sh", commandLine: ["sh"] });
  book.see({ processId: 7, targetId: A });
  book.readSome();
  host.set(7, { parentProcessId: 1, command: "sleep", commandLine: ["sleep", "1"] });
  book.exec({ processId: 7, targetId: A, command: "sleep" });
  book.readSome();
  host.delete(7);
  book.end({ processId: 7, targetId: A });
  book.readSome();

  const [info] = book.processes();
  assert.deepEqual([info?.command, info?.commandLine, info?.exited], ["sleep", ["sleep", "1"], true]);
});

Deno.test("see() takes an id that had ended for a new process", () => {
  const { book, host } = open();
  host.set(7, { parentProcessId: 1, command: "old", commandLine: ["old"] });
  book.see({ processId: 7, targetId: A, parentProcessId: 5 });
  book.readSome();
  book.end({ processId: 7, targetId: A });

  book.see({ processId: 7, targetId: A, command: "new" });

  assert.deepEqual(
    [...book.processes()].map((info) => [info.command, info.parentProcessId, info.commandLine, info.exited]),
    [
      ["new", 0, [], false],
    ],
  );
});

Deno.test("readSome() asks the host no more often than allowed, and about each process once", () => {
  let readCount = 0;
  const book = new ProcessBook({
    host: {
      process: () => {
        readCount++;
        return undefined;
      },
    },
  });
  for (let processId = 1; processId <= 5; processId++) book.see({ processId, targetId: A });

  book.readSome(2);
  assert.equal(readCount, 2);
  book.readSome(Infinity);
  book.readSome(Infinity);
  assert.equal(readCount, 5);
});

Deno.test("a full ProcessBook lets ended processes go first, in the order they ended, and counts them", () => {
  const { book } = open({ processesMax: 3 });
  for (const processId of [1, 2, 3]) book.see({ processId, targetId: A });
  book.end({ processId: 3, targetId: A });
  book.end({ processId: 2, targetId: A });

  book.see({ processId: 4, targetId: A });
  book.see({ processId: 5, targetId: A });
  assert.deepEqual([...book.processes()].map((info) => info.processId), [1, 4, 5]);
  book.see({ processId: 6, targetId: A });

  assert.deepEqual([...book.processes()].map((info) => info.processId), [4, 5, 6]);
  assert.equal(book.forgottenCount, 3);
});

Deno.test("forgetTarget() forgets that target's processes alone", () => {
  const { book } = open();
  book.see({ processId: 1, targetId: A });
  book.see({ processId: 2, targetId: toTargetId("b") });

  book.forgetTarget(A);

  assert.deepEqual([...book.processes()].map((info) => info.processId), [2]);
});

Deno.test("hasEnded() holds from a process's end until its id names another one", () => {
  const { book } = open();
  assert.equal(book.hasEnded(1), false);
  book.see({ processId: 1, targetId: A });
  assert.equal(book.hasEnded(1), false);
  book.end({ processId: 1, targetId: A });
  assert.equal(book.hasEnded(1), true);
  book.see({ processId: 1, targetId: A });
  assert.equal(book.hasEnded(1), false);
});
