/**
 * What a run of `sluice tokenize` shows: a line that is drawn again on a terminal, a line each ten seconds elsewhere, or
 * events as NDJSON.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import fs from "node:fs";
import process from "node:process";
import { isatty } from "node:tty";
import type { CorpusEvent, ProgressEvent, StartedEvent } from "../../corpus/mod.ts";
import { printable } from "../../files/file_path.ts";
import type { Report } from "../report.ts";
import { type Rate, Rates } from "./rates.ts";
import { showDuration, showPart, showRate, showSize } from "./sizes.ts";

const LINE_MS = 10_000;

/** Moves to the beginning of the line and clears it. */
const CLEAR = "\r\x1b[2K";

/** Shows the events of a run. */
export interface Reporter {
  show(event: CorpusEvent): void;
  /** Writes an event that only programs read. */
  event(event: object): void;
  /** Removes what is drawn. */
  stop(): void;
}

/** The reporter for the options and the terminal. */
export function reporterOf(report: Report, json: boolean): Reporter {
  if (json) return new JsonReporter();
  return new TextReporter(report, report.quiet ? "none" : isatty(2) ? "drawn" : "lines");
}

/** A line such as `shards 7/24 · 1.9/6.1 GB · 812 MB/s · 231 M tok/s · ETA 5 s · 3 bad`. */
export function progressLine(started: StartedEvent, done: ProgressEvent, rate: Rate): string {
  const { units, bytes } = started;
  const size = bytes > 0 ? showPart(Math.min(done.bytes, bytes), bytes) : showSize(done.bytes);
  const left = rate.secondsLeft;
  return [
    `shards ${done.committed}/${units}`,
    size,
    `${showSize(rate.bytesPerSecond)}/s`,
    `${showRate(rate.tokensPerSecond)} tok/s`,
    ...left === undefined ? [] : [`ETA ${showDuration(left)}`],
    ...done.bad > 0 ? [`${done.bad} bad`] : [],
  ].join(" · ");
}

/** The line as one row of a terminal. One that does not know its size has 0 columns. */
export function cutLine(line: string, columns: number | undefined): string {
  return line.slice(0, (columns || 80) - 1);
}

class TextReporter implements Reporter {
  readonly #report: Report;
  readonly #style: "none" | "drawn" | "lines";
  #started: StartedEvent | undefined;
  #rates: Rates | undefined;
  #isDrawn = false;
  #nextLine = performance.now() + LINE_MS;

  constructor(report: Report, style: "none" | "drawn" | "lines") {
    this.#report = report;
    this.#style = style;
  }

  show(event: CorpusEvent): void {
    switch (event.event) {
      case "started":
        this.#started = event;
        this.#rates = new Rates(event.bytes, performance.now());
        if (event.committed > 0) {
          this.#message(() =>
            this.#report.note(`${event.committed} of ${event.units} shards are done already`)
          );
        }
        return;
      case "progress":
        return this.#progress(event);
      case "note":
        return this.#message(() => this.#report.note(printable(event.message)));
      case "failed":
        return this.#message(() => {
          this.#report.error(`${event.name}: ${printable(event.message)}`);
        });
    }
  }

  event(): void {}

  stop(): void {
    if (this.#isDrawn) this.#report.write(CLEAR);
    this.#isDrawn = false;
  }

  #progress(done: ProgressEvent): void {
    if (this.#style === "none" || this.#started === undefined) return;
    const now = performance.now();
    const rate = this.#rates!.add(done.bytes, done.tokens, now);
    const line = progressLine(this.#started, done, rate);
    if (this.#style === "drawn") {
      this.#report.write(CLEAR + cutLine(line, process.stderr.columns));
      this.#isDrawn = true;
    } else if (now >= this.#nextLine) {
      this.#nextLine = now + LINE_MS;
      this.#report.write(`sluice: ${line}\n`);
    }
  }

  #message(write: () => void): void {
    this.stop();
    write();
  }
}

class JsonReporter implements Reporter {
  #started: StartedEvent | undefined;
  #rates: Rates | undefined;
  #isClosed = false;

  show(event: CorpusEvent): void {
    switch (event.event) {
      case "started": {
        this.#started = event;
        this.#rates = new Rates(event.bytes, performance.now());
        const { plan, ...rest } = event;
        const { encoding, format, dtype } = plan.options;
        return this.event({ ...rest, files: plan.files.length, encoding, format, dtype });
      }
      case "progress": {
        const rate = this.#rates!.add(event.bytes, event.tokens, performance.now());
        const { units, bytes: totalBytes } = this.#started!;
        const rounded = {
          bytesPerSecond: Math.round(rate.bytesPerSecond),
          tokensPerSecond: Math.round(rate.tokensPerSecond),
          secondsLeft: rate.secondsLeft === undefined
            ? null
            : Math.round(10 * rate.secondsLeft) / 10,
        };
        return this.event({ ...event, units, totalBytes, ...rounded });
      }
      case "committed":
        return this.event({ event: event.event, name: event.name, ...event.commit });
      case "bad-line":
        return this.event({ event: event.event, unit: event.unit, ...event.line });
      default:
        return this.event(event);
    }
  }

  /** Written at once, so that the reader knows it at once. */
  event(event: object): void {
    const bytes = Buffer.from(`${JSON.stringify(event)}\n`);
    for (let at = 0; at < bytes.length && !this.#isClosed;) {
      try {
        at += fs.writeSync(1, bytes, at);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        // The reader is gone, as `head` goes. The corpus is still wanted.
        if (code === "EPIPE") this.#isClosed = true;
        else if (code === "EAGAIN") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
        else throw error;
      }
    }
  }

  stop(): void {}
}
