/**
 * The protocol of Redis and Valkey, RESP 2: commands as arrays of bulk strings, and an incremental parser of replies.
 *
 * Bytes are kept as Latin-1, one character a byte, so that lengths count bytes. All texts here are ASCII.
 *
 * @module
 */

/** A reply. */
export type Reply = string | number | null | StoreError | readonly Reply[];

/** An error that the server replied. */
export class StoreError extends Error {
  override readonly name = "StoreError";

  /** The first word, such as `NOSCRIPT`. */
  get kind(): string {
    return this.message.split(" ", 1)[0]!;
  }
}

/** A reply that is not of the protocol: something else listens at the address. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

/** The deepest nesting of arrays that is read. */
const MAX_DEPTH = 8;
/** The largest reply that is kept, in bytes. Those of `INFO` and `CLUSTER SLOTS` are far smaller. */
const MAX_BYTES = 1 << 24;

/** A command as it is sent. */
export function encodeCommand(words: readonly string[]): Uint8Array {
  const encoder = new TextEncoder();
  const parts = words.flatMap((word) => {
    const bytes = encoder.encode(word);
    return [encoder.encode(`$${bytes.length}\r\n`), bytes, encoder.encode("\r\n")];
  });
  parts.unshift(encoder.encode(`*${words.length}\r\n`));
  const command = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    command.set(part, at);
    at += part.length;
  }
  return command;
}

/** Parses replies that arrive in pieces. */
export class ReplyParser {
  #input = "";
  #at = 0;

  /**
   * Adds a piece, as Latin-1, and returns the replies that it completes.
   *
   * @throws {ProtocolError}
   */
  push(piece: string): Reply[] {
    this.#input += piece;
    if (this.#input.length > MAX_BYTES) throw new ProtocolError("the reply does not end");
    const replies: Reply[] = [];
    for (;;) {
      this.#at = 0;
      const reply = this.#reply(0);
      if (reply === undefined) return replies;
      this.#input = this.#input.slice(this.#at);
      replies.push(reply);
    }
  }

  /** The reply at the position, which it moves behind it; undefined if the reply has not arrived whole. */
  #reply(depth: number): Reply | undefined {
    const end = this.#input.indexOf("\r\n", this.#at);
    if (end < 0) {
      if (this.#input.length > this.#at) this.#checkKind(this.#input[this.#at]!);
      return undefined;
    }
    const kind = this.#input[this.#at]!;
    const line = this.#input.slice(this.#at + 1, end);
    this.#checkKind(kind);
    this.#at = end + 2;
    switch (kind) {
      case "+":
        return line;
      case "-":
        return new StoreError(line);
      case ":":
        return integer(line);
      case "$":
        return this.#bulk(integer(line));
      default:
        return this.#array(integer(line), depth + 1);
    }
  }

  #bulk(length: number): string | null | undefined {
    if (length < 0) return null;
    const end = this.#at + length;
    if (this.#input.length < end + 2) return undefined;
    const text = this.#input.slice(this.#at, end);
    this.#at = end + 2;
    return text;
  }

  #array(length: number, depth: number): readonly Reply[] | null | undefined {
    if (length < 0) return null;
    if (depth > MAX_DEPTH) throw new ProtocolError("arrays are nested too deeply");
    const replies: Reply[] = [];
    while (replies.length < length) {
      const reply = this.#reply(depth);
      if (reply === undefined) return undefined;
      replies.push(reply);
    }
    return replies;
  }

  #checkKind(kind: string): void {
    if (!"+-:$*".includes(kind)) throw new ProtocolError("the answer is not of Redis or Valkey");
  }
}

function integer(line: string): number {
  if (!/^-?\d{1,19}$/.test(line)) throw new ProtocolError("the answer is not of Redis or Valkey");
  return Number(line);
}
