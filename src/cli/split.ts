/**
 * The command `sluice split`: cuts a batch file into files under the limits of a provider.
 *
 * @module
 */
import path from "node:path";
import { Command, Option } from "commander";
import { SourceError, STDIN } from "../corpus/sources/mod.ts";
import { codeOf } from "../corpus/durable.ts";
import { describeLimit, type Limit } from "../corpus/split/limits.ts";
import { NameTaken } from "../corpus/split/part_files.ts";
import { type Split, splitFile, type SplitPart } from "../corpus/split/split_file.ts";
import { printable, textPath } from "../files/file_path.ts";
import { totalSize } from "../files/find.ts";
import { reason } from "../files/reason.ts";
import { addLimits, limitsOf, type LimitsOption } from "./limit_option.ts";
import { addEncodingOptions, type EncodingOptions, openTokenizer, wholeNumber } from "./options.ts";
import { EXIT, type Report, UsageError } from "./report.ts";
import type { Session } from "./session.ts";
import { parseSize } from "./tokenize/sizes.ts";

const EXAMPLES = `Examples:
  sluice split batch.jsonl --out parts --limits openai-batch
  sluice split batch.jsonl --out parts --limits openai-batch --tokens 2000000
  sluice split texts.jsonl.zst --out parts --bytes 100MB
`;

const HELP = `
No line is cut, and the order is kept: the parts, joined, are the file. They
appear when all are complete, and nothing is overwritten. If a line exceeds a
limit alone, nothing is written, and the exit code is 3. It is 5 if the folder
cannot be written.`;

interface Options extends EncodingOptions, LimitsOption {
  readonly out: string;
  readonly requests?: number;
  readonly bytes?: number;
  readonly tokens?: number;
  readonly json?: true;
  readonly quiet?: true;
}

/** The command. */
export function splitCommand(session: Session): Command {
  const command = new Command("split")
    .summary("cut a batch file into files under limits")
    .description("Cuts a file of JSON Lines into files that keep limits, without cutting a line.")
    .addHelpText("before", EXAMPLES)
    .argument("<file>", "the file; - is standard input")
    .addOption(new Option("-o, --out <folder>", "where to write").makeOptionMandatory());
  addLimits(command);
  command
    .option("--requests <number>", "the most requests of a file", wholeNumber)
    .option("--bytes <size>", "the most bytes of a file, such as 200MB", parseSize)
    .option("--tokens <number>", "the most tokens of the prompts of a file", wholeNumber);
  addEncodingOptions(command, "o200k_base");
  return command
    .option("--json", "print the parts as JSON")
    .option("-q, --quiet", "no notes and no progress bar")
    .addHelpText("after", HELP)
    .action((file: string, options: Options) => split(file, options, session));
}

async function split(file: string, options: Options, { out, report }: Session): Promise<void> {
  report.quiet = options.quiet === true || options.json === true;
  const sets = limitsOf(options) ?? [];
  const limits = [...sets.flatMap(({ limits }) => limits), ...ownLimits(options)];
  if (limits.length === 0) {
    throw new UsageError(
      "say which limits: --limits openai-batch, --requests, --bytes or --tokens",
    );
  }
  using tokenizer = openTokenizer(options, report, "o200k_base");
  report.startProgress(totalSize([textPath(file)]), false);
  let result: Split;
  try {
    result = await splitFile(file, options.out, stemOf(file), {
      limits,
      customIds: sets.flatMap(({ customId }) => customId ?? []),
      model: options.model,
      tokenizer,
      onRead: report.advance,
    });
  } catch (error) {
    if (error instanceof NameTaken) throw new UsageError(error.message, { cause: error });
    if (error instanceof SourceError) {
      report.error(error.message);
      return;
    }
    if (codeOf(error) === undefined) throw error;
    report.error(`${printable(options.out)} cannot be written: ${reason(error)}`);
    report.exitCode = EXIT.io;
    return;
  } finally {
    report.stopProgress();
  }
  out.text(options.json ? JSON.stringify(result) + "\n" : table(result.parts));
  await out.flush();
  findings(file, result, report);
  modelFindings(file, result.parts, limits, report);
}

function ownLimits({ requests, bytes, tokens }: Options): Limit[] {
  return Object.entries({ requests, bytes, tokens }).flatMap(([unit, limit]) => {
    if (limit === undefined) return [];
    if (limit === 0) throw new UsageError(`--${unit} must be above 0`);
    return { unit: unit as "requests" | "bytes" | "tokens", limit };
  });
}

/** The name of the file without its suffix. */
function stemOf(file: string): string {
  if (file === STDIN) return "stdin";
  const name = path.basename(file);
  return name.replace(/\.(?:gz|zst)$/i, "").replace(/\.(?:jsonl|ndjson|json)$/i, "") || name;
}

function table(parts: readonly SplitPart[]): string {
  const rows = parts.map(({ name, requests, bytes, tokens }) => [
    printable(name),
    `${requests.toLocaleString("en-US")} requests`,
    `${bytes.toLocaleString("en-US")} bytes`,
    `${tokens.toLocaleString("en-US")} tokens`,
  ]);
  const widths = [0, 1, 2, 3].map((i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows.map((row) =>
    row.map((cell, i) => i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)).join("  ") +
    "\n"
  ).join("");
}

/** The order of the lines is kept, so a split does not separate models. */
function modelFindings(
  file: string,
  parts: readonly SplitPart[],
  limits: readonly Limit[],
  report: Report,
): void {
  const [least] = limits.filter(({ unit, of }) => unit === "models" && of !== "request")
    .sort((a, b) => a.limit - b.limit);
  if (least === undefined) return;
  const over = parts.filter(({ models }) => models > least.limit);
  const [first] = over;
  if (first === undefined) return;
  report.error(
    `${file === STDIN ? "stdin" : printable(file)}: parts with more than ${
      describeLimit(least)
    }: ${over.length}, such as ${printable(first.name)} with ${first.models}`,
  );
}

function findings(file: string, split: Split, report: Report): void {
  const { parts, tooLarge, firstTooLarge, bad, firstBad, ids } = split;
  const name = file === STDIN ? "stdin" : printable(file);
  if (tooLarge > 0) {
    const first = firstTooLarge.map(({ line, limit }) => `line ${line} is over ${limit}`);
    const more = tooLarge > first.length ? `, and ${tooLarge - first.length} more` : "";
    report.verdict(`${name}: nothing is written: ${first.join(", ")}${more}`, EXIT.overLimit);
  } else if (parts.length === 0) {
    report.error(`${name}: has no lines`);
  }
  if (bad > 0) {
    const { line, error } = firstBad[0]!;
    const more = bad === 1 ? "" : `${bad} bad lines, the first is `;
    report.error(`${name}: ${more}line ${line}: ${error}`);
  }
  const [duplicate] = ids.firstDuplicates;
  if (duplicate !== undefined) {
    const { id, line, first } = duplicate;
    report.error(
      `${name}: ${ids.duplicates} custom_id${ids.duplicates === 1 ? " is" : "s are"} not unique: ` +
        `${JSON.stringify(id)} of line ${line} is that of line ${first}`,
    );
  }
  if (ids.missing > 0) {
    report.error(`${name}: ${ids.missing} without custom_id: line ${ids.firstMissing[0]!.line}`);
  }
  const [refused] = ids.firstRefused;
  if (refused !== undefined) {
    report.error(
      `${name}: ${ids.refused} with a custom_id that is not allowed: ` +
        `${JSON.stringify(refused.id)} of line ${refused.line}`,
    );
  }
}
