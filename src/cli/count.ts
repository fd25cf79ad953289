/**
 * The command `sluice count`: counts the tokens of files and folders.
 *
 * @module
 */
import { Command } from "commander";
import type { Tokenizer } from "../tokenizer/mod.ts";
import { countLines, type LineTotals } from "./count_lines.ts";
import { printable } from "../files/file_path.ts";
import type { Input } from "./input.ts";
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
import { EXIT, UsageError } from "./report.ts";
import { eachInput, onPiece, type Session } from "./session.ts";
import { TokenCutter } from "../tokenizer/word_cut.ts";

const EXAMPLES = `Examples:
  sluice count prompt.txt                      tokens of a file
  sluice count --model gpt-4o docs             tokens of each text file in a folder, and the total
  sluice count 'src/**/*.ts' --exclude gen     patterns work in every shell
  git diff | sluice count --max 8000           exit code 3 if there are more
  sluice count --jsonl batch.jsonl             {"line":1,"id":"a","tokens":57} for each line
  sluice count --jsonl --json batch.jsonl      the totals alone
`;

const JSONL_HELP = `
With --jsonl each line is a JSON object: a text in "text" or at --field, or a
request: a chat with "messages", or a line of a batch file with "body",
"params" or "request". Requests are counted for --model, or else for the model
that they name. A line is printed for each, in the same order:
  {"line","tokens"}   with "path" if files are named, the "id" of a request,
                      "exact":false for an estimate, and "uncounted" for parts
                      whose tokens are not in the number
  {"error","line"}    for a bad line, and the exit code is 1 in the end
The total goes to standard error; with --json only totals are printed.`;

interface CountOptions extends EncodingOptions, FolderOptions, ReadingOptions {
  readonly jsonl?: true;
  readonly field?: string;
  readonly json?: true;
  readonly max?: number;
  readonly quiet?: true;
}

/** The counts of one input. */
interface Count extends Partial<LineTotals> {
  readonly path: string;
  readonly bytes: number;
  /** Whether invalid bytes were read as U+FFFD. */
  readonly replaced?: true;
  readonly tokens: number;
}

/** The command. */
export function countCommand(session: Session): Command {
  const command = new Command("count")
    .summary("count the tokens of files and folders")
    .description("Counts the tokens of files and folders, or of standard input.")
    .addHelpText("before", EXAMPLES);
  addFiles(command, "files and folders");
  addEncodingOptions(command, "o200k_base");
  addSpecialOption(command);
  addFolders(command);
  addReading(command);
  return command
    .option("--jsonl", "count each line, which is a JSON object with a text or a request")
    .option("--field <path>", "with --jsonl: where the text is, such as body.input")
    .option("--max <tokens>", "exit with code 3 if there are more tokens in all", wholeNumber)
    .option(
      "--json",
      'print {"encoding","files":[{"path","bytes","tokens"}],"tokens"}, with "exact":false if ' +
        "that is an estimate",
    )
    .option("-q, --quiet", "no notes and no progress bar")
    .addHelpText("after", JSONL_HELP)
    .action((files: string[], options: CountOptions) => count(files, options, session));
}

async function count(files: string[], options: CountOptions, session: Session): Promise<void> {
  const { out, report } = session;
  const { jsonl = false, json = false, field, model } = options;
  if (field !== undefined && !jsonl) throw new UsageError("--field takes --jsonl");
  report.quiet = options.quiet === true || json;
  using tokenizer = openTokenizer(options, report, "o200k_base");
  const writes = jsonl && !json;
  const lineOptions = { field, model, writes, writesPath: files.length > 0 };
  const counts: Count[] = [];
  const inputs = {
    ...readingOf(options),
    selection: selectionOf(options, jsonl),
    resultsScroll: writes,
  };
  await eachInput(session, files, inputs, async (input) => {
    const counted = jsonl
      ? await countLines(input, tokenizer, lineOptions, session)
      : { tokens: await countText(input, tokenizer) };
    const replaced = input.hasReplaced ? { replaced: true } as const : {};
    counts.push({ path: input.path, bytes: input.bytesRead, ...replaced, ...counted });
  });
  const tokens = sum(counts, "tokens");
  const exact = tokenizer.exact && sum(counts, "estimates") === 0;
  if (json) {
    const { encoding } = tokenizer;
    out.text(JSON.stringify({ encoding, ...exact ? {} : { exact }, files: counts, tokens }) + "\n");
  } else if (!jsonl) {
    out.text(table(files, counts, tokens));
  }
  await out.flush();
  if (writes) report.note(lineSummary(counts, tokens));
  if (options.max !== undefined && tokens > options.max) {
    report.verdict(`${tokens} tokens are more than ${options.max}`, EXIT.overLimit);
  }
}

async function countText(input: Input, tokenizer: Tokenizer): Promise<number> {
  let tokens = 0;
  for await (const piece of input.pieces(new TokenCutter(tokenizer))) {
    tokens += onPiece(input, piece, (bytes) => tokenizer.count(bytes));
  }
  return tokens;
}

/** Like `wc`: a bare number for standard input, and a total for several inputs. */
function table(args: string[], counts: Count[], tokens: number): string {
  if (args.length === 0) return counts.map((count) => `${count.tokens}\n`).join("");
  const rows = counts.map(({ tokens, path }) => [String(tokens), printable(path)] as const);
  if (args.length > 1 || counts.length > 1) rows.push([String(tokens), "total"]);
  const width = rows.reduce((width, [tokens]) => Math.max(width, tokens.length), 0);
  return rows.map(([tokens, path]) => `${tokens.padStart(width)}  ${path}\n`).join("");
}

function lineSummary(counts: Count[], tokens: number): string {
  const lines = sum(counts, "lines");
  const of = [
    [sum(counts, "bad"), "bad"],
    [sum(counts, "estimates"), "estimated"],
    [sum(counts, "incomplete"), "with parts that were not counted"],
  ] as const;
  const notes = of.filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`);
  return `${tokens} tokens in ${lines} line${lines === 1 ? "" : "s"}` +
    (notes.length > 0 ? `: ${notes.join(", ")}` : "");
}

function sum(
  counts: readonly Count[],
  field: "tokens" | "lines" | "bad" | "estimates" | "incomplete",
): number {
  return counts.reduce((sum, count) => sum + (count[field] ?? 0), 0);
}
