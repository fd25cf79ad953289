/**
 * A progress bar for large inputs.
 *
 * @module
 */
import { Presets, SingleBar } from "cli-progress";

/** Smaller inputs have no bar, because they are done before it is read. */
const LARGE_BYTES = 1 << 25;

/** A bar that counts bytes. It is shown for large inputs, and again after it was hidden. */
export class Progress {
  readonly #stream: NodeJS.WritableStream;
  readonly #total: number | undefined;
  readonly #start = performance.now();
  #bar: SingleBar | undefined;
  #done = 0;

  /**
   * @param stream The terminal to draw on.
   * @param total The number of bytes, if it is known.
   */
  constructor(stream: NodeJS.WritableStream, total: number | undefined) {
    this.#stream = stream;
    this.#total = total;
  }

  /** Adds `bytes` to the work that is done. */
  advance(bytes: number): void {
    this.#done += bytes;
    if (this.#bar !== undefined) this.#bar.update(this.#done, this.#payload());
    else if (this.#isWorthwhile()) this.#show();
  }

  /** Clears the line, so that other text can be written there. */
  hide(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }

  #isWorthwhile(): boolean {
    if (this.#total === undefined) return this.#done >= LARGE_BYTES;
    return this.#total >= LARGE_BYTES && this.#done < this.#total;
  }

  #show(): void {
    const known = this.#total !== undefined;
    this.#bar = new SingleBar({
      format: known
        ? "{bar} {percentage}%  {done} of {whole}  {speed}/s  {eta_formatted} left"
        : "{done}  {speed}/s",
      stream: this.#stream,
      barsize: 24,
      etaBuffer: 200,
      clearOnComplete: true,
      hideCursor: null,
      // The program handles interrupts.
      gracefulExit: false,
    }, Presets.shades_classic);
    this.#bar.start(this.#total ?? Infinity, this.#done, this.#payload());
  }

  #payload(): Record<string, string> {
    const seconds = (performance.now() - this.#start) / 1000;
    return {
      done: size(this.#done),
      whole: size(this.#total ?? 0),
      speed: size(this.#done / Math.max(seconds, 0.001)),
    };
  }
}

function size(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  return `${(bytes / 1e6).toFixed(bytes >= 1e7 ? 0 : 1)} MB`;
}
