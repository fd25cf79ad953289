/**
 * The command `sluice encode`: converts texts to token ids.
 *
 * @module
 */
import { Command } from "commander";
import { SluiceError, type Tokenizer } from "../tokenizer/mod.ts";
import { type Input, InputError } from "./input.ts";
import { type Bad, BadLines, fieldOf, jsonLines, kind, type Line } from "./lines.ts";
import {
  addEncodingOptions,
  addFiles,
  addFolders,
  addReading,
  addSpecialOption,
  type EncodingOptions,
  type FolderOptions,
  openTokenizer,
  readingOf,
  type ReadingOptions,
  selectionOf,
} from "./options.ts";
import type { Output } from "./output.ts";
import { UsageError } from "./report.ts";
import { eachInput, onPiece, type Session } from "./session.ts";
import { TokenCutter } from "./word_cut.ts";

const EXAMPLES = `Examples:
  sluice encode --encoding o200k_base a.txt           [13225,11,2375,0]
  sluice encode --model gpt-4o --jsonl < in.jsonl     {"text":"…"} in, {"ids":[…]} out
  sluice encode -e cl100k_base --jsonl --field body mails.jsonl
`;

interface EncodeOptions extends EncodingOptions, FolderOptions, ReadingOptions {
  readonly jsonl?: true;
  readonly field?: string;
  readonly quiet?: true;
}

/** The command. */
export function encodeCommand(session: Session): Command {
  const command = new Command("encode")
    .summary("turn texts into token ids")
    .description(
      "Prints the token ids of each file, or of standard input, as a JSON array on a line of its own.",
    )
    .addHelpText("before", EXAMPLES);
  addFiles(command, "files and folders");
  addEncodingOptions(command);
  addSpecialOption(command);
  addFolders(command);
  addReading(command);
  return command
    .option(
      "--jsonl",
      'read a JSON object with "text" from each line and print {"ids":[…]} for it; for a bad ' +
        'line {"error":"…","line":N}, and exit with code 1 in the end',
    )
    .option("--field <path>", "with --jsonl: where the text is, such as body.input (default: text)")
    .option("-q, --quiet", "no notes and no progress bar")
    .action((files: string[], options: EncodeOptions) => encode(files, options, session));
}

async function encode(files: string[], options: EncodeOptions, session: Session): Promise<void> {
  const { out, report } = session;
  const { jsonl = false, field } = options;
  if (field !== undefined && !jsonl) throw new UsageError("--field takes --jsonl");
  report.quiet = options.quiet === true;
  using tokenizer = openTokenizer(options, report);
  const inputs = {
    ...readingOf(options),
    selection: selectionOf(options, jsonl),
    resultsScroll: true,
  };
  await eachInput(session, files, inputs, async (input) => {
    if (jsonl) await encodeLines(input, tokenizer, field ?? "text", session);
    else await encodeText(input, tokenizer, out);
    await out.drain();
  });
  await out.flush();
}

/**
 * Writes one array for the whole input as it is read. After an error, output that is still buffered is discarded.
 * Output that was written stays an array without an end, which no parser accepts.
 */
async function encodeText(input: Input, tokenizer: Tokenizer, out: Output): Promise<void> {
  const start = out.position;
  try {
    out.text("[");
    let first = true;
    for await (const piece of input.pieces(new TokenCutter(tokenizer))) {
      const ids = onPiece(input, piece, (bytes) => tokenizer.encode(bytes));
      if (!first) out.text(",");
      first = false;
      out.ids(ids);
      await out.drain();
    }
    out.text("]\n");
  } catch (error) {
    if (error instanceof InputError && !out.rewind(start)) out.text("\n");
    throw error;
  }
}

/** Writes a line for each line, in the same order. */
async function encodeLines(
  input: Input,
  tokenizer: Tokenizer,
  field: string,
  { out, report }: Session,
): Promise<void> {
  const bad = new BadLines(input.name);
  for await (const lines of jsonLines(input)) {
    const texts = lines.map((line) => textOf(line, field));
    const given = texts.filter((text) => typeof text === "string");
    const results = encodeAll(tokenizer, given)[Symbol.iterator]();
    for (const [i, text] of texts.entries()) {
      const result = typeof text === "string" ? results.next().value as Uint32Array | Bad : text;
      if (result instanceof Uint32Array) {
        out.text('{"ids":[');
        out.ids(result);
        out.text("]}\n");
      } else {
        bad.write(out, { line: lines[i]!.number }, result.error);
      }
    }
    await out.drain();
  }
  bad.report(report);
}

function textOf(line: Line, field: string): string | Bad {
  if ("error" in line) return line;
  const text = fieldOf(line.value, field);
  if (text === undefined) return { error: `there is no ${JSON.stringify(field)}` };
  if (typeof text === "string") return text;
  return { error: `${JSON.stringify(field)} is not a string but ${kind(text)}` };
}

/** The ids of each text, in one crossing unless one of the texts is refused. */
function encodeAll(tokenizer: Tokenizer, texts: string[]): Iterable<Uint32Array | Bad> {
  try {
    return tokenizer.encodeBatch(texts);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return texts.map((text) => encodeOne(tokenizer, text));
  }
}

function encodeOne(tokenizer: Tokenizer, text: string): Uint32Array | Bad {
  try {
    return tokenizer.encode(text);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return { error: error.message };
  }
}

function isRefusal(error: unknown): error is SluiceError {
  return error instanceof SluiceError && error.code === "SLUICE_SPECIAL_TOKEN";
}
