/**
 * The identifiers of documents, by `JSON.parse` of each line.
 *
 * @module
 */
import { LINE_OK } from "../../ffi/symbols.gen.ts";
import { fieldOf } from "../../tokenizer/json_line.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** JSON with access to the text of numbers, which all runtimes have. */
interface ExactJson {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): Readonly<Record<string, unknown>>;
  rawJSON(text: string): unknown;
}

const exactJson = JSON as unknown as ExactJson;

/** For each line the identifier of its document, if it has one. */
export function idsOfLines(
  bytes: Uint8Array,
  starts: Uint32Array,
  reasons: Uint8Array,
  field: string,
): readonly (string | undefined)[] {
  return Array.from(reasons, (reason, i) => {
    if (reason !== LINE_OK) return undefined;
    return idOf(decoder.decode(bytes.subarray(starts[i], starts[i + 1] ?? bytes.length)), field);
  });
}

function idOf(line: string, field: string): string | undefined {
  const id = fieldOf(JSON.parse(line), field);
  if (id === undefined || id === null) return undefined;
  if (typeof id === "string") return id;
  // Two identifiers of 64 bits would become one if they were rounded.
  const mayBeRounded = typeof id === "object" ||
    typeof id === "number" && !Number.isSafeInteger(id);
  return JSON.stringify(mayBeRounded ? fieldOf(exactJson.parse(line, asWritten), field) : id);
}

/** Keeps the text of a number that is no integer below 2^53. */
function asWritten(_: string, value: unknown, { source }: { readonly source?: string }): unknown {
  return typeof value === "number" && !Number.isSafeInteger(value) && source !== undefined
    ? exactJson.rawJSON(source)
    : value;
}
