/**
 * A worker: takes units from the queue and tokenizes them into the folder that all workers share.
 *
 *     worker.ts PORT [dies]
 *
 * With `dies` it ends as by `kill -9` when its second unit is written and not yet committed.
 *
 * @module
 */
import { UnrecoverableError, Worker } from "bullmq";
import process from "node:process";
import { finishCorpus, SourceError, tokenizeUnit } from "../../src/corpus/mod.ts";
import { connectionTo, type CorpusJob, QUEUE, TAKE_OVER } from "./jobs.ts";

const [port, fate] = process.argv.slice(2);
let units = 0;

const worker = new Worker<CorpusJob>(QUEUE, async ({ data }) => {
  if (data.kind === "finish") return finishCorpus(data.out).tree;
  units++;
  try {
    const { documents, bad, tokens } = await tokenizeUnit(data.out, data.unit, {
      onProgress: () => {
        if (fate === "dies" && units === 2) process.kill(process.pid, "SIGKILL");
      },
    });
    return { documents, bad, tokens };
  } catch (error) {
    // An input that has changed since the plan was made does not change back.
    if (error instanceof SourceError) throw new UnrecoverableError(error.message);
    throw error;
  }
}, { connection: connectionTo(Number(port)), ...TAKE_OVER });

worker.on("error", (error) => console.error(error));
process.stdin.resume().on("end", () => void worker.close().then(() => process.exit()));
