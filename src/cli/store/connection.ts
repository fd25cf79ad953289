/**
 * A connection to a Redis or Valkey server: one command after the other, each with a time limit.
 *
 * @module
 */
import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { nameOf, type StoreAddress } from "./address.ts";
import { encodeCommand, type Reply, ReplyParser, StoreError } from "./resp.ts";

/** The time that connecting, and each command, may take. */
const TIMEOUT_MS = 5000;

interface Waiting {
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

/** A connection. It ends with the first failure; replies that are errors are no failures. */
export class StoreConnection implements Disposable {
  /** "host:port". */
  readonly name: string;
  readonly #socket: Socket;
  readonly #parser = new ReplyParser();
  /** Those that wait for a reply, in the order of their commands. */
  readonly #waiting: Waiting[] = [];
  #failure: Error | undefined;

  private constructor(name: string, socket: Socket) {
    this.name = name;
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding("latin1");
    socket.on("data", (piece: unknown) => this.#receive(piece as string));
    socket.on("error", (error: Error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the server closed the connection")));
  }

  /** Connects and logs in. */
  static async open(address: StoreAddress): Promise<StoreConnection> {
    const { host, port, isTls, user, password, database } = address;
    const socket = isTls
      ? connectTls({ host, port, ...isIp(host) ? {} : { servername: host } })
      : connectPlain({ host, port });
    const connection = new StoreConnection(nameOf(address), socket);
    try {
      await connection.#connected(isTls ? "secureConnect" : "connect");
      if (password !== undefined) {
        await connection.run("AUTH", ...(user === undefined ? [] : [user]), password);
      }
      if (database !== 0) await connection.run("SELECT", String(database));
      return connection;
    } catch (error) {
      connection[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Sends a command and resolves with its reply.
   *
   * @throws {StoreError} If the reply is an error.
   */
  async run(...words: readonly string[]): Promise<Reply> {
    if (this.#failure !== undefined) throw this.#failure;
    const reply = await this.#within<Reply>(`${words[0]} was not answered`, (resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#socket.write(encodeCommand(words));
    });
    if (reply instanceof StoreError) throw reply;
    return reply;
  }

  /** As {@linkcode run}, for replies that are texts. */
  async text(...words: readonly string[]): Promise<string> {
    return String(await this.run(...words));
  }

  [Symbol.dispose](): void {
    this.#fail(new Error("the connection is closed"));
  }

  #connected(event: string): Promise<void> {
    return this.#within("no connection", (resolve, reject) => {
      if (this.#failure !== undefined) reject(this.#failure);
      this.#waiting.push({ resolve: () => {}, reject });
      this.#socket.once(event, () => {
        this.#waiting.length = 0;
        resolve();
      });
    });
  }

  async #within<T>(
    what: string,
    start: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
  ): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        timer = setTimeout(
          () => this.#fail(new Error(`${what} within ${TIMEOUT_MS} ms`)),
          TIMEOUT_MS,
        );
        start(resolve, reject);
      });
    } finally {
      clearTimeout(timer);
    }
  }

  #receive(piece: string): void {
    try {
      for (const reply of this.#parser.push(piece)) this.#waiting.shift()?.resolve(reply);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#socket.destroy();
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}

function isIp(host: string): boolean {
  return /^[\d.]+$|:/.test(host);
}
