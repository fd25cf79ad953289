/**
 * A Worker that owns the permits and answers by message: what one does without shared memory. It is
 * as bare as can be, so that messages are all that it costs.
 *
 * A positive number asks for a permit and comes back when it is granted; -1 gives one back.
 *
 * @module
 */

/** What it is told first, with a port for each that asks. */
export interface Ask {
  /** How many permits there are; with the first port. */
  readonly slots?: number;
  readonly port: MessagePort;
}

interface Scope {
  onmessage: ((event: MessageEvent<Ask>) => void) | null;
  postMessage(message: string): void;
}

const scope = globalThis as unknown as Scope;
let free = 0;
const line: (() => void)[] = [];
let head = 0;

scope.onmessage = ({ data: { slots, port } }) => {
  if (slots !== undefined) free = slots;
  port.onmessage = ({ data }: MessageEvent<number>) => {
    if (data > 0) {
      const grant = () => port.postMessage(data);
      if (free > 0) {
        free--;
        grant();
      } else line.push(grant);
    } else if (head < line.length) {
      line[head++]!();
      // Trimmed now and then, so that it is a queue and not a log.
      if (head > 1024) head -= line.splice(0, head).length;
    } else free++;
  };
  scope.postMessage("ready");
};
