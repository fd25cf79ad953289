/**
 * The limits of batch files, as data: each has a unit, and where it is documented.
 *
 * @module
 */

/** What a limit counts. */
export const LIMIT_UNITS = [
  /** Lines that are requests. */
  "requests",
  /** Bytes of lines, line feeds included. */
  "bytes",
  /** Tokens of prompts. */
  "tokens",
  /** Texts to embed: a request can have many. */
  "inputs",
  /** UTF-8 bytes of the texts to embed. */
  "input_bytes",
  /** Different models. */
  "models",
] as const;

/** A unit of a limit. */
export type LimitUnit = typeof LIMIT_UNITS[number];

/** One limit. */
export interface Limit {
  readonly unit: LimitUnit;
  readonly limit: number;
  /** What is limited: a file, or each request. @default "file" */
  readonly of?: "file" | "request" | undefined;
  /** Whether only requests for embeddings count. @default false */
  readonly embeddings?: boolean | undefined;
  /** Where the limit is documented. */
  readonly source?: string | undefined;
  /** When it was documented there, as `2026-11-29`. */
  readonly date?: string | undefined;
}

/** The limits of one provider. */
export interface LimitSet {
  readonly name: string;
  readonly limits: readonly Limit[];
  /** What identifiers must match. */
  readonly customId?: RegExp | undefined;
}

/** What a line is of each additive unit. */
export interface LineSize {
  readonly requests: number;
  readonly bytes: number;
  readonly tokens: number;
  /** Inputs and bytes of them. 0 unless the request is one for embeddings. */
  readonly inputs: number;
  readonly inputBytes: number;
}

const OPENAI_BATCH = "https://platform.openai.com/docs/api-reference/batch/create";
const OPENAI_EMBEDDINGS = "https://platform.openai.com/docs/api-reference/embeddings/create";
const OPENAI_GUIDE = "https://platform.openai.com/docs/guides/batch";
const AZURE = "https://learn.microsoft.com/azure/ai-services/openai/quotas-limits";
const ANTHROPIC = "https://platform.claude.com/docs/en/build-with-claude/batch-processing";
const MISTRAL = "https://docs.mistral.ai/resources/known-limitations";
const DATE = "2026-11-29";

/** Megabytes are taken as a million bytes, the smaller reading of documents that do not say. */
const MB = 1_000_000;

/** The limits that are known by name. The date is that of the look-up. */
export const KNOWN_LIMITS: readonly LimitSet[] = [
  {
    name: "openai-batch",
    limits: [
      { unit: "requests", limit: 50_000, source: OPENAI_BATCH, date: DATE },
      { unit: "bytes", limit: 200 * MB, source: OPENAI_BATCH, date: DATE },
      { unit: "inputs", limit: 50_000, embeddings: true, source: OPENAI_BATCH, date: DATE },
      { unit: "models", limit: 1, source: OPENAI_GUIDE, date: DATE },
      {
        unit: "inputs",
        of: "request",
        limit: 2048,
        embeddings: true,
        source: OPENAI_EMBEDDINGS,
        date: DATE,
      },
      {
        unit: "tokens",
        of: "request",
        limit: 300_000,
        embeddings: true,
        source: OPENAI_EMBEDDINGS,
        date: DATE,
      },
      {
        // The server takes a quarter of the bytes for the tokens.
        unit: "input_bytes",
        of: "request",
        limit: 1_200_000,
        embeddings: true,
        source: "https://github.com/timescale/pgai/issues/728",
        date: "2025-05-09",
      },
    ],
  },
  {
    name: "azure-batch",
    limits: [
      { unit: "requests", limit: 100_000, source: AZURE, date: DATE },
      { unit: "bytes", limit: 200 * MB, source: AZURE, date: DATE },
      { unit: "models", limit: 1, source: AZURE, date: DATE },
    ],
  },
  {
    name: "anthropic-batch",
    limits: [
      { unit: "requests", limit: 100_000, source: ANTHROPIC, date: DATE },
      { unit: "bytes", limit: 256 * MB, source: ANTHROPIC, date: DATE },
    ],
    customId: /^[a-zA-Z0-9_-]{1,64}$/,
  },
  {
    name: "mistral-batch",
    limits: [
      { unit: "requests", limit: 100_000, source: MISTRAL, date: DATE },
      { unit: "bytes", limit: 512 * MB, source: MISTRAL, date: DATE },
    ],
  },
];

/** How much of a limit a line uses. */
export function useOf(limit: Limit, size: LineSize): number {
  switch (limit.unit) {
    case "requests":
      return size.requests;
    case "bytes":
      return size.bytes;
    case "tokens":
      return limit.embeddings === true && size.inputs === 0 ? 0 : size.tokens;
    case "inputs":
      return size.inputs;
    case "input_bytes":
      return size.inputBytes;
    case "models":
      return 0;
  }
}

/** A limit in words, such as `200,000,000 bytes of a file`. */
export function describeLimit({ unit, limit, of = "file" }: Limit): string {
  return `${limit.toLocaleString("en-US")} ${unit.replace("_", " ")} of a ${of}`;
}
