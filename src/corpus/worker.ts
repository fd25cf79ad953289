/**
 * A Worker that does units of a corpus, one at a time.
 *
 * @module
 */
import { parentPort } from "node:worker_threads";
import { hideFfiWarning } from "../ffi/ffi_warning.ts";
import { failureOf } from "./run/failure.ts";
import type { FromWorker, Setup, ToWorker } from "./run/messages.ts";
import { type Outcome, OwnThread } from "./run/threads.ts";

hideFfiWarning();
const port = parentPort!;
let setup: Setup | undefined;
let thread: OwnThread | undefined;

port.on("message", async (message: ToWorker) => {
  if ("plan" in message) setup = message;
  else tell(messageOf(await work(message.unit)));
});

function tell(message: FromWorker): void {
  port.postMessage(message);
}

async function work(unit: number): Promise<Outcome> {
  try {
    thread ??= new OwnThread(setup!);
  } catch (error) {
    return { failure: failureOf(error) };
  }
  return await thread.do(unit, {
    onProgress: (totals) => tell({ kind: "progress", totals }),
    onBadLine: (line) => tell({ kind: "bad-line", line }),
  });
}

function messageOf(outcome: Outcome): FromWorker {
  return "commit" in outcome
    ? { kind: "committed", commit: outcome.commit }
    : { kind: "failed", failure: outcome.failure };
}
