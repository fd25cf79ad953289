/**
 * A Worker that owns the counts and answers by message: what one does without shared memory. It is as
 * bare as can be, so that messages are all that it costs. It is asked by a key, and answers with 0 or
 * the milliseconds to wait.
 *
 * @module
 */
import { type Bucket, MapGcra } from "./gcra.ts";

/** What it is told first, with a port for each that asks. */
export interface Ask {
  readonly bucket: Bucket;
  readonly port: MessagePort;
}

interface Scope {
  onmessage: ((event: MessageEvent<Ask>) => void) | null;
  postMessage(message: string): void;
}

const scope = globalThis as unknown as Scope;
let gcra: MapGcra | undefined;

scope.onmessage = ({ data: { bucket, port } }) => {
  const counts = gcra ??= new MapGcra(bucket);
  port.onmessage = ({ data }: MessageEvent<string>) =>
    port.postMessage(counts.take(data, 1, performance.now()));
  scope.postMessage("ready");
};
