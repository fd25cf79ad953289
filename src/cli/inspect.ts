/**
 * The command `sluice inspect`: checks the files of a corpus, and shows one of its documents.
 *
 * @module
 */
import { isatty } from "node:tty";
import { Command } from "commander";
import {
  type CorpusDocument,
  inspectCorpus,
  type Inspection,
  readDocument,
} from "../corpus/mod.ts";
import { SluiceError } from "../errors.ts";
import { printable } from "../files/file_path.ts";
import { Tokenizer } from "../tokenizer/mod.ts";
import { wholeNumber } from "./options.ts";
import { EXIT, UsageError } from "./report.ts";
import type { Session } from "./session.ts";
import { showCount, showSize } from "./tokenize/sizes.ts";

const EXAMPLES = `Examples:
  sluice inspect tokens                 are all files there, and as they were written?
  sluice inspect tokens 1000            the text of document 1000, counted from 0
  sluice inspect tokens 7 --shard 3 --ids
`;

const EXIT_HELP = `
Exit codes of inspect: 0 complete, and nothing is wrong; 1 not complete, or
something is wrong; 2 wrong usage, no such document, or DIR is not a corpus;
130 interrupted.`;

/** Problems that are printed. */
const MOST_PRINTED = 20;

interface InspectCommandOptions {
  readonly ids?: true;
  readonly shard?: number;
  readonly json?: true;
  readonly quiet?: true;
}

/** The command. */
export function inspectCommand(session: Session): Command {
  return new Command("inspect")
    .summary("check the token files of a corpus, or show a document")
    .description(
      "Reads what sluice tokenize wrote into DIR and compares sums, sizes and SHA-256 with its records. With N, " +
        "prints the text of document N, or of row N if documents are packed.",
    )
    .addHelpText("before", EXAMPLES)
    .argument("<dir>", "the folder of the token files")
    .argument("[n]", "the number of a document, from 0", wholeNumber)
    .option("--ids", "with N: print the token ids, end token included, and not the text")
    .option("--shard <k>", "only shard k, from 0; N is counted from its beginning", wholeNumber)
    .option("--json", "print JSON")
    .option("-q, --quiet", "no notes and no progress bar")
    .addHelpText("after", EXIT_HELP)
    .action((folder: string, n: number | undefined, options: InspectCommandOptions) =>
      inspect(folder, n, options, session)
    );
}

async function inspect(
  folder: string,
  n: number | undefined,
  options: InspectCommandOptions,
  session: Session,
): Promise<void> {
  const { report } = session;
  report.quiet = options.quiet === true;
  try {
    if (n !== undefined) {
      return showDocument(await readDocument(folder, n, options.shard), n, options, session);
    }
    if (options.ids) throw new UsageError("--ids takes the number of a document");
    const inspection = await check(folder, options, session);
    if (options.json) printJson(inspection, options, session);
    else print(folder, inspection, options, session);
  } catch (error) {
    const isUsage = error instanceof RangeError ||
      error instanceof SluiceError && error.code === "SLUICE_CORPUS_NO_PLAN";
    if (!isUsage) throw error;
    throw new UsageError(printable(error.message), { cause: error });
  }
}

async function check(
  folder: string,
  { shard }: InspectCommandOptions,
  { report }: Session,
): Promise<Inspection> {
  try {
    return await inspectCorpus(folder, {
      unit: shard,
      onStart: (bytes) => report.startProgress(bytes, false),
      onRead: report.advance,
    });
  } finally {
    report.stopProgress();
  }
}

function print(
  folder: string,
  inspection: Inspection,
  { shard }: InspectCommandOptions,
  { out, report }: Session,
): void {
  const { plan, committed, inspected, files, bytes, tree, unfinished, problems } = inspection;
  const { encoding, format, dtype, eos, pack } = plan.options;
  const lines: [string, string][] = [
    [
      "encoding",
      `${encoding}, ${dtype}, ${eos === null ? "no end token" : `end token ${eos.id} ${eos.at}ed`}`,
    ],
    [
      "format",
      pack === null ? format : `${format}, rows of ${pack.length} ids${padding(pack.pad)}`,
    ],
    ["shards", `${showCount(committed)} of ${showCount(inspected)}`],
    ["documents", `${showCount(inspection.documents)}, ${showCount(inspection.empty)} empty`],
    [
      "lines",
      `${showCount(inspection.lines)}, ${showCount(inspection.bad)} bad, ${
        showCount(inspection.blank)
      } blank`,
    ],
    [
      "tokens",
      `${showCount(inspection.tokens)}${
        inspection.maxId < 0 ? "" : `, greatest id ${inspection.maxId}`
      }`,
    ],
    ["files", `${showCount(files)}, ${showSize(bytes)}`],
  ];
  if (tree !== undefined) lines.push(["tree", tree]);
  for (const [name, value] of lines) out.text(`${name.padEnd(11)}${value}\n`);
  if (unfinished.length > 0) {
    report.note(
      `${showCount(unfinished.length)} files are of unfinished shards: ${unfinished[0]}, …`,
    );
  }
  const where = printable(folder);
  for (const { file, message } of problems.slice(0, MOST_PRINTED)) {
    report.error(printable(`${folder}/${file} ${message}`));
  }
  const more = problems.length - MOST_PRINTED;
  if (more > 0) report.error(`${where}: ${showCount(more)} more problems`);
  const missing = inspected - committed;
  if (missing > 0) {
    report.error(
      `${where} is not complete: ${showCount(missing)} of ${
        showCount(inspected)
      } shards are missing`,
    );
  } else if (shard === undefined && !inspection.isComplete) {
    report.error(
      `${where} has no manifest.json: sluice tokenize --finish --out ${where} writes it`,
    );
  }
  if (report.exitCode === EXIT.ok) out.text("Everything is as it was written.\n");
}

function padding(pad: number | null): string {
  return pad === null ? "" : `, padded with ${pad}`;
}

function printJson(
  { plan, ...inspection }: Inspection,
  { shard }: InspectCommandOptions,
  { out, report }: Session,
): void {
  const { committed, inspected, isComplete, problems } = inspection;
  const isDone = shard === undefined ? isComplete : committed === inspected;
  if (problems.length > 0 || !isDone) report.exitCode = EXIT.failure;
  const { encoding, format, dtype, eos, pack } = plan.options;
  out.text(`${JSON.stringify({ encoding, format, dtype, eos, pack, ...inspection })}\n`);
}

function showDocument(
  { plan, unit, index, ids, text }: CorpusDocument,
  n: number,
  options: InspectCommandOptions,
  { out }: Session,
): void {
  const asText = (): Uint8Array => {
    using tokenizer = new Tokenizer(plan.options.encoding);
    return tokenizer.decodeBytes(Uint32Array.from(text));
  };
  if (options.json) {
    const what = options.ids
      ? {}
      : { text: new TextDecoder("utf-8", { ignoreBOM: true }).decode(asText()) };
    out.text(`${JSON.stringify({ document: n, shard: unit, index, ids: [...ids], ...what })}\n`);
    return;
  }
  if (options.ids) {
    out.text("[");
    out.ids(Uint32Array.from(ids));
    out.text("]\n");
    return;
  }
  const bytes = asText();
  out.bytes(bytes);
  // A file gets the exact text. On a terminal the prompt would follow it.
  if (isatty(1) && bytes.at(-1) !== 0x0a) out.text("\n");
}
