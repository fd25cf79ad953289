/**
 * Gives Node the Web Workers that Bun and Deno have, on `node:worker_threads`. A test that starts Workers imports it, and
 * so do the Workers that it starts.
 *
 * @module
 */
import process from "node:process";
import { isMainThread, parentPort, Worker as Thread } from "node:worker_threads";
import { QUIET_NODE } from "./runtime.ts";

type Handler = ((event: MessageEvent) => void) | null;

class WebWorker extends EventTarget {
  readonly #thread: Thread;
  onmessage: Handler = null;
  onerror: ((event: ErrorEvent) => void) | null = null;

  constructor(url: string | URL) {
    super();
    const execArgv = [QUIET_NODE, "--import", import.meta.url];
    this.#thread = new Thread(new URL(url), { execArgv });
    this.#thread.on("message", (data) => {
      const event = new MessageEvent("message", { data });
      this.onmessage?.(event);
      this.dispatchEvent(event);
    });
    this.#thread.on("error", (error: Error) => {
      const { message } = error;
      const event = Object.assign(new Event("error", { cancelable: true }), { error, message });
      this.onerror?.(event as ErrorEvent);
      this.dispatchEvent(event);
    });
    this.#thread.on("exit", () => this.dispatchEvent(new Event("close")));
  }

  postMessage(data: unknown, transfer: readonly Transferable[] = []): void {
    this.#thread.postMessage(data, transfer as Parameters<Thread["postMessage"]>[1]);
  }

  terminate(): void {
    void this.#thread.terminate();
  }

  ref(): void {
    this.#thread.ref();
  }

  unref(): void {
    this.#thread.unref();
  }
}

if (!("Worker" in globalThis)) {
  Object.assign(globalThis, { Worker: WebWorker });
  if (!isMainThread && parentPort !== null) enterWorker(parentPort);
}

/** Gives the thread of a Worker its global functions. */
function enterWorker(port: NonNullable<typeof parentPort>): void {
  let handler: Handler = null;
  const hear = (data: unknown) => handler?.(new MessageEvent("message", { data }));
  Object.assign(globalThis, {
    self: globalThis,
    postMessage: port.postMessage.bind(port),
    close: () => process.exit(0),
  });
  // A handler keeps the Worker alive, and gets the messages that came before it.
  Object.defineProperty(globalThis, "onmessage", {
    get: () => handler,
    set(next: Handler) {
      if (handler !== null) port.off("message", hear);
      handler = next;
      if (handler !== null) port.on("message", hear);
    },
  });
}
