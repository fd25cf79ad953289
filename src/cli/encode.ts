/**
 * The command `sluice encode`: converts texts to token ids.
 *
 * @module
 */
import { Command } from "commander";
import { SluiceError, type Tokenizer } from "../tokenizer/mod.ts";
import { type Input, InputError } from "./input.ts";
import { type Bad, BadLines, kind, type Line, refusedLine, withoutBom } from "./lines.ts";
import { LINES } from "../tokenizer/cut.ts";
import { LINE_OK } from "../ffi/symbols.gen.ts";
import { fieldOf } from "../tokenizer/json_line.ts";
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
import { TokenCutter } from "../tokenizer/word_cut.ts";

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
  let first = 1;
  for await (const { bytes } of input.pieces(LINES)) {
    const { ids, ends, reasons, starts, lines } = tokenizer.encodeLines(
      withoutBom(bytes, first),
      { field },
    );
    let start = 0;
    for (let i = 0; i < lines; i++) {
      const end = ends[i]!;
      if (reasons[i] === LINE_OK) {
        out.text('{"ids":[');
        out.ids(ids.subarray(start, end) as Uint32Array);
        out.text("]}\n");
      } else {
        const line = refusedLine(bytes, starts, i, first);
        bad.write(out, { line: line.number }, errorOf(line, field, tokenizer));
      }
      start = end;
    }
    first += lines;
    // Not only when the buffer is full: the writer of a pipe may wait for the answer.
    await out.flush();
  }
  bad.report(report);
}

/** Why a line was refused, in words. */
function errorOf(line: Line, field: string, tokenizer: Tokenizer): string {
  const text = textOf(line, field);
  if (typeof text !== "string") return text.error;
  try {
    tokenizer.count(text);
  } catch (error) {
    if (error instanceof SluiceError && error.code === "SLUICE_SPECIAL_TOKEN") return error.message;
    throw error;
  }
  return "the line is too long";
}

function textOf(line: Line, field: string): string | Bad {
  if ("error" in line) return line;
  const text = fieldOf(line.value, field);
  if (text === undefined) return { error: `there is no ${JSON.stringify(field)}` };
  if (typeof text === "string") return text;
  return { error: `${JSON.stringify(field)} is not a string but ${kind(text)}` };
}
