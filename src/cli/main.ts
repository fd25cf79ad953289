/**
 * The command-line program `sluice`: counts, encodes, decodes and cuts files and pipes.
 *
 * Results go to standard output, messages to standard error. The exit codes are those of {@linkcode EXIT}.
 *
 * @module
 */
import process from "node:process";
import { Command, CommanderError } from "commander";
import { SluiceError } from "../errors.ts";
import { detectBackend } from "../ffi/load.ts";
import { chunksCommand } from "./chunks.ts";
import { countCommand } from "./count.ts";
import { decodeCommand } from "./decode.ts";
import { doctorCommand } from "./doctor.ts";
import { encodeCommand } from "./encode.ts";
import { estimateCommand } from "./estimate.ts";
import { inspectCommand } from "./inspect.ts";
import { modelsCommand } from "./models.ts";
import { BrokenPipe, isStdoutClosed, Output } from "./output.ts";
import { EXIT, Report, UsageError } from "./report.ts";
import type { Session } from "./session.ts";
import { splitCommand } from "./split.ts";
import { tokenizeCommand } from "./tokenize.ts";
import { truncateCommand } from "./truncate.ts";
import { version } from "../version.ts";

const EXAMPLES = `Examples:
  sluice count prompt.txt docs                          tokens of a file and of a folder
  git diff | sluice count --model gpt-4o --max 8000     exit code 3 if there are more
  sluice encode --encoding o200k_base --jsonl < in.jsonl > ids.jsonl
  sluice doctor                                         is everything in place?
`;

const EXIT_CODES = `
Exit codes: 0 done, 1 something failed, 2 wrong usage, 3 over a limit, 130 interrupted.
Failures are reported on standard error and do not stop the rest.`;

/** Commands whose help tells other exit codes. */
const OWN_EXIT_CODES: ReadonlySet<string> = new Set(["inspect", "tokenize"]);

/** Runs the program and returns its exit code. Reports errors; never throws. */
export async function main(args: readonly string[]): Promise<number> {
  const session: Session = { out: new Output(), report: new Report() };
  const { out, report } = session;
  process.on("SIGINT", () => {
    if (session.onInterrupt !== undefined) return session.onInterrupt();
    report.stopProgress();
    process.exit(EXIT.interrupted);
  });
  try {
    if (isStdoutClosed()) {
      throw new Error("the results cannot be written: standard output is closed");
    }
    await parse(args, session);
    await out.flush();
    return report.exitCode;
  } catch (error) {
    return explain(error, report);
  }
}

/** Parses the command line and runs the command. */
async function parse(args: readonly string[], session: Session): Promise<void> {
  try {
    await program(session).parseAsync(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version end in this way as well.
    if (error.exitCode !== 0) session.report.exitCode = EXIT.usage;
  }
}

function program(session: Session): Command {
  const { out, report } = session;
  const program = new Command("sluice")
    .description("Exact BPE token counts, ids and texts, for files and pipes.")
    .version(version, "-v, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print the help of a command")
    .addHelpText("before", EXAMPLES)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => out.text(text),
      writeErr: (text) => report.write(text),
      outputError: (message) =>
        report.error(message.replace(/^error: /, "").trim().replaceAll("\n", " ")),
      // No colours are used, and detecting them needs a permission in some runtimes.
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  const commands = [
    countCommand,
    encodeCommand,
    tokenizeCommand,
    estimateCommand,
    splitCommand,
    inspectCommand,
    decodeCommand,
    truncateCommand,
    chunksCommand,
    modelsCommand,
    doctorCommand,
  ];
  for (const command of commands) {
    program.addCommand(command(session).copyInheritedSettings(program));
  }
  for (const each of [program, ...program.commands]) {
    if (!OWN_EXIT_CODES.has(each.name())) each.addHelpText("after", EXIT_CODES);
  }
  return program;
}

/** Reports an error and returns the exit code. */
function explain(error: unknown, report: Report): number {
  if (error instanceof BrokenPipe) return EXIT.ok;
  const { message, stack } = error as Error;
  report.error(debugging() && stack !== undefined ? stack : message);
  return isUsage(error) ? EXIT.usage : EXIT.failure;
}

/** Whether an error is one of usage. Names of encodings and models come from the command line only. */
function isUsage(error: unknown): boolean {
  if (error instanceof UsageError) return true;
  return error instanceof SluiceError &&
    (error.code === "SLUICE_UNKNOWN_ENCODING" || error.code === "SLUICE_UNKNOWN_MODEL");
}

function debugging(): boolean {
  try {
    return (detectBackend().environment("SLUICE_DEBUG") ?? "") !== "";
  } catch {
    return false;
  }
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
