/**
 * The estimate of a batch file, and a run that finds everything done.
 *
 * @module
 */
import { rmSync } from "node:fs";
import { rounded } from "../measure.ts";
import { expect } from "../program.ts";
import type { CorpusFiles } from "./files.ts";
import { timed } from "./process.ts";
import { sluice } from "./rows.ts";

/** `sluice estimate` of a batch file. */
export interface BatchCell {
  readonly part: "estimate";
  readonly name: string;
  readonly requests: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** Peak of the memory in MB. */
  readonly rss: number;
}

/** `sluice tokenize` on a folder that is complete. */
export interface ResumeCell {
  readonly part: "resume";
  readonly name: string;
  readonly units: number;
  readonly seconds: number;
}

const RUNS = 3;
/** So that the corpus has about this many units. */
const UNITS = 10_000;

/** The fastest of some runs: it is about the command, not about the machine. */
export async function estimated(
  { batch, requests }: CorpusFiles,
  brief: boolean,
): Promise<BatchCell> {
  const runs = [];
  for (let i = 0; i < (brief ? 1 : RUNS); i++) {
    const run = await timed(sluice("estimate", "--json", batch), true);
    const found = (JSON.parse(run.stdout) as { requests: number }).requests;
    expect(found === requests, `estimate finds ${found} of ${requests} requests`);
    runs.push(run);
  }
  const seconds = Math.min(...runs.map((run) => run.seconds));
  return {
    part: "estimate",
    name: "estimate",
    requests,
    seconds: rounded(seconds),
    perSecond: rounded(requests / seconds),
    rss: rounded(Math.max(...runs.map(({ rss }) => rss))),
  };
}

/** Tokenizes the sample in many small units, and then times what the same command takes when all of them are done. */
export async function resumed(
  { samples: { tokenizers: sample } }: CorpusFiles,
  out: string,
  brief: boolean,
): Promise<ResumeCell> {
  const units = brief ? 20 : UNITS;
  const args = ["tokenize", sample.path, "--out", out, "--encoding", "o200k_base", "--quiet"]
    .concat("--threads", "1", "--unit", String(Math.floor(sample.bytes / units)));
  rmSync(out, { recursive: true, force: true });
  await timed(sluice(...args), false);
  const seconds: number[] = [];
  for (let i = 0; i < (brief ? 1 : RUNS); i++) {
    seconds.push((await timed(sluice(...args), false)).seconds);
  }
  rmSync(out, { recursive: true });
  return { part: "resume", name: "all done", units, seconds: rounded(Math.min(...seconds)) };
}
