/**
 * A lease held for one request, until it ends in one way or another.
 *
 * @module
 */
import { LONGEST_TIMER } from "../deadline.ts";
import { SluiceError } from "../errors.ts";
import { type Failure, type Lease, readFailure } from "./lease.ts";
import { type Holder, renewals } from "./renewals.ts";

/** More than a tick of the pool's clock, in milliseconds. */
const TICKS_MS = 10;

/** What of a {@linkcode Lease} a request needs. */
export type HeldLease = Pick<Lease, "upstream" | "release" | "fail" | "renew" | "confirm">;

/** How long an upstream may be silent, in milliseconds. */
export interface Silences {
  /** Until the headers of the response. */
  readonly headersMs?: number | undefined;
  /** Until the next part of the body, while somebody reads it. */
  readonly idleMs?: number | undefined;
}

/**
 * Holds the lease of one request and gives it back exactly once, whichever end comes first: the end
 * of the body, an error, a cancel, an abort, a timeout, the end of the lease's time, or the garbage
 * collector.
 *
 * It also owns the request's `AbortSignal`, which follows those of the caller. The listeners are
 * taken off theirs at the end, so that a signal that outlives many requests does not collect them.
 */
export class RequestHold implements Holder {
  /** What the request is made with. */
  readonly signal: AbortSignal;
  readonly #lease: HeldLease;
  readonly #ttlMs: number;
  readonly #silences: Silences;
  readonly #lost: () => void;
  readonly #controller = new AbortController();
  readonly #unfollow: (() => void)[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** What the headers said, if it was bad. */
  #failure: Failure | undefined;
  /** Whether the upstream has a part in how it ends. */
  #isSent = false;
  #loss: SluiceError | undefined;
  #ended = false;

  /**
   * Takes charge of a lease whose time, `ttlMs`, begins now.
   *
   * @param lost Called if nobody ends it but the garbage collector or the end of the lease's time.
   */
  constructor(lease: HeldLease, ttlMs: number, silences: Silences, lost: () => void) {
    this.#lease = lease;
    this.#ttlMs = ttlMs;
    this.#silences = silences;
    this.#lost = lost;
    this.signal = this.#controller.signal;
    renewals.add(this, ttlMs);
  }

  /** The id of the upstream. */
  get upstream(): string {
    return this.#lease.upstream;
  }

  /** Whether the lease is given back. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Why there is no more to come, if the lease's time ran out. */
  get loss(): SluiceError | undefined {
    return this.#loss;
  }

  /** The request is about to be sent: from now on the headers are waited for. */
  send(): void {
    if (this.#ended) return;
    this.#isSent = true;
    renewals.awaited(this);
    this.#time(this.#silences.headersMs, "the headers of the response");
  }

  /** Aborts the request when `signal` aborts, if it has not ended by then. */
  follow(signal: AbortSignal): void {
    if (this.#ended) return;
    if (signal.aborted) return this.abort(signal.reason);
    const abort = () => this.abort(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    this.#unfollow.push(() => signal.removeEventListener("abort", abort));
  }

  /**
   * The headers said that the request failed; told to the pool when it ends.
   *
   * @throws {TypeError | RangeError} if what they said is no failure.
   */
  remember(failure: Failure): void {
    // Now, where somebody can be told, and not when the body ends or is collected.
    readFailure(failure);
    this.#failure = failure;
  }

  /** The headers were good: others need not wait for the end of the body to see that. */
  confirm(): void {
    if (!this.#ended) this.#lease.confirm();
  }

  /**
   * The next part of the body is waited for: its silence is timed, and while somebody asked for it
   * the lease is renewed.
   */
  awaitsUpstream(wasAsked: boolean): void {
    if (this.#ended) return;
    if (wasAsked) renewals.awaited(this);
    this.#time(this.#silences.idleMs, "the body");
  }

  /** What was waited for came. The lease's time begins anew, and from here on it runs. */
  heardUpstream(): void {
    clearTimeout(this.#timer);
    renewals.heard(this);
  }

  /** The body was read to its end, or it has none. */
  end(): void {
    if (this.#isFirstEnd()) this.#settle(this.#failure);
  }

  /** Whoever asked lost interest: nothing is known of the upstream but what the headers said. */
  cancel(): void {
    if (this.#isFirstEnd()) this.#settle(this.#failure, "unknown");
  }

  /** `fetch` or the body failed with `error`, which may be the echo of an abort. */
  fail(error: unknown): void {
    if (!this.#isFirstEnd()) return;
    this.#settle(this.#failure ?? (isTimeout(error) ? { timedOut: true } : {}));
  }

  /** The garbage collector took a body that nobody read to its end. */
  abandon(): void {
    if (!this.#isFirstEnd()) return;
    this.#settle(this.#failure, "unknown");
    this.#lost();
    this.#controller.abort(new DOMException("The response was never read", "AbortError"));
  }

  /** @inheritdoc */
  renew(): boolean {
    return this.#lease.renew();
  }

  /** @inheritdoc */
  lose(wasWaiting: boolean): void {
    if (!this.#isFirstEnd()) return;
    const why = wasWaiting
      ? "it was not renewed in time"
      : this.#isSent
      ? "nobody read on"
      : "makeRequest did not end";
    const message =
      `The lease of ${this.upstream} ended after leaseTtlMs, ${this.#ttlMs} ms: ${why}`;
    this.#loss = new SluiceError("SLUICE_STALE_LEASE", message);
    this.#controller.abort(this.#loss);
    // The pool's own clock may be a tick behind. It is to see by itself that the lease expired, and
    // the upstream that the request ended, before another is sent.
    setTimeout(() => this.#settle(this.#failure, "unknown"), TICKS_MS).unref();
    if (!wasWaiting) this.#lost();
  }

  /** Aborts the request. A timeout of one that was sent is the upstream's fault, all else is not. */
  abort(reason: unknown): void {
    if (this.#isSent && isTimeout(reason)) this.fail(reason);
    else this.cancel();
    this.#controller.abort(reason);
  }

  #time(limitMs: number | undefined, what: string): void {
    if (limitMs === undefined || limitMs === Infinity) return;
    const message = `${this.upstream} sent nothing of ${what} for ${limitMs} ms`;
    this.#timer = setTimeout(
      () => this.abort(new DOMException(message, "TimeoutError")),
      Math.min(limitMs, LONGEST_TIMER),
    );
  }

  #isFirstEnd(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    clearTimeout(this.#timer);
    renewals.delete(this);
    for (const unfollow of this.#unfollow) unfollow();
    this.#unfollow.length = 0;
    return true;
  }

  #settle(failure: Failure | undefined, otherwise: "ok" | "unknown" = "ok"): void {
    if (failure !== undefined) this.#lease.fail(failure);
    else this.#lease.release(otherwise);
  }
}

function isTimeout(reason: unknown): boolean {
  return (reason as { name?: unknown } | null | undefined)?.name === "TimeoutError";
}
