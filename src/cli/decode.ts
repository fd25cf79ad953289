/**
 * The command `sluice decode`: converts token ids to texts.
 *
 * @module
 */
import { Command } from "commander";
import { SluiceError, type Tokenizer } from "../tokenizer/mod.ts";
import { ANYWHERE } from "../tokenizer/cut.ts";
import { IdReader } from "./ids.ts";
import type { Input } from "./input.ts";
import { type Bad, BadLines, jsonLines, kind, type Line } from "./lines.ts";
import { addEncodingOptions, addFiles, type EncodingOptions, openTokenizer } from "./options.ts";
import type { Output } from "./output.ts";
import { UsageError } from "./report.ts";
import { eachInput, onPiece, type Session } from "./session.ts";
import { validUtf8Length } from "../tokenizer/safe_cut.ts";
import { decodeUtf8 } from "../files/utf8.ts";

const EXAMPLES = `Examples:
  sluice encode -e o200k_base a.txt | sluice decode -e o200k_base      a.txt, byte for byte
  echo '[13225,11,2375,0]' | sluice decode --model gpt-5               Hello, world!
  sluice decode -e o200k_base --jsonl ids.jsonl     {"ids":[…]} in, {"text":"…"} out
`;

interface DecodeOptions extends EncodingOptions {
  readonly jsonl?: true;
  readonly field?: string;
  readonly quiet?: true;
}

/** The command. */
export function decodeCommand(session: Session): Command {
  const command = new Command("decode")
    .summary("turn token ids back into texts")
    .description(
      "Reads JSON arrays of token ids and writes their bytes, one text directly after the other.",
    )
    .addHelpText("before", EXAMPLES);
  addFiles(command);
  addEncodingOptions(command);
  return command
    .option(
      "--jsonl",
      'read {"ids":[…]} from each line and print {"text":"…"} for it; for a bad line ' +
        '{"error":"…","line":N}, and exit with code 1 in the end',
    )
    .option("--field <name>", "with --jsonl: the member to put the text in (default: text)")
    .option("-q, --quiet", "no notes and no progress bar")
    .action((files: string[], options: DecodeOptions) => decode(files, options, session));
}

async function decode(files: string[], options: DecodeOptions, session: Session): Promise<void> {
  const { out, report } = session;
  const { jsonl = false, field } = options;
  if (field !== undefined && !jsonl) throw new UsageError("--field takes --jsonl");
  report.quiet = options.quiet === true;
  using tokenizer = openTokenizer(options, report);
  await eachInput(session, files, { resultsScroll: true }, async (input) => {
    if (jsonl) await decodeLines(input, tokenizer, field ?? "text", session);
    else await decodeArrays(input, tokenizer, out);
    await out.drain();
  });
  await out.flush();
}

/** Writes as it reads: output before an error is kept, as in every filter. */
async function decodeArrays(input: Input, tokenizer: Tokenizer, out: Output): Promise<void> {
  const reader = new IdReader();
  for await (const piece of input.pieces(ANYWHERE)) {
    onPiece(input, piece, (bytes) => {
      for (const ids of reader.read(bytes)) out.bytes(tokenizer.decodeBytes(ids));
    });
    await out.flush();
  }
  onPiece(input, { bytes: new Uint8Array(), offset: 0 }, () => reader.end());
}

/** Writes a line for each line, in the same order. */
async function decodeLines(
  input: Input,
  tokenizer: Tokenizer,
  field: string,
  { out, report }: Session,
): Promise<void> {
  const bad = new BadLines(input.name);
  for await (const lines of jsonLines(input)) {
    for (const line of lines) {
      const text = textOf(line, tokenizer);
      if (typeof text === "string") out.text(JSON.stringify({ [field]: text }) + "\n");
      else bad.write(out, { line: line.number }, text.error);
    }
    // Not only when the buffer is full: the writer of a pipe may wait for the answer.
    await out.flush();
  }
  bad.report(report);
}

/** A text in JSON has whole characters: ids that end inside one are an error, and never U+FFFD. */
function textOf(line: Line, tokenizer: Tokenizer): string | Bad {
  if ("error" in line) return line;
  if (!Object.hasOwn(line.value, "ids")) return { error: 'there is no "ids"' };
  const { ids } = line.value;
  if (!Array.isArray(ids)) return { error: `"ids" is not an array but ${kind(ids)}` };
  try {
    const bytes = tokenizer.decodeBytes(ids);
    return decodeUtf8(bytes) ??
      { error: `the ids make no valid UTF-8 at byte ${validUtf8Length(bytes)} of the text` };
  } catch (error) {
    const refused = error instanceof TypeError || error instanceof RangeError ||
      error instanceof SluiceError && error.code === "SLUICE_UNKNOWN_TOKEN";
    if (!refused) throw error;
    return { error: error.message };
  }
}
