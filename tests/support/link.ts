/**
 * A network link to a server on 127.0.0.1: a TCP proxy that can delay bytes, hold them back in one direction or both, and
 * cut connections.
 *
 * @module
 */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** Which bytes are held back. Those of a real network that fails arrive late too, if they arrive. */
export type Stall = "nothing" | "all" | "answers";

export class Link implements AsyncDisposable {
  /** How long bytes take in each direction. */
  delayMs = 0;
  /** How many of a thousand pieces are lost at first, and repeated after `repeatMs`. What follows them waits. */
  lostPerMille = 0;
  repeatMs = 200;
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #pipes = new Set<Pipe>();
  #stall: Stall = "nothing";

  private constructor(server: Server, target: number) {
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
    server.on("connection", (near) => {
      const far = connect({ port: target, host: "127.0.0.1", noDelay: true });
      this.#join(near, far, false);
      this.#join(far, near, true);
    });
  }

  /** Opens a link to a port. */
  static async open(target: number): Promise<Link> {
    const server = createServer({ noDelay: true });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Link(server, target);
  }

  /** Holds bytes back, or delivers what was held back. */
  stall(what: Stall): void {
    this.#stall = what;
    for (const pipe of this.#pipes) pipe.deliver();
  }

  /** Breaks all connections. What was on its way is lost. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(from: Socket, to: Socket, isAnswer: boolean): void {
    const pipe = new Pipe(
      to,
      () => this.#stall === "all" || (isAnswer && this.#stall === "answers"),
    );
    this.#pipes.add(pipe);
    this.#sockets.add(from);
    from.on("data", (bytes: Uint8Array) => {
      const isLost = Math.random() * 1000 < this.lostPerMille;
      pipe.push(bytes, this.delayMs + (isLost ? this.repeatMs : 0));
    });
    from.on("error", () => {});
    from.on("close", () => {
      this.#pipes.delete(pipe);
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}

/** A queue of bytes with their times of delivery. */
class Pipe {
  readonly #to: Socket;
  readonly #isStalled: () => boolean;
  readonly #waiting: { at: number; bytes: Uint8Array }[] = [];
  #last = 0;

  constructor(to: Socket, isStalled: () => boolean) {
    this.#to = to;
    this.#isStalled = isStalled;
  }

  push(bytes: Uint8Array, delayMs: number): void {
    const now = performance.now();
    // In order: what follows a piece that is late is late too.
    this.#last = Math.max(this.#last, now + delayMs);
    this.#waiting.push({ at: this.#last, bytes });
    if (this.#last <= now) this.deliver();
    else setTimeout(() => this.deliver(), this.#last - now);
  }

  deliver(): void {
    while (this.#waiting.length > 0 && !this.#isStalled()) {
      const { at, bytes } = this.#waiting[0]!;
      const late = at - performance.now();
      if (late > 0) {
        setTimeout(() => this.deliver(), late);
        return;
      }
      this.#waiting.shift();
      if (!this.#to.destroyed) this.#to.write(bytes);
    }
  }
}
