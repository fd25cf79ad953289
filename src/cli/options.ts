/**
 * What several commands share of their command lines.
 *
 * @module
 */
import { isatty } from "node:tty";
import { type Command, Option } from "commander";
import { type EncodingName, resolveModel, type Special, Tokenizer } from "../../mod.ts";
import { type Report, UsageError } from "./report.ts";

/** What the options parse to. */
export interface EncodingOptions {
  readonly encoding?: EncodingName;
  readonly model?: string;
  readonly special?: Special;
}

/** Adds the files to read. Nothing to read and a terminal to type in: that gets the help. */
export function addFiles(command: Command): Command {
  return command
    .argument("[files...]", "files to read; none, or -, is standard input")
    .hook("preAction", (command) => {
      if (command.args.length === 0 && isatty(0)) command.help({ error: true });
    });
}

/** Adds `--encoding` and `--model`, which say which tokenizer is meant. */
export function addEncodingOptions(command: Command, fallback?: EncodingName): Command {
  const note = fallback === undefined ? "" : ` (default: ${fallback})`;
  return command
    .addOption(
      new Option("-e, --encoding <name>", `encoding, such as cl100k_base${note}`).conflicts(
        "model",
      ),
    )
    .option("-m, --model <name>", "model whose encoding to use, such as gpt-5");
}

/** Adds `--special`, which says what the text of a special token means. */
export function addSpecialOption(command: Command): Command {
  return command.addOption(
    new Option(
      "--special <how>",
      "take <|endoftext|> and the like as ordinary text, as the special token, or as an error",
    ).choices(["text", "allow", "error"]).default("text"),
  );
}

/**
 * The tokenizer that the options ask for. Where it only stands in for the model's own, a note says
 * so.
 *
 * @throws {UsageError} If they ask for none and there is no `fallback`.
 */
export function openTokenizer(
  { encoding, model, special = "text" }: EncodingOptions,
  report: Report,
  fallback?: EncodingName,
): Tokenizer {
  if (model !== undefined) {
    // A misspelt name is a mistake; a model without a public vocabulary is estimated.
    resolveModel(model, { unknownModel: "refuse" });
    const tokenizer = Tokenizer.forModel(model, { special, estimate: true });
    if (!tokenizer.exact) {
      report.note(
        `the vocabulary of ${model} is not available: ${tokenizer.encoding} stands in, so this ` +
          "is an estimate",
      );
    }
    return tokenizer;
  }
  const name = encoding ?? fallback;
  if (name === undefined) {
    throw new UsageError("say which encoding: --encoding o200k_base, or --model gpt-5");
  }
  return new Tokenizer(name, { special });
}
