/**
 * A headless Chromium for tests of pages, driven through the DevTools protocol:
 * one browser, a private profile, nothing left behind.
 *
 * @module
 */

/** Longest a command of the protocol may take. */
const ANSWER_MS_MAX = 20_000;

/** How a page is looked at. */
export interface View {
  readonly width: number;
  readonly height: number;
  readonly colours: "light" | "dark";
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly sessionId?: string;
  readonly params?: unknown;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
}

/** A browser of our own; disposal ends it and removes its profile. */
export class Chromium implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #profilePath: string;
  readonly #messages: Promise<void>;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (message: Message) => void>();
  readonly #listeners = new Set<(message: Message) => void>();
  #lastId = 0;

  private constructor(
    given: { child: Deno.ChildProcess; profilePath: string; messages: Promise<void>; socket: WebSocket },
  ) {
    this.#child = given.child;
    this.#profilePath = given.profilePath;
    this.#messages = given.messages;
    this.#socket = given.socket;
    this.#socket.addEventListener("message", ({ data }) => this.#onMessage(JSON.parse(data)));
  }

  /** @throws {Error} If it does not start */
  static async start(): Promise<Chromium> {
    const profilePath = await Deno.makeTempDir({ prefix: "podtrace-chromium-" });
    const child = new Deno.Command("chromium", {
      args: [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-dev-shm-usage",
        "--remote-debugging-port=0",
        `--user-data-dir=${profilePath}`,
        "about:blank",
      ],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const address = Promise.withResolvers<string>();
    const messages = readMessages(child.stderr, address);
    const socket = new WebSocket(await address.promise);
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve, { once: true });
      socket.addEventListener("error", () => reject(new Error("Cannot talk to chromium: its socket is closed")));
    });
    return new Chromium({ child, profilePath, messages, socket });
  }

  /** Opens the file in a page of its own and waits until it is loaded. */
  async open(path: string, view: View): Promise<Page> {
    const { targetId } = await this.send("Target.createTarget", { params: { url: "about:blank" } });
    const { sessionId } = await this.send("Target.attachToTarget", { params: { targetId, flatten: true } });
    const page = new Page(this, String(sessionId));
    await page.load(path, view);
    return page;
  }

  /** Sends one command and yields its result. @throws {Error} If the browser refuses it or does not answer */
  async send(
    method: string,
    given: { readonly params?: Readonly<Record<string, unknown>>; readonly sessionId?: string } = {},
  ): Promise<Readonly<Record<string, unknown>>> {
    const id = ++this.#lastId;
    const answer = Promise.withResolvers<Message>();
    const timeout = setTimeout(() => answer.resolve({ error: { message: "no answer" } }), ANSWER_MS_MAX);
    this.#waiting.set(id, answer.resolve);
    this.#socket.send(JSON.stringify({ id, method, ...given }));
    const { error, result } = await answer.promise;
    clearTimeout(timeout);
    this.#waiting.delete(id);
    if (error !== undefined) throw new Error(`Cannot do ${method} in chromium: ${error.message}`);
    return result ?? {};
  }

  /** Hears of everything that a page reports. */
  listen(sessionId: string, onMessage: (method: string, params: unknown) => void): void {
    this.#listeners.add((message) => {
      if (message.sessionId === sessionId && message.method !== undefined) onMessage(message.method, message.params);
    });
  }

  /** Ends the browser's processes, then removes what they wrote. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.send("Browser.close").catch(() => this.#child.kill("SIGKILL"));
    await this.#child.status;
    await this.#messages;
    const closed = new Promise((resolve) => this.#socket.addEventListener("close", resolve, { once: true }));
    if (this.#socket.readyState !== WebSocket.CLOSED) {
      this.#socket.close();
      await closed;
    }
    await removeFolder(this.#profilePath);
  }

  #onMessage(message: Message): void {
    if (message.id === undefined) {
      for (const listener of this.#listeners) listener(message);
    } else {
      this.#waiting.get(message.id)?.(message);
    }
  }
}

/** Reads what the browser says to its end; the first line with an address decides. */
async function readMessages(
  stderr: ReadableStream<Uint8Array<ArrayBuffer>>,
  address: PromiseWithResolvers<string>,
): Promise<void> {
  let text = "";
  for await (const part of stderr.pipeThrough(new TextDecoderStream())) {
    if (text.length > 100_000) continue;
    text += part;
    const found = /DevTools listening on (ws:\S+)/.exec(text)?.[1];
    if (found !== undefined) address.resolve(found);
  }
  address.reject(new Error(`Cannot start chromium: it ended and said ${text.slice(-500)}`));
}

/** A helper process may write for a moment longer than its parent lives. */
async function removeFolder(path: string): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      return await Deno.remove(path, { recursive: true });
    } catch (error) {
      if (attempt >= 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** One page, and everything it complained about or asked for. */
export class Page {
  /** What its console and its policy said. */
  readonly complaints: string[] = [];
  /** Addresses it asked for, the file itself left out. */
  readonly requests: string[] = [];
  readonly #browser: Chromium;
  readonly #sessionId: string;
  #address = "";
  #loaded = Promise.withResolvers<void>();

  constructor(browser: Chromium, sessionId: string) {
    this.#browser = browser;
    this.#sessionId = sessionId;
    browser.listen(sessionId, (method, params) => this.#onEvent(method, params));
  }

  /** Loads the file, looked at as `view`. */
  async load(path: string, view: View): Promise<void> {
    this.#address = `file://${path}`;
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await this.#send(`${domain}.enable`);
    await this.look(view);
    this.#loaded = Promise.withResolvers<void>();
    await this.#send("Page.navigate", { url: this.#address });
    await this.#loaded.promise;
  }

  /** Looks at the same page in another way. */
  async look({ width, height, colours }: View): Promise<void> {
    await this.#send("Emulation.setDeviceMetricsOverride", {
      width,
      height,
      deviceScaleFactor: 1,
      mobile: width < 500,
    });
    const features = [{ name: "prefers-color-scheme", value: colours }];
    await this.#send("Emulation.setEmulatedMedia", { features });
  }

  /** Yields what the expression comes to in the page; it must be data. */
  async evaluate(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = await this.#send("Runtime.evaluate", { expression, returnByValue: true });
    if (exceptionDetails !== undefined) throw new Error(`Cannot evaluate: ${JSON.stringify(exceptionDetails)}`);
    return isRecord(result) ? result["value"] : undefined;
  }

  /** Presses a key, as a keyboard does. */
  async press(key: string, options: { readonly hasShift?: boolean } = {}): Promise<void> {
    const event = { key, code: key, modifiers: options.hasShift ? 8 : 0 };
    await this.#send("Input.dispatchKeyEvent", { type: "keyDown", ...event });
    await this.#send("Input.dispatchKeyEvent", { type: "keyUp", ...event });
  }

  /** Moves the pressed mouse from one place to another. */
  async drag(from: { x: number; y: number }, to: { x: number; y: number }): Promise<void> {
    const steps = [["mouseMoved", from], ["mousePressed", from], ["mouseMoved", to], ["mouseReleased", to]] as const;
    for (const [type, { x, y }] of steps) {
      const button = type === "mouseMoved" && from === to ? "none" : "left";
      await this.#send("Input.dispatchMouseEvent", { type, x, y, button, buttons: 1, clickCount: 1 });
    }
  }

  #send(method: string, params: Readonly<Record<string, unknown>> = {}): Promise<Readonly<Record<string, unknown>>> {
    return this.#browser.send(method, { params, sessionId: this.#sessionId });
  }

  #onEvent(method: string, params: unknown): void {
    switch (method) {
      case "Page.loadEventFired":
        return this.#loaded.resolve();
      case "Runtime.consoleAPICalled":
      case "Runtime.exceptionThrown":
      case "Log.entryAdded":
        this.complaints.push(JSON.stringify(params));
        return;
      case "Network.requestWillBeSent": {
        const url = isRecord(params) && isRecord(params["request"]) ? String(params["request"]["url"]) : "?";
        if (url !== this.#address) this.requests.push(url);
      }
    }
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
