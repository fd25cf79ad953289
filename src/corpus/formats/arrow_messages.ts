/**
 * The messages of an Arrow IPC stream: their metadata in FlatBuffers, and where their bodies are.
 *
 * @module
 */
import { FormatError } from "./format.ts";
import { readExactly } from "./read_at.ts";

/** A continuation mark and the length of the metadata. */
const PREFIX_BYTES = 8;

/** Fields of the table `Message` of Arrow, counted from 0. */
const MESSAGE_HEADER = 2;
const MESSAGE_BODY_LENGTH = 3;
/** Of the table `RecordBatch`. */
const BATCH_LENGTH = 0;
const BATCH_NODES = 1;

/** The bytes of a `FieldNode`: the number of values, and that of nulls. */
const NODE_BYTES = 16;

/** A message without its body. */
export interface Message {
  /** The prefix and the metadata. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where the body begins in the file. */
  readonly body: number;
  readonly bodyLength: number;
  /** Of a record batch, the number of rows. */
  readonly rows: number;
  /** Of a record batch, the number of values of its last field, which is that of the items of the last list. */
  readonly items: number;
}

/** The messages of a file: the schema, and the record batches behind it. Bodies are skipped. */
export async function* messages(fd: number, path: string): AsyncGenerator<Message> {
  for (let at = 0;;) {
    const message = await readMessage(fd, path, at);
    if (message === undefined) return;
    yield message;
    at = message.body + message.bodyLength;
  }
}

/** The message at a position, or undefined if the stream ends there. */
async function readMessage(fd: number, path: string, at: number): Promise<Message | undefined> {
  const prefix = await readExactly(fd, path, at, PREFIX_BYTES);
  const view = new DataView(prefix.buffer, prefix.byteOffset);
  if (view.getInt32(0, true) !== -1) {
    throw new FormatError(`${path} is no stream of Arrow at byte ${at}`);
  }
  const length = view.getInt32(4, true);
  if (length === 0) return undefined;
  const bytes = await readExactly(fd, path, at, PREFIX_BYTES + length);
  try {
    const metadata = new DataView(bytes.buffer, bytes.byteOffset + PREFIX_BYTES, length);
    const message = { bytes, body: at + PREFIX_BYTES + length, ...parse(metadata) };
    if (Math.min(message.bodyLength, message.rows, message.items) >= 0) return message;
    throw new RangeError("a length is negative");
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new FormatError(`${path} has a damaged message at byte ${at}`, { cause: error });
  }
}

/** @throws {RangeError} If an offset is not in the buffer. */
function parse(buffer: DataView): Pick<Message, "bodyLength" | "rows" | "items"> {
  const message = buffer.getInt32(0, true);
  const bodyLength = longOf(buffer, message, MESSAGE_BODY_LENGTH);
  const header = offsetOf(buffer, message, MESSAGE_HEADER);
  // A schema has no body. Its header is another table.
  if (bodyLength === 0 || header === undefined) return { bodyLength, rows: 0, items: 0 };
  const nodes = offsetOf(buffer, header, BATCH_NODES);
  const last = nodes === undefined
    ? undefined
    : nodes + 4 + NODE_BYTES * (buffer.getUint32(nodes, true) - 1);
  return {
    bodyLength,
    rows: longOf(buffer, header, BATCH_LENGTH),
    items: last === undefined ? 0 : Number(buffer.getBigInt64(last, true)),
  };
}

function longOf(buffer: DataView, table: number, field: number): number {
  const at = fieldOf(buffer, table, field);
  return at === undefined ? 0 : Number(buffer.getBigInt64(at, true));
}

function offsetOf(buffer: DataView, table: number, field: number): number | undefined {
  const at = fieldOf(buffer, table, field);
  return at === undefined ? undefined : at + buffer.getUint32(at, true);
}

/** Where a field of a table is. A table begins with the distance to the list of its fields. */
function fieldOf(buffer: DataView, table: number, field: number): number | undefined {
  const fields = table - buffer.getInt32(table, true);
  const entry = 4 + 2 * field;
  if (entry >= buffer.getUint16(fields, true)) return undefined;
  const offset = buffer.getUint16(fields + entry, true);
  return offset === 0 ? undefined : table + offset;
}
