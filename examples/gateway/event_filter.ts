/**
 * Removes whole events from a stream of server-sent events, and passes on all others byte for byte.
 *
 * Events are split at blank lines, as the HTML standard has it
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream).
 *
 * @module
 */

/** The longest event that is examined, in bytes. Longer ones are passed on unread. */
const MOST_BYTES = 262_144;
const LF = 10;
const CR = 13;
const NOTHING = new Uint8Array(0);

/** Passes on the bytes of all events, except those for which `isHidden` returns true. */
export class EventFilter {
  readonly #isHidden: (data: string) => boolean;
  /** The bytes so far of an unfinished event. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  /** Whether the current line has no byte yet. */
  #isLineEmpty = true;
  /** Whether the last byte was a carriage return. */
  #wasReturn = false;
  /** Whether the current event is passed on unread. */
  #isPassing = false;
  /** Whether filtering has stopped. */
  #isOff = false;

  /** @param isHidden Receives the data of an event: its `data:` lines, joined by line feeds. */
  constructor(isHidden: (data: string) => boolean) {
    this.#isHidden = isHidden;
  }

  /** Adds `part` and returns the bytes that are passed on now. O(bytes). */
  push(part: Uint8Array): Uint8Array {
    if (this.#isOff) return part;
    const passed: Uint8Array[] = [];
    let begin = 0;
    for (let i = 0; i < part.length; i++) {
      const byte = part[i]!;
      // The standard also allows a lone carriage return as a line end. No server sends it, so filtering stops then.
      if (this.#wasReturn && byte !== LF) {
        this.#isOff = true;
        break;
      }
      this.#wasReturn = byte === CR;
      if (byte === LF && this.#isLineEmpty) {
        this.#end(part.subarray(begin, i + 1), passed);
        begin = i + 1;
      }
      if (byte !== CR) this.#isLineEmpty = byte === LF;
    }
    this.#hold(part.subarray(begin), passed);
    return joined(passed);
  }

  /** The remaining bytes at the end of the stream. */
  flush(): Uint8Array {
    return this.#release();
  }

  #end(last: Uint8Array, passed: Uint8Array[]): void {
    const event = joined([...this.#held, last]);
    this.#held = [];
    this.#heldBytes = 0;
    if (this.#isPassing || !this.#isHidden(dataOf(event))) passed.push(event);
    this.#isPassing = false;
  }

  #hold(rest: Uint8Array, passed: Uint8Array[]): void {
    this.#held.push(rest.slice());
    this.#heldBytes += rest.length;
    this.#isPassing ||= this.#heldBytes > MOST_BYTES;
    if (this.#isPassing || this.#isOff) passed.push(this.#release());
  }

  #release(): Uint8Array {
    const held = joined(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    return held;
  }
}

/** The `data:` lines of an event, joined. */
function dataOf(event: Uint8Array): string {
  const lines = new TextDecoder().decode(event).split(/\r?\n/);
  const data = lines.filter((line) => line.startsWith("data:"));
  return data.map((line) => line.slice(line[5] === " " ? 6 : 5)).join("\n");
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length === 0) return NOTHING;
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
