/**
 * Command-line options that several commands share.
 *
 * @module
 */
import { isatty } from "node:tty";
import { type Command, InvalidArgumentError, Option } from "commander";
import {
  type EncodingName,
  resolveModel,
  type SpecialTokenMode,
  Tokenizer,
} from "../tokenizer/mod.ts";
import { isCharset } from "./charset.ts";
import type { Selection } from "../files/find.ts";
import { LINES, TEXT } from "../files/text_names.ts";
import { foldersHelp } from "./folders_help.ts";
import type { Reading } from "./input.ts";
import { type Report, UsageError } from "./report.ts";

/** The values of the options of {@linkcode addEncodingOptions} and {@linkcode addSpecialOption}. */
export interface EncodingOptions {
  readonly encoding?: EncodingName;
  readonly model?: string;
  readonly special?: SpecialTokenMode;
}

/** The values of the options of {@linkcode addFolders}. */
export interface FolderOptions {
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly hidden?: true;
}

/** The values of the options of {@linkcode addReading}. */
export interface ReadingOptions {
  readonly charset?: string;
  readonly lossy?: true;
}

/** Adds the files to read. Without files, and with a terminal as standard input, the help is printed. */
export function addFiles(command: Command, what = "files"): Command {
  return command
    .argument("[files...]", `${what} to read; none, or -, is standard input`)
    .hook("preAction", (command) => {
      if (command.args.length === 0 && isatty(0)) command.help({ error: true });
    });
}

/** Adds the options that select files of folders. */
export function addFolders(command: Command): Command {
  return command
    .option("--include <pattern>", "in folders: take files like this, and no others", collect)
    .option("--exclude <pattern>", "in folders: leave files and folders like this out", collect)
    .option("--hidden", "in folders: also take names that begin with a dot")
    .addHelpText("after", foldersHelp(command.name()));
}

/** Which files of folders to select. */
export function selectionOf(
  { include = [], exclude = [], hidden }: FolderOptions,
  jsonl = false,
): Selection {
  return { include, exclude, hidden: hidden === true, kind: jsonl ? LINES : TEXT };
}

/** Adds the options for files that are not UTF-8. */
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

/** How to decode files. */
export function readingOf({ charset, lossy }: ReadingOptions): Reading {
  return { ...charset === undefined ? {} : { charset }, lossy: lossy === true };
}

/** A number on the command line. */
export function wholeNumber(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(value);
}

/** Adds `--encoding` and `--model`, which select the tokenizer. */
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

/** Adds `--special`, which says how the text of a special token is read. */
export function addSpecialOption(command: Command): Command {
  return command.addOption(
    new Option(
      "--special <how>",
      "take <|endoftext|> and the like as ordinary text, as the special token, or as an error",
    ).choices(["text", "allow", "error"]).default("text"),
  );
}

/**
 * The tokenizer that the options select. A note is printed if it is an estimate.
 *
 * @throws {UsageError} If they select none and there is no `fallback`.
 */
export function openTokenizer(
  { encoding, model, special = "text" }: EncodingOptions,
  report: Report,
  fallback?: EncodingName,
): Tokenizer {
  if (model !== undefined) {
    // A misspelt name is an error. A model without a public vocabulary is estimated.
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
