/**
 * One question to a thread of its own.
 *
 * @module
 */

/** Starts the module at `script`, sends it `request` and a port, and yields once it has answered on that. @throws {Error} What it threw */
export async function askWorker(script: URL, request: unknown): Promise<void> {
  const worker = new Worker(script, { type: "module" });
  const { port1: answers, port2: remote } = new MessageChannel();
  try {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    answers.onmessage = () => resolve();
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
    worker.postMessage(request, [remote]);
    await promise;
  } finally {
    answers.close();
    worker.terminate();
  }
}
