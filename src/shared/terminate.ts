/**
 * A last word before SIGTERM ends the process: what this process holds in a store is given back.
 *
 * @module
 */
import { LONGEST_TIMER } from "../deadline.ts";

type Bye = (isEnd: boolean) => Promise<void>;

const byes = new Map<Bye, number>();
let isListening = false;

/**
 * Calls `bye` when SIGTERM arrives, and tells it whether the process ends then. If the program does not listen to the signal itself, the process then ends by it as it
 * would have, after `bye` or after `limitMs`. Returns a function that cancels this.
 *
 * In a Worker it does nothing: signals are the main thread's.
 */
export function onTerminate(bye: Bye, limitMs: number): () => void {
  byes.set(bye, limitMs);
  listen();
  return () => {
    byes.delete(bye);
    if (byes.size === 0) ignore();
  };
}

function listen(): void {
  if (isListening) return;
  isListening = true;
  process.on("SIGTERM", terminate);
}

function ignore(): void {
  if (!isListening) return;
  isListening = false;
  process.off("SIGTERM", terminate);
}

async function terminate(): Promise<void> {
  // Another listener decides when the process ends.
  const endsHere = process.listenerCount("SIGTERM") === 1;
  const limitMs = Math.min(Math.max(0, ...byes.values()), LONGEST_TIMER);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => timer = setTimeout(resolve, limitMs));
  const said = Promise.allSettled([...byes.keys()].map((bye) => bye(endsHere)));
  await Promise.race([said, late]);
  clearTimeout(timer);
  if (!endsHere) return;
  ignore();
  try {
    // Without a listener the signal ends the process.
    process.kill(process.pid, "SIGTERM");
  } catch {
    // Deno may have no permission to send it: 128 + 15, as a shell reports the signal.
    process.exit(143);
  }
}
