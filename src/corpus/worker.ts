/**
 * A Worker that does units of a corpus, one at a time.
 *
 * @module
 */
import { failureOf } from "./run/failure.ts";
import type { FromWorker, Setup, ToWorker } from "./run/messages.ts";
import { type Outcome, OwnThread } from "./run/threads.ts";

interface Scope {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker): void;
}

const scope = globalThis as unknown as Scope;
let setup: Setup | undefined;
let thread: OwnThread | undefined;

scope.onmessage = async ({ data }) => {
  if ("plan" in data) {
    setup = data;
    return;
  }
  scope.postMessage(messageOf(await work(data.unit)));
};

async function work(unit: number): Promise<Outcome> {
  try {
    thread ??= new OwnThread(setup!);
  } catch (error) {
    return { failure: failureOf(error) };
  }
  return await thread.do(unit, {
    onProgress: (totals) => scope.postMessage({ kind: "progress", totals }),
    onBadLine: (line) => scope.postMessage({ kind: "bad-line", line }),
  });
}

function messageOf(outcome: Outcome): FromWorker {
  return "commit" in outcome
    ? { kind: "committed", commit: outcome.commit }
    : { kind: "failed", failure: outcome.failure };
}
