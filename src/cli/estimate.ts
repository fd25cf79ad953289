/**
 * The command `sluice estimate`: what a batch, a fine-tuning file or texts cost before they are sent.
 *
 * @module
 */
import fs from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { defaultPrices } from "../corpus/estimate/default_prices.ts";
import { estimateFiles } from "../corpus/estimate/estimate_files.ts";
import type { Estimate, EstimateKind, OutputRule } from "../corpus/estimate/estimate_types.ts";
import { PriceTable } from "../corpus/estimate/prices.ts";
import { findings } from "./estimate/findings.ts";
import { ResultFile } from "./estimate/result_files.ts";
import { svgOf } from "./estimate/svg.ts";
import { reportOf } from "./estimate/tables.ts";
import { reason } from "../files/reason.ts";
import { findInputs, totalSize } from "../files/find.ts";
import { addLimits, limitsOf, type LimitsOption } from "./limit_option.ts";
import {
  addEncodingOptions,
  addFiles,
  type EncodingOptions,
  openTokenizer,
  wholeNumber,
} from "./options.ts";
import { UsageError } from "./report.ts";
import type { Session } from "./session.ts";

const EXAMPLES = `Examples:
  sluice estimate batch.jsonl                      requests, tokens, cost, limits
  sluice estimate --max-cost 20 batch.jsonl        exit code 3 if it costs more
  sluice estimate --kind chat -m gpt-4o train.jsonl
  sluice estimate -m text-embedding-3-small --field body texts.jsonl.gz
`;

const HELP = `
The first line decides what the lines are:
  batch  lines of a batch file, with "body", "params" or "request"
  chat   {"messages":[…]}, to train a model with
  text   {"text":"…"}; and files named .txt or .md, each of which is one text
Prices are data with a date: a model that is not in them has no price. A batch
costs half where the prices do not say what it costs.`;

interface Options extends EncodingOptions, LimitsOption {
  readonly kind: EstimateKind | "auto";
  readonly field: string;
  readonly prices?: string;
  readonly outputTokens: OutputRule;
  readonly context?: number;
  readonly perLine?: string;
  readonly plot?: string;
  readonly json?: true;
  readonly max?: number;
  readonly maxCost?: number;
  readonly quiet?: true;
}

/** The command. */
export function estimateCommand(session: Session): Command {
  const command = new Command("estimate")
    .summary("what a batch or a fine-tuning file costs")
    .description(
      "Counts the requests and tokens of batch files, fine-tuning files and texts, and tells what they cost and " +
        "which limits they exceed.",
    )
    .addHelpText("before", EXAMPLES);
  addFiles(command);
  addEncodingOptions(command, "o200k_base");
  command
    .addOption(
      new Option("--kind <kind>", "what the lines are").choices(["auto", "batch", "chat", "text"])
        .default("auto"),
    )
    .option("--field <path>", "where the text of a line is", "text")
    .option("--prices <file>", "prices: a file of ours or of LiteLLM")
    .addOption(
      new Option(
        "--output-tokens <rule>",
        "tokens of replies: max, a number, or ratio=R of the prompt",
      )
        .argParser(outputRule).default({ rule: "max" }, "max, which requests name"),
    )
    .option("--context <tokens>", "the most tokens of a prompt or a chat", wholeNumber);
  addLimits(command);
  return command
    .option("--per-line <file>", "write a line of JSON for each line")
    .option("--plot <file>", "write the histogram as SVG")
    .option("--json", "print everything as JSON")
    .option("--max <tokens>", "exit with code 3 if there are more tokens in all", wholeNumber)
    .option("--max-cost <usd>", "exit with code 3 if it costs more", dollars)
    .option("-q, --quiet", "no notes and no progress bar")
    .addHelpText("after", HELP)
    .action((files: string[], options: Options) => estimate(files, options, session));
}

async function estimate(files: string[], options: Options, session: Session): Promise<void> {
  const { out, report } = session;
  const { kind, json = false, model, field, context, outputTokens } = options;
  report.quiet = options.quiet === true || json;
  const prices = options.prices === undefined ? defaultPrices() : readPrices(options.prices);
  const limits = limitsOf(options) ?? "auto";
  using tokenizer = openTokenizer(options, report, "o200k_base");
  const inputs = findInputs(files, undefined, (problem) => report.error(problem));
  const paths = inputs.map(({ name }) => name);
  using perLine = resultFile(options.perLine, paths);
  using plot = resultFile(options.plot, paths);
  report.startProgress(totalSize(inputs), false);
  let result: Estimate;
  try {
    result = await estimateFiles(paths, {
      kind,
      encoding: tokenizer.encoding,
      model,
      prices,
      output: outputTokens,
      context,
      limits,
      tokenizer,
      field,
      onLine: perLine === undefined ? undefined : (place, line) => {
        const path = paths.length > 1 ? { path: place.path } : {};
        perLine.out.text(JSON.stringify({ ...path, line: place.line, ...line }) + "\n");
      },
      onPiece: () => perLine?.out.drain() ?? Promise.resolve(),
      onRead: report.advance,
      onFailure: ({ message }) => report.error(message),
    });
  } finally {
    report.stopProgress();
  }
  await perLine?.commit();
  if (plot !== undefined) {
    plot.out.text(svgOf(result.distribution, `Tokens: ${paths.join(", ").slice(0, 80)}`));
    await plot.commit();
  }
  if (json) out.text(JSON.stringify(result) + "\n");
  else if (result.files.length > 0) out.text(reportOf(result));
  await out.flush();
  findings(result, { ...options, hasOwnPrices: options.prices !== undefined }, report);
}

function resultFile(path: string | undefined, inputs: readonly string[]): ResultFile | undefined {
  return path === undefined ? undefined : new ResultFile(path, inputs);
}

function readPrices(file: string): PriceTable {
  let text: string;
  try {
    text = fs.readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError(`--prices ${file}: ${reason(error)}`, { cause: error });
  }
  try {
    return PriceTable.read(text);
  } catch (error) {
    throw new UsageError(`--prices ${file}: ${(error as Error).message}`, { cause: error });
  }
}

function outputRule(value: string): OutputRule {
  if (value === "max") return { rule: "max" };
  const ratio = /^ratio=(\d+(?:\.\d+)?)$/.exec(value)?.[1];
  if (ratio !== undefined) return { rule: "ratio", ratio: Number(ratio) };
  if (!/^\d{1,9}$/.test(value)) {
    throw new InvalidArgumentError("It must be max, a whole number, or ratio=R such as ratio=0.5.");
  }
  return { rule: "tokens", tokens: Number(value) };
}

function dollars(value: string): number {
  if (!/^\d{1,12}(?:\.\d+)?$/.test(value)) {
    throw new InvalidArgumentError("It must be a number of US dollars, such as 12.50.");
  }
  return Number(value);
}
