/**
 * Generated texts from a fixed seed, where no corpus exists: emoji, base64 and chat requests.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { Random } from "./random.ts";

/** Code points that are emoji of one code point in every Unicode version in use. */
const EMOJI_RANGES: readonly (readonly [first: number, last: number])[] = [
  [0x1f300, 0x1f320],
  [0x1f32d, 0x1f335],
  [0x1f340, 0x1f37c],
  [0x1f400, 0x1f43e],
  [0x1f440, 0x1f4fc],
  [0x1f600, 0x1f64f],
  [0x1f680, 0x1f6c5],
  [0x1f910, 0x1f93a],
  [0x1f980, 0x1f9ae],
];

/** People that take a skin tone. */
const PEOPLE = [0x1f44b, 0x1f44d, 0x1f44f, 0x1f64f, 0x1f9d1, 0x1f468, 0x1f469, 0x1f467];
const PROFESSIONS = [0x1f4bb, 0x1f52c, 0x1f680, 0x1f692, 0x1f3eb, 0x1f33e, 0x1f373];
const CHATTER = ["lol", "so good", "on my way", "ok", "see you", "really?", "nice", "thanks", "no"];
const JOINER = "\u200d";

/** Endless short chat messages, mostly emoji: plain, toned, joined, flags and key caps. */
export function* emojiMessages(seed: number): Generator<string> {
  const random = new Random(seed);
  while (true) {
    let message = "";
    for (let i = random.integer(2, 9); i > 0; i--) message += emoji(random);
    yield random.next() < 0.4 ? `${random.pick(CHATTER)} ${message}\n` : `${message} `;
  }
}

function emoji(random: Random): string {
  const kind = random.next();
  if (kind < 0.75) {
    const [first, last] = random.pick(EMOJI_RANGES);
    return String.fromCodePoint(random.integer(first, last + 1));
  }
  const tone = String.fromCodePoint(0x1f3fb + random.integer(0, 5));
  const person = String.fromCodePoint(random.pick(PEOPLE)) + tone;
  if (kind < 0.85) return person;
  if (kind < 0.92) return person + JOINER + String.fromCodePoint(random.pick(PROFESSIONS));
  if (kind < 0.97) {
    const letter = () => String.fromCodePoint(0x1f1e6 + random.integer(0, 26));
    return letter() + letter();
  }
  return `${random.integer(0, 10)}\ufe0f\u20e3`;
}

/** Endless base64 of random bytes without line breaks, as in data URLs. */
export function* base64Blocks(seed: number): Generator<string> {
  const random = new Random(seed);
  while (true) {
    const bytes = Buffer.alloc(3 * 1024);
    for (let i = 0; i < bytes.length; i++) bytes[i] = random.integer(0, 256);
    yield bytes.toString("base64");
  }
}

/** Takes the next text of about this many characters from a source. */
export type Take = (characters: number) => string;

/** A chat request in the shape of OpenAI's API. */
export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly tools?: readonly unknown[];
}

/** One message of a {@linkcode ChatRequest}. */
export interface ChatMessage {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly content: string | null;
  readonly name?: string;
  readonly tool_call_id?: string;
  readonly tool_calls?: readonly unknown[];
}

/** Endless chat requests with tool schemas; contents come from `prose` and `code`. */
export function* chatRequests(seed: number, prose: Take, code: Take): Generator<ChatRequest> {
  const random = new Random(seed);
  while (true) {
    const messages: ChatMessage[] = [{ role: "system", content: prose(random.integer(200, 900)) }];
    for (let turn = random.integer(1, 5); turn > 0; turn--) {
      messages.push({ role: "user", content: prose(random.integer(20, 600)) });
      if (random.next() < 0.3) messages.push(...toolTurn(random, code));
      const answer = random.next() < 0.4
        ? `${prose(random.integer(40, 200))}\n\n\`\`\`ts\n${code(random.integer(100, 900))}\n\`\`\``
        : prose(random.integer(100, 900));
      messages.push({ role: "assistant", content: answer });
    }
    const tools = Array.from({ length: random.integer(1, 4) }, () => toolSchema(random, prose));
    yield { model: random.pick(["gpt-5", "gpt-4.1-mini", "o4-mini"]), messages, tools };
  }
}

function toolTurn(random: Random, code: Take): ChatMessage[] {
  const id = `call_${hexadecimal(random, 24)}`;
  const call = { path: `src/${hexadecimal(random, 6)}.ts`, start: random.integer(1, 5000) };
  const invocation = { name: "read_file", arguments: JSON.stringify(call) };
  const tool_calls = [{ id, type: "function", function: invocation }];
  return [
    { role: "assistant", content: null, tool_calls },
    { role: "tool", tool_call_id: id, content: code(random.integer(200, 2000)) },
  ];
}

function toolSchema(random: Random, prose: Take): unknown {
  const names = random.shuffled(["query", "path", "limit", "language", "start_date", "unit"]);
  const properties = Object.fromEntries(
    names.slice(0, random.integer(2, 5)).map((name) => [name, {
      type: random.pick(["string", "integer", "boolean"]),
      description: prose(random.integer(30, 120)).trim(),
    }]),
  );
  const name = random.pick(["search", "read_file", "send_mail", "get_weather", "run_query"]);
  const description = prose(random.integer(60, 200)).trim();
  const required = Object.keys(properties).slice(0, 2);
  const parameters = { type: "object", properties, required };
  return { type: "function", function: { name, description, parameters } };
}

function hexadecimal(random: Random, digits: number): string {
  return Array.from({ length: digits }, () => random.integer(0, 16).toString(16)).join("");
}
