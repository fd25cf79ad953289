/**
 * A classifier of JSON Lines by the fields of the first object: what the lines are, and for which provider.
 *
 * @module
 */
import type { EstimateKind } from "./estimate_types.ts";
import { type JsonObject, LineSplitter, parseLine } from "./json_lines.ts";
import { requestOf } from "./request_line.ts";

/** What lines are. */
export interface Detected {
  readonly kind: EstimateKind;
  /** The name of the limits that hold for a batch of this form, if they are known. */
  readonly limits: string | undefined;
}

/** What the lines of a piece are; texts if there is no object in it. */
export function detect(piece: Uint8Array): Detected {
  for (const line of new LineSplitter().lines(piece)) {
    const parsed = parseLine(line);
    if (parsed !== undefined && "value" in parsed) return detectObject(parsed.value);
  }
  return { kind: "text", limits: undefined };
}

/** Whether a text begins as JSON Lines do. */
export function beginsAsJson(piece: Uint8Array): boolean {
  return piece.find((byte) => byte !== 0x20 && (byte < 0x09 || byte > 0x0d)) === 0x7b;
}

function detectObject(line: JsonObject): Detected {
  const request = requestOf(line);
  if (request === undefined) return { kind: "text", limits: undefined };
  if (request.body === line) return { kind: "chat", limits: undefined };
  return { kind: "batch", limits: limitsOf(line, request.body) };
}

/** Lines of Mistral have no `url`, and those of Azure have one without a version. */
function limitsOf(line: JsonObject, body: JsonObject): string | undefined {
  const { url } = line;
  if (body === line["params"]) return "anthropic-batch";
  if (body !== line["body"]) return undefined;
  if (typeof url !== "string") return "mistral-batch";
  return url.startsWith("/v1/") ? "openai-batch" : "azure-batch";
}
