/**
 * The command `sluice chunks`: splits texts into chunks of a limited number of tokens.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { Command } from "commander";
import type { TextChunk, Tokenizer } from "../tokenizer/mod.ts";
import { type Input, InputError } from "./input.ts";
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
  wholeNumber,
} from "./options.ts";
import { UsageError } from "./report.ts";
import { eachInput, onPiece, type Session, wholeText } from "./session.ts";

const EXAMPLES = `Examples:
  sluice chunks --size 512 --overlap 64 docs > chunks.jsonl
  sluice chunks --size 8191 --model text-embedding-3-small book.txt
  sluice chunks --size 512 --no-text book.txt      {"path","index","start","end","tokens"}
`;

interface Options extends EncodingOptions, FolderOptions, ReadingOptions {
  readonly size: number;
  readonly overlap: number;
  readonly text: boolean;
  readonly quiet?: true;
}

/** The command. */
export function chunksCommand(session: Session): Command {
  const command = new Command("chunks")
    .summary("cut texts into chunks of a number of tokens")
    .description(
      'Prints {"path","index","start","end","tokens","text"} for each chunk, on a line. Start and ' +
        "end are offsets in bytes of the text as UTF-8. Chunks split no character, and each is as " +
        "long as possible.",
    )
    .addHelpText("before", EXAMPLES);
  addFiles(command, "files and folders");
  addEncodingOptions(command, "o200k_base");
  addSpecialOption(command);
  addFolders(command);
  addReading(command);
  return command
    .requiredOption("--size <tokens>", "the most tokens that a chunk may have", wholeNumber)
    .option("--overlap <tokens>", "the most tokens that two neighbours share", wholeNumber, 0)
    .option("--no-text", "leave the texts out")
    .option("-q, --quiet", "no notes and no progress bar")
    .action((files: string[], options: Options) => chunks(files, options, session));
}

async function chunks(files: string[], options: Options, session: Session): Promise<void> {
  const { out, report } = session;
  const { size, overlap } = options;
  if (size < 1) throw new UsageError("--size must be at least 1");
  if (overlap >= size) {
    throw new UsageError(`--overlap must be less than --size ${size}, and is ${overlap}`);
  }
  report.quiet = options.quiet === true;
  using tokenizer = openTokenizer(options, report, "o200k_base");
  const inputs = {
    ...readingOf(options),
    selection: selectionOf(options),
    resultsScroll: true,
  };
  await eachInput(session, files, inputs, async (input) => {
    const text = await wholeText(input);
    const [start, end] = [new ByteOffset(text), new ByteOffset(text)];
    for (const [index, chunk] of cut(input, text, tokenizer, size, overlap).entries()) {
      const line = {
        path: input.path,
        index,
        start: start.at(chunk.start),
        end: end.at(chunk.end),
        tokens: chunk.tokens,
        ...options.text ? { text: text.slice(chunk.start, chunk.end) } : {},
      };
      out.text(JSON.stringify(line) + "\n");
      await out.drain();
    }
  });
  await out.flush();
}

function cut(
  input: Input,
  text: string,
  tokenizer: Tokenizer,
  size: number,
  overlap: number,
): TextChunk[] {
  try {
    return onPiece(
      input,
      { bytes: new Uint8Array(), offset: 0 },
      () => tokenizer.chunks(text, { size, overlap }),
    );
  } catch (error) {
    // A character of more tokens than a chunk may have. The options were checked before.
    if (!(error instanceof RangeError)) throw error;
    throw new InputError(`${input.name}: ${error.message}`, { cause: error });
  }
}

/** Converts offsets in a string, which must not decrease, to offsets in bytes of UTF-8. */
class ByteOffset {
  readonly #text: string;
  #units = 0;
  #bytes = 0;

  constructor(text: string) {
    this.#text = text;
  }

  at(units: number): number {
    this.#bytes += Buffer.byteLength(this.#text.slice(this.#units, units));
    this.#units = units;
    return this.#bytes;
  }
}
