/**
 * The command `sluice tokenize`: makes token files of whole corpora, and goes on where it was stopped.
 *
 * @module
 */
import process from "node:process";
import { isatty } from "node:tty";
import { Command, InvalidArgumentError, Option } from "commander";
import {
  type CorpusOptions,
  type FileKind,
  finishCorpus,
  planCorpus,
  type PlanCorpusOptions,
  SourceError,
  tokenizeCorpus,
} from "../corpus/mod.ts";
import { SluiceError } from "../errors.ts";
import { printable } from "../files/file_path.ts";
import {
  addEncodingOptions,
  addFolders,
  addSpecialOption,
  type EncodingOptions,
  type FolderOptions,
  wholeNumber,
} from "./options.ts";
import { EXIT, UsageError } from "./report.ts";
import type { Session } from "./session.ts";
import { EXIT_HELP, exitCodeOf } from "./tokenize/exit_code.ts";
import { type Reporter, reporterOf } from "./tokenize/reporter.ts";
import { parseSize } from "./tokenize/sizes.ts";
import { finished, type Seen, summarize } from "./tokenize/summary.ts";

const EXAMPLES = `Examples:
  sluice tokenize corpus.jsonl --out tokens -e o200k_base
  sluice tokenize data/*.jsonl.zst --out tokens -m gpt-5 --format megatron
  sluice tokenize shards --out tokens -e gpt-2 --shard auto     in a cluster
  sluice tokenize --finish --out tokens                         when all shares are done
`;

interface TokenizeOptions extends EncodingOptions, FolderOptions {
  readonly out: string;
  readonly format?: CorpusOptions["format"];
  readonly kind?: FileKind;
  readonly field?: string;
  readonly idField?: string;
  readonly eos?: CorpusOptions["eos"];
  readonly dtype?: CorpusOptions["dtype"];
  readonly pack?: number;
  readonly pad?: true | number;
  readonly unit?: number;
  readonly memory?: number;
  readonly threads?: number;
  readonly shard?: string;
  readonly badLines?: number;
  readonly planOnly?: true;
  readonly finish?: true;
  readonly fresh?: true;
  readonly verify?: true;
  readonly json?: true;
  readonly quiet?: true;
}

/** The command. */
export function tokenizeCommand(session: Session): Command {
  const command = new Command("tokenize")
    .summary("make token files of whole corpora")
    .description(
      "Reads JSON Lines, Parquet and text files, compressed or not, and writes their token ids into DIR, " +
        "in shards. The files are the same whatever the threads, machines and runtime. The same command " +
        "goes on where it was stopped.",
    )
    .addHelpText("before", EXAMPLES);
  command
    .argument("[files...]", "files, folders and patterns; none, or -, is standard input")
    .hook("preAction", (command) => {
      const isWaiting = command.args.length === 0 && isatty(0);
      if (isWaiting && command.opts()["finish"] !== true) command.help({ error: true });
    });
  command.requiredOption("-o, --out <dir>", "the folder of the token files");
  addEncodingOptions(command);
  addSpecialOption(command);
  addFolders(command);
  return command
    .addOption(
      new Option("--format <name>", "format of the token files (default: bin)").choices([
        "bin",
        "megatron",
        "npy",
        "llmc",
        "arrow",
        "jsonl",
      ]),
    )
    .option("--field <path>", "where the text is, such as body.input (default: text)")
    .option("--id-field <path>", "where the identifier is, which arrow and jsonl store")
    .addOption(
      new Option("--eos <where>", "where <|endoftext|> stands (default: as the format has it)")
        .choices(["append", "prepend", "none"]),
    )
    .addOption(
      new Option("--dtype <type>", "type of the ids; auto cannot overflow (default: auto)")
        .choices(["auto", "u16", "u32"]),
    )
    .option("--pack <ids>", "rows of this many ids instead of documents", wholeNumber)
    .option("--pad [id]", "with --pack: fill the last row of a shard (default: <|endoftext|>)", pad)
    .addOption(
      new Option("--kind <kind>", "how all inputs are read (default: by their suffixes)").choices([
        "jsonl",
        "jsonl.gz",
        "jsonl.zst",
        "parquet",
        "text",
        "text.gz",
        "text.zst",
      ]),
    )
    .option("--unit <size>", "input of a shard (default: 256MB)", parseSize)
    .option(
      "--memory <size>",
      "a line, or a page of Parquet, may take a third of it (default: 1GB)",
      parseSize,
    )
    .option("--threads <n>", "threads, or auto for one for each CPU (default: auto)", threads)
    .option("--shard <i/n>", "do every n-th shard from the i-th; auto: as Kubernetes or Slurm say")
    .option("--plan-only", "write plan.json and stop")
    .option("--finish", "write manifest.json if all shards are done, and stop")
    .option("--fresh", "delete what this program wrote into DIR, and start anew")
    .option("--verify", "read the shards that are done, and make damaged ones again")
    .option(
      "--bad-lines <how>",
      "quarantine: keep them in DIR/bad, and exit with 1 in the end; stop: at the first; max=N: accept N (default: quarantine)",
      badLines,
    )
    .option("--json", "print events as NDJSON")
    .option("-q, --quiet", "no notes and no progress")
    .addHelpText("after", EXIT_HELP)
    .action((inputs: string[], options: TokenizeOptions) => tokenize(inputs, options, session));
}

async function tokenize(
  inputs: string[],
  options: TokenizeOptions,
  session: Session,
): Promise<void> {
  const { report } = session;
  report.quiet = options.quiet === true;
  const reporter = reporterOf(report, options.json === true);
  try {
    report.exitCode = await run(inputs, options, session, reporter);
  } catch (error) {
    reporter.stop();
    const exitCode = error instanceof Interrupted ? EXIT.stopped : exitCodeOf(error);
    const message = messageOf(error as Error, options.out, exitCode);
    report.error(printable(message));
    report.exitCode = exitCode;
    const status = error instanceof Interrupted ? "stopped" : "error";
    reporter.event({ event: "finished", status, exitCode, message });
  }
}

/** What the system says of a full disk does not tell of which, nor that nothing is lost. */
function messageOf(error: Error, out: string, exitCode: number): string {
  const isExplained = error instanceof SluiceError || error instanceof SourceError;
  if (exitCode !== EXIT.io || isExplained) return error.message;
  return `${out} cannot be written: ${error.message}; what is committed stays, and the same command goes on`;
}

/** Does what the options say, and returns the exit code. */
async function run(
  inputs: string[],
  options: TokenizeOptions,
  session: Session,
  reporter: Reporter,
): Promise<number> {
  const { out, planOnly, finish, shard, fresh } = options;
  if (finish) {
    if (planOnly || fresh || inputs.length > 0) {
      throw new UsageError("--finish takes --out, and neither files, --plan-only nor --fresh");
    }
    return finished(finishCorpus(out), options, session, reporter);
  }
  const files = inputs.length === 0 ? ["-"] : inputs;
  const corpus = corpusOptions(options);
  if (planOnly) {
    if (shard !== undefined) throw new UsageError("--plan-only makes the plan of all shares");
    const { units, files: { length } } = await planCorpus(files, out, corpus);
    if (options.json) reporter.event({ event: "planned", units: units.length, files: length });
    else session.out.text(`${units.length}\n`);
    return EXIT.ok;
  }
  const start = performance.now();
  const seen: Seen = { bytes: 0, firstBad: undefined };
  using interrupt = new Interrupt(session);
  const result = await tokenizeCorpus(files, out, {
    ...corpus,
    ...shard === undefined ? {} : { shard },
    ...options.threads === undefined ? {} : { threads: options.threads },
    verify: options.verify === true,
    maxBadLines: options.badLines ?? Infinity,
    signal: interrupt.signal,
    onEvent: (event) => {
      if (event.event === "progress") seen.bytes = event.bytes;
      if (event.event === "bad-line" && event.unit < (seen.firstBad?.unit ?? Infinity)) {
        seen.firstBad = event;
      }
      reporter.show(event);
    },
  });
  reporter.stop();
  return summarize(result, options, session, reporter, {
    ...seen,
    seconds: (performance.now() - start) / 1000,
  });
}

function corpusOptions(options: TokenizeOptions): PlanCorpusOptions {
  const { encoding, model, format, field, idField, eos, dtype, pack, special } = options;
  if (encoding === undefined && model === undefined) {
    throw new UsageError("say which encoding: --encoding o200k_base, or --model gpt-5");
  }
  return {
    encoding,
    model,
    format,
    field,
    idField,
    eos,
    dtype,
    pack,
    pad: options.pad,
    special,
    unitBytes: options.unit,
    memory: options.memory,
    include: options.include,
    exclude: options.exclude,
    hidden: options.hidden === true,
    kind: options.kind,
    fresh: options.fresh === true,
  };
}

/** The program was told to stop. */
class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** Turns SIGINT and SIGTERM into a signal of the run. The second one ends the program at once. */
class Interrupt implements Disposable {
  readonly #controller = new AbortController();
  readonly #session: Session;
  readonly #stop = (): void => {
    if (this.signal.aborted) process.exit(EXIT.stopped);
    this.#controller.abort(
      new Interrupted("stopped; what is committed stays, and the same command goes on"),
    );
  };

  constructor(session: Session) {
    this.#session = session;
    session.onInterrupt = this.#stop;
    process.on("SIGTERM", this.#stop);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    this.#session.onInterrupt = undefined;
    process.off("SIGTERM", this.#stop);
  }
}

function pad(value: string): number {
  return wholeNumber(value);
}

function threads(value: string): number | undefined {
  if (value === "auto") return undefined;
  const count = wholeNumber(value);
  if (count >= 1 && count <= 1024) return count;
  throw new InvalidArgumentError("It must be auto or a number from 1 to 1024.");
}

/** How many bad lines are accepted; Infinity if the run goes on, however many they are, and fails in the end. */
function badLines(value: string): number {
  if (value === "quarantine") return Infinity;
  if (value === "stop") return 0;
  const [, most] = /^max=(\d{1,15})$/.exec(value) ?? [];
  if (most !== undefined) return Number(most);
  throw new InvalidArgumentError("It must be quarantine, stop or max=N.");
}
