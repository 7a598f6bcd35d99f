/**
 * Who owns foreign resources right now: every owner of a file descriptor,
 * mapping or libbpf handle signs in when it acquires and out when it releases.
 * In production nobody listens; a test listens and fails on what is left.
 *
 * @module
 */

/** Takes note of one acquisition; the result takes note of its release, once or more often. */
export type OwnerRegistry = (what: string) => () => void;

function nothing(): void {}

/** Keeps no books. */
export const NO_REGISTRY: OwnerRegistry = (): () => void => nothing;

/** One resource that was acquired and not yet released. */
export interface OpenOwner {
  readonly what: string;
  /** Where it was acquired. */
  readonly stack: string;
}

/** Books kept for a test: what is open, and the stack that opened it. */
export class OwnerBooks {
  readonly #open = new Map<number, OpenOwner>();
  #nextId = 0;

  /** Pass it to `openLibc` and `openLibbpf`. */
  readonly registry: OwnerRegistry = (what) => {
    const id = this.#nextId++;
    this.#open.set(id, { what, stack: new Error(what).stack ?? "" });
    return () => void this.#open.delete(id);
  };

  /** Oldest first. */
  open(): readonly OpenOwner[] {
    return [...this.#open.values()];
  }

  /** @throws {Error} If anything is still open; names each with its stack */
  assertEmpty(): void {
    const open = this.open();
    if (open.length === 0) return;
    const lines = open.map((owner) => `${owner.what}, acquired at\n${owner.stack}`);
    throw new Error(`Cannot close the books: ${open.length} foreign resources are still open\n${lines.join("\n")}`);
  }
}
