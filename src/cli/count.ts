/**
 * `sluice count`: how many tokens files have.
 *
 * @module
 */
import { Command, InvalidArgumentError } from "commander";
import type { Tokenizer } from "../../mod.ts";
import { lastTokenCut } from "./cut.ts";
import type { Input } from "./input.ts";
import {
  addEncodingOptions,
  addFiles,
  addSpecialOption,
  type EncodingOptions,
  openTokenizer,
} from "./options.ts";
import { EXIT } from "./report.ts";
import { eachInput, onPiece, type Session } from "./session.ts";

const EXAMPLES = `Examples:
  sluice count prompt.txt                   tokens of a file
  sluice count --model gpt-4o *.md          tokens of each file, and their total
  git diff | sluice count --max 8000        exit code 3 if there are more
`;

interface CountOptions extends EncodingOptions {
  readonly json?: true;
  readonly max?: number;
  readonly quiet?: true;
}

interface Count {
  readonly path: string;
  bytes: number;
  tokens: number;
}

/** The command. */
export function countCommand(session: Session): Command {
  const command = new Command("count")
    .summary("count the tokens of files")
    .description("Counts the tokens of files, or of standard input.")
    .addHelpText("before", EXAMPLES);
  addFiles(command);
  addEncodingOptions(command, "o200k_base");
  addSpecialOption(command);
  return command
    .option("--max <tokens>", "exit with code 3 if there are more tokens in all", wholeNumber)
    .option("--json", 'print {"encoding","files":[{"path","bytes","tokens"}],"tokens"}')
    .option("-q, --quiet", "no notes and no progress bar")
    .action((files: string[], options: CountOptions) => count(files, options, session));
}

async function count(files: string[], options: CountOptions, session: Session): Promise<void> {
  const { out, report } = session;
  report.quiet = options.quiet === true || options.json === true;
  using tokenizer = openTokenizer(options, report, "o200k_base");
  const counts: Count[] = [];
  await eachInput(session, files, false, async (input) => {
    counts.push(await countInput(input, tokenizer));
  });
  const tokens = counts.reduce((sum, count) => sum + count.tokens, 0);
  if (options.json) {
    const { encoding, exact } = tokenizer;
    const estimate = exact ? {} : { exact };
    out.text(JSON.stringify({ encoding, ...estimate, files: counts, tokens }) + "\n");
  } else {
    out.text(table(files, counts, tokens));
  }
  await out.flush();
  if (options.max !== undefined && tokens > options.max) {
    report.verdict(`${tokens} tokens are more than ${options.max}`, EXIT.overLimit);
  }
}

async function countInput(input: Input, tokenizer: Tokenizer): Promise<Count> {
  const count = { path: input.path, bytes: 0, tokens: 0 };
  for await (const piece of input.pieces(lastTokenCut)) {
    count.tokens += onPiece(input, piece, (bytes) => tokenizer.count(bytes));
    count.bytes += piece.bytes.length;
  }
  return count;
}

/** Like `wc`: a bare number if nothing was named, and a total if several were. */
function table(files: string[], counts: Count[], tokens: number): string {
  if (files.length === 0) return counts.map((count) => `${count.tokens}\n`).join("");
  const rows = counts.map((count) => [String(count.tokens), count.path] as const);
  if (files.length > 1) rows.push([String(tokens), "total"]);
  const width = Math.max(...rows.map(([tokens]) => tokens.length));
  return rows.map(([tokens, path]) => `${tokens.padStart(width)}  ${path}\n`).join("");
}

function wholeNumber(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(value);
}
