/**
 * The command `sluice truncate`: truncates texts to a number of tokens.
 *
 * @module
 */
import { Command, Option } from "commander";
import type { Tokenizer, TruncateOptions } from "../tokenizer/mod.ts";
import { type Input, InputError } from "./input.ts";
import {
  addEncodingOptions,
  addFiles,
  addReading,
  addSpecialOption,
  type EncodingOptions,
  openTokenizer,
  readingOf,
  type ReadingOptions,
  wholeNumber,
} from "./options.ts";
import { eachInput, MAX_TEXT_BYTES, onPiece, type Session } from "./session.ts";
import { TokenCutter } from "../tokenizer/word_cut.ts";

const EXAMPLES = `Examples:
  sluice truncate --max 2000 notes.txt > short.txt         the first 2,000 tokens
  git log | sluice truncate --max 500 --model gpt-4o
  sluice truncate --max 800 --side middle --marker ' […] ' build.log
`;

interface Options extends EncodingOptions, ReadingOptions {
  readonly max: number;
  readonly side: NonNullable<TruncateOptions["side"]>;
  readonly marker?: string;
  readonly json?: true;
  readonly quiet?: true;
}

/** The command. */
export function truncateCommand(session: Session): Command {
  const command = new Command("truncate")
    .summary("cut texts to a number of tokens")
    .description(
      "Prints each file, or standard input, cut to a number of tokens, one directly after the other. " +
        "A text that is short enough is not changed.",
    )
    .addHelpText("before", EXAMPLES);
  addFiles(command);
  addEncodingOptions(command, "o200k_base");
  addSpecialOption(command);
  addReading(command);
  return command
    .requiredOption(
      "--max <tokens>",
      "the most tokens that a text may have, marker included",
      wholeNumber,
    )
    .addOption(
      new Option("--side <side>", "what to keep: the beginning, the end, or both")
        .choices(["head", "tail", "middle"]).default("head"),
    )
    .option("--marker <text>", "the text in place of the removed part (default: … with middle)")
    .option("--json", 'print {"path","tokens","truncated","text"} for each file, on a line')
    .option("-q, --quiet", "no notes and no progress bar")
    .action((files: string[], options: Options) => truncate(files, options, session));
}

async function truncate(files: string[], options: Options, session: Session): Promise<void> {
  const { out, report } = session;
  const { max, side, marker, json } = options;
  report.quiet = options.quiet === true;
  using tokenizer = openTokenizer(options, report, "o200k_base");
  const inputs = { ...readingOf(options), resultsScroll: true };
  await eachInput(session, files, inputs, async (input) => {
    const { pieces, truncated } = await readEnds(input, tokenizer, max, side);
    const whole = join(pieces);
    const text = truncated ? tokenizer.truncate(whole, max, { side, marker }) : whole;
    if (json) {
      const tokens = tokenizer.count(text);
      out.text(JSON.stringify({ path: input.path, tokens, truncated, text }) + "\n");
    } else {
      out.text(text);
    }
    await out.drain();
  });
  await out.flush();
}

/** A part of the text between two safe offsets. */
interface Part {
  readonly bytes: Uint8Array;
  readonly tokens: number;
}

/**
 * The shortest beginning and end of a text, in whole parts, that have more than `max` tokens, or the whole text.
 * For the beginning alone, no more is read than that. Of the rest, no more is kept.
 */
async function readEnds(
  input: Input,
  tokenizer: Tokenizer,
  max: number,
  side: Options["side"],
): Promise<{ pieces: Uint8Array[]; truncated: boolean }> {
  const head: Part[] = [];
  const tail: Part[] = [];
  let [headTokens, tailTokens, kept] = [0, 0, 0];
  let truncated = false;
  for await (const piece of input.pieces(new TokenCutter(tokenizer))) {
    const tokens = onPiece(input, piece, (bytes) => tokenizer.count(bytes));
    const part = { bytes: piece.bytes.slice(), tokens };
    kept += part.bytes.length;
    if (side !== "tail" && headTokens <= max) {
      head.push(part);
      headTokens += tokens;
    } else {
      tail.push(part);
      tailTokens += tokens;
    }
    truncated ||= headTokens + tailTokens > max;
    if (side === "head" && truncated) break;
    while (tail.length > 0 && tailTokens - tail[0]!.tokens > max) {
      const { bytes, tokens } = tail.shift()!;
      tailTokens -= tokens;
      kept -= bytes.length;
    }
    if (kept > MAX_TEXT_BYTES) {
      throw new InputError(
        `${input.name}: more than ${MAX_TEXT_BYTES >> 20} MiB would have to be kept`,
      );
    }
  }
  return { pieces: [...head, ...tail].map(({ bytes }) => bytes), truncated };
}

/** Joins pieces. Each is valid UTF-8, or counting it would have failed. */
function join(pieces: readonly Uint8Array[]): string {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  return pieces.map((piece) => decoder.decode(piece)).join("");
}
