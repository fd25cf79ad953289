/**
 * The native handle of a job: an input that a thread of the library tokenizes, polled for its result.
 *
 * @module
 */
import { delay } from "../delay.ts";
import { native } from "../ffi/load.ts";
import { NativeHandle } from "../ffi/native_handle.ts";
import type { NativeReader } from "./native_reader.ts";
import type { NativeTokenizer } from "./native_tokenizer.ts";
import type { TimeSlice } from "./time_slice.ts";

/** Words of a result that are copied at a time. */
const SLICE_WORDS = 1 << 17;

/** Polling starts with the shortest timer there is, and slows down to this interval. */
const LONGEST_POLL_MS = 8;

/** Memory of which no byte is read. */
const NOTHING = new Uint8Array(new ArrayBuffer(1));

/** A job of the library. */
export class NativeJob extends NativeHandle {
  /** @param handle What the library returned. */
  private constructor(handle: number) {
    super(handle, "This job", close);
  }

  /**
   * Opens a job for a packed batch, which is still to be written.
   *
   * @param kind `JOB_COUNT` or `JOB_ENCODE`.
   * @param expected A guess of the size of the packed batch, in bytes.
   */
  static forBatch(
    tokenizer: NativeTokenizer,
    mode: number,
    kind: number,
    expected: number,
  ): NativeJob {
    const job = tokenizer.native.sluice_job_open(tokenizer.handle, mode, kind, expected);
    return new NativeJob(tokenizer.unwrap(job));
  }

  /**
   * Opens a job for a chunk of lines or the values of a column, which are still to be written.
   *
   * @param kind One of the other `JOB_*` constants.
   * @param bytes The size of the input.
   */
  static forReader(reader: NativeReader, kind: number, isLast: boolean, bytes: number): NativeJob {
    const { sluice_job_open_reader } = reader.native;
    const job = sluice_job_open_reader(reader.handle, kind, isLast ? 1 : 0, bytes);
    return new NativeJob(reader.unwrap(job));
  }

  /** Adds a slice of the input. */
  write(bytes: Uint8Array, length: number = bytes.length): void {
    this.unwrap(this.native.sluice_job_write(this.handle, bytes, length, 0));
  }

  /** Starts the job: the input is complete. */
  start(): void {
    this.unwrap(this.native.sluice_job_write(this.handle, NOTHING, 0, 1));
  }

  /** Waits until the result is there. Throws what the job failed with, or the reason of `signal`. */
  async done(signal: AbortSignal | undefined): Promise<void> {
    const { sluice_job_poll } = this.native;
    for (let ms = 1; this.unwrap(sluice_job_poll(this.handle)) === 0;) {
      await delay(ms, signal);
      ms = Math.min(2 * ms, LONGEST_POLL_MS);
    }
  }

  /** Copies the result, slice by slice. */
  async read(slice: TimeSlice): Promise<Uint32Array<ArrayBuffer>> {
    const { sluice_job_read } = this.native;
    const none = new Uint32Array(new ArrayBuffer(0));
    const length = this.unwrap(sluice_job_read(this.handle, 0, none, 0));
    const result = new Uint32Array(new ArrayBuffer(4 * length));
    for (let at = 0; at < length; at += SLICE_WORDS) {
      const words = result.subarray(at, at + SLICE_WORDS);
      this.unwrap(sluice_job_read(this.handle, at, words, words.length));
      if (slice.isOver) await slice.yield();
    }
    return result;
  }

  /** Stops the job, waits until no thread works on it, and closes it. */
  async stop(): Promise<void> {
    const { sluice_job_stop } = this.native;
    for (let ms = 1; this.handle !== 0 && sluice_job_stop(this.handle) === 0;) {
      await delay(ms);
      ms = Math.min(2 * ms, LONGEST_POLL_MS);
    }
    this.close();
  }
}

function close(handle: number): number {
  return native().sluice_job_close(handle);
}
