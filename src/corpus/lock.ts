/**
 * Advisory locks in files, with a heartbeat: one run for each share of a corpus.
 *
 * Two runs with the same share do no harm, since both write the same bytes and a rename is atomic. They waste work, so
 * the second is refused. A lock is stale if its process is gone, or is not touched.
 *
 * @module
 */
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { show, SluiceError } from "../errors.ts";
import { codeOf, createDurably, makeFolder } from "./durable.ts";
import { isRunning, startOf } from "./processes.ts";
import type { Shard } from "./shards.ts";
import { hostName, LOCK_FOLDER, temporaryName } from "./unit/names.ts";

const TOUCH_MS = 10_000;
/** A lock that is not touched for this long is stale. */
const STALE_MS = 60_000;
const LOOK_MS = 500;

/** What a lock says. */
export interface LockHolder {
  readonly pid: number;
  readonly host: string;
  /** When the process was started, as the system has it, because numbers of processes are used again. */
  readonly process: string | null;
  /** When the run was started. */
  readonly started: string;
}

/** Options of {@linkcode Lock.take}. */
export interface LockOptions {
  /** Is called with a message for people when it may take up to a minute. */
  readonly onWait?: ((message: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A lock that is held. */
export class Lock implements Disposable {
  readonly #at: string;
  readonly #text: string;
  readonly #timer: ReturnType<typeof setInterval>;

  private constructor(at: string, text: string) {
    this.#at = at;
    this.#text = text;
    this.#timer = setInterval(() => touch(at), TOUCH_MS);
    if (typeof this.#timer === "object") this.#timer.unref();
  }

  /**
   * Takes the lock of a share.
   *
   * @throws {SluiceError} `SLUICE_CORPUS_IN_USE` if another run has it.
   */
  static async take(out: string, shard: Shard, options: LockOptions = {}): Promise<Lock> {
    const at = path.join(out, LOCK_FOLDER, lockName(shard));
    const text = `${JSON.stringify(holder())}\n`;
    for (;;) {
      makeFolder(path.dirname(at));
      try {
        if (createDurably(at, text)) return new Lock(at, text);
      } catch (error) {
        // Another run removed the folder because it was empty.
        if (codeOf(error) === "ENOENT") continue;
        throw error;
      }
      const old = read(at);
      if (old === undefined) continue;
      if (await isHeld(at, old, options)) throw inUse(out, shard, old.holder);
      remove(at, old.text);
    }
  }

  /** Releases it. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    try {
      remove(this.#at, this.#text);
      fs.rmdirSync(path.dirname(this.#at));
    } catch {
      // Other locks are there, or the folder is gone.
    }
  }
}

/** The locks of a folder but that of `own`, as far as they seem to be held. */
export function otherLocks(out: string, own: Shard): (LockHolder & { readonly name: string })[] {
  const folder = path.join(out, LOCK_FOLDER);
  return listed(folder).filter((name) => name.endsWith(".json") && name !== lockName(own)).flatMap(
    (name) => {
      const lock = read(path.join(folder, name));
      if (lock?.holder === undefined || lock.age > STALE_MS || isGone(lock.holder)) return [];
      return [{ ...lock.holder, name: name.slice(0, -".json".length).replace("-of-", "/") }];
    },
  );
}

interface Read {
  readonly text: string;
  /** Undefined if the file is damaged. */
  readonly holder: LockHolder | undefined;
  readonly touched: number;
  readonly age: number;
}

/** Whether the holder works. Where the system does not know, the lock is watched. */
async function isHeld(at: string, lock: Read, { onWait, signal }: LockOptions): Promise<boolean> {
  const { holder } = lock;
  if (holder !== undefined) {
    if (isGone(holder)) return false;
    if (isHere(holder) && holder.process !== null) return true; // The very process is there.
  }
  onWait?.(
    `${at} may be of a run that was killed: waiting up to ${STALE_MS / 1000} s for a sign of life`,
  );
  // The clock of the machine that touches it may differ, so its changes count and not its age.
  for (const end = performance.now() + STALE_MS; performance.now() < end;) {
    await pause(signal);
    const now = read(at);
    if (now === undefined) return false;
    if (now.text !== lock.text || now.touched !== lock.touched) return true;
  }
  return false;
}

/** Waits before the next look. Throws the reason of `signal`, which the timer would wrap. */
async function pause(signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(LOOK_MS, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

/** Whether the process is certainly gone. */
function isGone(holder: LockHolder): boolean {
  if (!isHere(holder)) return false;
  // A container that starts again has the same name and numbers.
  if (holder.pid === process.pid) return holder.process !== startOf(process.pid);
  const now = startOf(holder.pid);
  if (holder.process !== null && startOf(process.pid) !== null) return now !== holder.process;
  return isRunning(holder.pid) === false;
}

function isHere({ host }: LockHolder): boolean {
  const here = hostName();
  return here !== "" && host === here;
}

/** Removes the lock if it still is the one with this text. */
function remove(at: string, text: string): void {
  const name = path.basename(at, ".json");
  const aside = path.join(path.dirname(at), temporaryName(name)(".old"));
  try {
    if (fs.readFileSync(at, "utf8") !== text) return;
    // Someone else may have replaced it meanwhile, so it is read where no one else can replace it.
    fs.renameSync(at, aside);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw error;
  }
  if (fs.readFileSync(aside, "utf8") !== text) fs.renameSync(aside, at);
  else fs.rmSync(aside, { force: true });
}

function read(at: string): Read | undefined {
  try {
    const text = fs.readFileSync(at, "utf8");
    const touched = fs.statSync(at).mtimeMs;
    return { text, holder: parse(text), touched, age: Date.now() - touched };
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function parse(text: string): LockHolder | undefined {
  try {
    const holder = JSON.parse(text) as LockHolder | null;
    return typeof holder?.pid === "number" ? holder : undefined;
  } catch {
    return undefined;
  }
}

function touch(at: string): void {
  try {
    const now = new Date();
    fs.utimesSync(at, now, now);
  } catch {
    // Another run took it and does the same work, which is harmless.
  }
}

function holder(): LockHolder {
  return {
    pid: process.pid,
    host: hostName(),
    process: startOf(process.pid),
    started: new Date().toISOString(),
  };
}

function inUse(out: string, { index, count }: Shard, holder: LockHolder | undefined): SluiceError {
  const who = holder === undefined
    ? "another run"
    : `process ${holder.pid} on ${show(holder.host)}, started ${holder.started},`;
  const share = count === 1 ? "" : ` at share ${index}/${count}`;
  return new SluiceError(
    "SLUICE_CORPUS_IN_USE",
    `${who} works in ${out}${share}. Wait for it, or give --shard i/n to share the work`,
  );
}

function lockName({ index, count }: Shard): string {
  return `${index}-of-${count}.json`;
}

function listed(folder: string): string[] {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
  }
}
