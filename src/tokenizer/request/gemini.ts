/**
 * The grammar of Google's `generateContent`, of the Gemini API and of Vertex, in camelCase and in snake_case, and
 * in the form of the SDK `@google/genai`.
 *
 * Fields: <https://ai.google.dev/api/generate-content>.
 *
 * @module
 */
import type { Medium } from "./media.ts";
import { bothCases, each, list, listOrOne, type Node, OPTIONS, uncounted } from "./rules.ts";

/** Inline data or a file. It is an image if its MIME type is one. */
function medium(part: Record<string, unknown>): Medium | undefined {
  const holder = part["inlineData"] ?? part["inline_data"] ?? part["fileData"] ?? part["file_data"];
  if (typeof holder !== "object" || holder === null) return undefined;
  const it = holder as Record<string, unknown>;
  const mime = it["mimeType"] ?? it["mime_type"];
  const resolution = part["mediaResolution"] ?? part["media_resolution"];
  return {
    type: typeof mime === "string" && mime.length < 100 ? mime : "file",
    isImage: typeof mime === "string" && mime.startsWith("image/"),
    data: it["data"],
    detail: (resolution as { level?: unknown } | undefined)?.level,
  };
}

const MEDIUM: Node = {
  fields: bothCases({
    mimeType: "enum",
    data: "payload",
    fileUri: "payload",
    displayName: "label",
  }),
};

const CALL: Node = {
  unit: "call",
  fields: { id: "callId", name: "callName", args: "callInput" },
};

const PART: Node = {
  string: "text",
  medium,
  fields: bothCases({
    inlineData: MEDIUM,
    fileData: MEDIUM,
    text: "text",
    thought: "label",
    thoughtSignature: "opaque",
    functionCall: CALL,
    functionResponse: {
      fields: bothCases({
        id: "id",
        name: "text",
        response: "json",
        scheduling: "enum",
        willContinue: "label",
        parts: uncounted("function_response_parts"),
      }),
    },
    executableCode: { fields: { id: "id", language: "text", code: "text" } },
    codeExecutionResult: { fields: { id: "id", outcome: "text", output: "text" } },
    videoMetadata: OPTIONS,
    mediaResolution: OPTIONS,
    partMetadata: OPTIONS,
  }),
};

const CONTENT: Node = {
  string: "text",
  unit: "message",
  fields: { role: "role", parts: listOrOne(PART) },
};

const DECLARATION: Node = {
  unit: "tool",
  fields: bothCases({
    name: "toolName",
    description: "toolDescription",
    parameters: "toolParameters",
    parametersJsonSchema: "toolParameters",
    response: "aside",
    responseJsonSchema: "aside",
    behavior: "enum",
  }),
};

const TOOL: Node = {
  fields: bothCases({
    functionDeclarations: list(DECLARATION),
    ...Object.fromEntries(
      `googleSearch googleSearchRetrieval codeExecution urlContext googleMaps enterpriseWebSearch
       computerUse fileSearch retrieval mcpServers`.split(/\s+/).map((name) => [
        name,
        uncounted(name),
      ]),
    ),
  }),
};

const GENERATION: Node = {
  fields: bothCases({
    ...each("responseSchema responseJsonSchema", "schema"),
    ...each(
      `stopSequences responseModalities speechConfig thinkingConfig imageConfig audioTimestamp
       routingConfig modelSelectionConfig temperature topP topK candidateCount maxOutputTokens seed
       presencePenalty frequencyPenalty responseLogprobs logprobs enableEnhancedCivicAnswers`,
      OPTIONS,
    ),
    ...each("responseMimeType mediaResolution", "enum"),
  }),
};

const SYSTEM: Node = { ...CONTENT, role: "system", first: true };

const REQUEST = {
  tools: list(TOOL),
  ...each("toolConfig safetySettings labels", OPTIONS),
  cachedContent: uncounted("cachedContent"),
  systemInstruction: SYSTEM,
} as const;

/** The whole body. */
export const GEMINI: Node = {
  fields: bothCases({
    ...REQUEST,
    model: "id",
    contents: listOrOne(CONTENT),
    generationConfig: GENERATION,
    config: { fields: { ...GENERATION.fields, ...bothCases(REQUEST) } },
    store: "label",
    serviceTier: "enum",
  }),
};
