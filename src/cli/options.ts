/**
 * What several commands share of their command lines.
 *
 * @module
 */
import { isatty } from "node:tty";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type EncodingName, resolveModel, type Special, Tokenizer } from "../../mod.ts";
import { isCharset } from "./charset.ts";
import type { Reading } from "./input.ts";
import type { Selection } from "./inputs.ts";
import { type Report, UsageError } from "./report.ts";
import { foldersHelp } from "./text_files.ts";

/** What the options parse to. */
export interface EncodingOptions {
  readonly encoding?: EncodingName;
  readonly model?: string;
  readonly special?: Special;
}

/** What the options of {@linkcode addFolders} parse to. */
export interface FolderOptions {
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly hidden?: true;
}

/** What the options of {@linkcode addReading} parse to. */
export interface ReadingOptions {
  readonly charset?: string;
  readonly lossy?: true;
}

/** Adds the files to read. Nothing to read and a terminal to type in: that gets the help. */
export function addFiles(command: Command, what = "files"): Command {
  return command
    .argument("[files...]", `${what} to read; none, or -, is standard input`)
    .hook("preAction", (command) => {
      if (command.args.length === 0 && isatty(0)) command.help({ error: true });
    });
}

/** Adds what is taken from folders. */
export function addFolders(command: Command): Command {
  return command
    .option("--include <pattern>", "in folders: take files like this, and no others", collect)
    .option("--exclude <pattern>", "in folders: leave files and folders like this out", collect)
    .option("--hidden", "in folders: also take names that begin with a dot")
    .addHelpText("after", foldersHelp(command.name()));
}

/** What to take from folders. */
export function selectionOf(
  { include = [], exclude = [], hidden }: FolderOptions,
  jsonl = false,
): Selection {
  return { include, exclude, hidden: hidden === true, jsonl };
}

/** Adds how to read files that are not UTF-8. */
export function addReading(command: Command): Command {
  return command
    .option(
      "--charset <name>",
      "what the files are written in if not in UTF-8, such as utf-16le or latin1, which is " +
        "windows-1252, as on the web",
      charset,
    )
    .option("--lossy", "read U+FFFD for what is not valid, and say so, where it is an error else");
}

/** How to read what is in the files. */
export function readingOf({ charset, lossy }: ReadingOptions): Reading {
  return { ...charset === undefined ? {} : { charset }, lossy: lossy === true };
}

/** A number on the command line. */
export function wholeNumber(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(value);
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

function collect(value: string, values: readonly string[] = []): readonly string[] {
  return [...values, value];
}

function charset(name: string): string {
  if (isCharset(name)) return name;
  throw new InvalidArgumentError("It must be a name of the WHATWG Encoding Standard.");
}
