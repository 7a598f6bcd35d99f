/**
 * Waiting until a descriptor is readable, without blocking JavaScript.
 *
 * @module
 */

import type { Libc, OwnedFd } from "./libc.ts";

/** Events taken per wait; which ones does not matter, only that there are some. */
const EVENTS_BYTES = 16 * 8;
const ONE = new Uint8Array(new BigUint64Array([1n]).buffer);

/**
 * A set of descriptors to wait for. One wait at a time.
 *
 * A wait occupies one of the runtime's helper threads; interrupting it goes
 * through an eventfd, so the thread is free again at once.
 */
export class WaitSet implements AsyncDisposable {
  readonly #libc: Libc;
  readonly #epoll: OwnedFd;
  readonly #interrupt: OwnedFd;
  /** Written by the helper thread until `#pending` settles; a field, so that it lives that long. */
  readonly #events = new Uint8Array(EVENTS_BYTES);
  readonly #interruptCount = new Uint8Array(8);
  #pending: Promise<void> | undefined;
  #isDisposed = false;

  /** @throws {ForeignCallError} */
  constructor(libc: Libc) {
    this.#libc = libc;
    using stack = new DisposableStack();
    this.#epoll = stack.use(libc.epollCreate());
    this.#interrupt = stack.use(libc.eventFd());
    libc.epollAdd(this.#epoll.fd, this.#interrupt.fd);
    stack.move();
  }

  /** Waits for `fd` too; close it only after this set. @throws {ForeignCallError} */
  add(fd: number): void {
    this.#libc.epollAdd(this.#epoll.fd, fd);
  }

  /**
   * Settles when a descriptor is readable, the time is over, or `signal`
   * aborts: whichever it was, looking at the descriptors is the next step.
   *
   * @throws {ForeignCallError}
   */
  async wait(options: { timeoutMs: number; signal: AbortSignal }): Promise<void> {
    if (this.#pending !== undefined) throw new TypeError("Cannot wait: found a wait in progress, wanted one at a time");
    if (this.#isDisposed || options.signal.aborted) return;
    const interrupt = () => this.interrupt();
    options.signal.addEventListener("abort", interrupt, { once: true });
    this.#pending = this.#waitOnce(options.timeoutMs);
    try {
      await this.#pending;
    } finally {
      this.#pending = undefined;
      options.signal.removeEventListener("abort", interrupt);
    }
  }

  /** Ends the wait in progress, or the next one. @throws {ForeignCallError} */
  interrupt(): void {
    if (!this.#isDisposed) this.#libc.write(this.#interrupt.fd, ONE);
  }

  async #waitOnce(timeoutMs: number): Promise<void> {
    const readyCount = await this.#libc.epollWait(this.#epoll.fd, this.#events, { timeoutMs: Math.ceil(timeoutMs) });
    // A failure on the helper thread leaves its errno there. Asked again on
    // this thread, a lasting one throws; EINTR was none.
    const nowCount = readyCount < 0 ? this.#libc.epollPoll(this.#epoll.fd, this.#events) : readyCount;
    if (nowCount > 0) this.#drainInterrupt();
  }

  /** Reading resets the counter; asking the set of one descriptor first would cost as much as reading. */
  #drainInterrupt(): void {
    this.#libc.readIfAny(this.#interrupt.fd, this.#interruptCount);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return;
    this.interrupt();
    this.#isDisposed = true;
    await this.#pending?.catch(() => {}); // its failure belongs to the waiter
    this.#epoll[Symbol.dispose]();
    this.#interrupt[Symbol.dispose]();
  }
}
