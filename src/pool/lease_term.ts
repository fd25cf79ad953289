/**
 * The term of a lease that is held for one request: what timers, signals and the garbage collector
 * know of it.
 *
 * @module
 */
import { LONGEST_TIMER } from "../deadline.ts";
import { SluiceError } from "../errors.ts";
import { type Cause, isTimeout, verdict } from "./blame.ts";
import type { KeptReservation } from "./kept_reservation.ts";
import type { Leaked } from "./leaks.ts";
import { type Failure, type Lease, readFailure } from "./lease.ts";
import { type Holder, renewals } from "./renewals.ts";

/** More than a tick of the pool's clock, in milliseconds. */
const TICKS_MS = 10;

/** What of a {@linkcode Lease} a request needs. */
export type HeldLease = Pick<Lease, "upstream" | "release" | "fail" | "renew" | "confirm">;

/** Ends the terms of requests that nobody can ask anything of any more. */
const forgotten = new FinalizationRegistry<LeaseTerm>((term) => term.abandon());

/**
 * Gives the lease of one request back exactly once, whichever end comes first: the end of the body,
 * an error, a cancel, an abort, a timeout, the end of the lease's time, or the garbage collector.
 *
 * Timers, the caller's signals and a finalizer all have to reach a term, and they outlive what the
 * caller keeps. So from a term nothing may be reachable that can see the response: the caller's
 * closures are one scope to a JavaScript engine. What a caller made, such as signals, is referred to
 * weakly. Whether anybody can still ask for anything is seen by an object of the caller's side, the
 * `holder`, which the term refers to only while the upstream is waited for.
 */
export class LeaseTerm implements Holder, EventListenerObject {
  readonly upstream: string;
  readonly #lease: HeldLease;
  readonly #ttlMs: number;
  readonly #lost: Leaked | undefined;
  /** Where the request was made, for `lost`. */
  readonly #stack: string;
  /** Ends the request on the network. Strongly: what is found must not go on without a lease. */
  readonly #controller = new AbortController();
  /** What waits for the upstream. */
  #waiting: object | undefined;
  /** The caller's signals that are listened to. */
  readonly #signals: WeakRef<AbortSignal>[] = [];
  /** What pays for the request, and is known only weakly too. */
  #kept: KeptReservation | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** What the headers said, if it was bad. */
  #failure: Failure | undefined;
  /** Whether the upstream has a part in how it ends. */
  #isSent = false;
  /** Whether the request's own body keeps the upstream waiting. */
  #awaitsBody = false;
  #headersMs: number | undefined;
  #isAnswered = false;
  #loss: SluiceError | undefined;
  #ended = false;

  /**
   * Begins now.
   *
   * @param holder When the garbage collector takes it, nobody can ask for anything any more.
   * @param lost Told if nobody ends it but the garbage collector or the end of the lease's time.
   */
  constructor(
    holder: object,
    lease: HeldLease,
    ttlMs: number,
    lost: Leaked | undefined,
    stack: string,
  ) {
    this.upstream = lease.upstream;
    this.#lease = lease;
    this.#ttlMs = ttlMs;
    this.#lost = lost;
    this.#stack = stack;
    this.#waiting = holder;
    renewals.add(this, ttlMs);
    forgotten.register(holder, this, this);
  }

  /** Aborts with the term. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether the lease is given back. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Why there is no more to come, if the lease's time ran out. */
  get loss(): SluiceError | undefined {
    return this.#loss;
  }

  /** The request is about to be sent: from now on the upstream has a part in how it ends. */
  send(limitMs: number | undefined): void {
    if (this.#ended) return;
    this.#isSent = true;
    this.#headersMs = limitMs;
    renewals.awaited(this);
    this.#timeHeaders();
  }

  /** The request's own body is waited for, and not the upstream. */
  awaitsBody(): void {
    this.#awaitsBody = true;
    if (!this.#isAnswered) clearTimeout(this.#timer);
  }

  /** A part of the request's body is there, or its end. */
  sends(): void {
    this.#awaitsBody = false;
    if (!this.#ended && !this.#isAnswered) this.#timeHeaders();
  }

  /** Renews a reservation until the term ends. */
  keep(kept: KeptReservation): void {
    this.#kept = kept;
    if (this.#ended) kept.stop();
  }

  /** Listens to a signal of the caller's until the term ends. */
  follow(signal: AbortSignal): void {
    // The object itself listens, as a closure would see what is around it.
    signal.addEventListener("abort", this, { once: true });
    this.#signals.push(new WeakRef(signal));
  }

  /** A signal of the caller's aborted. */
  handleEvent({ target }: Event): void {
    this.abort((target as AbortSignal).reason);
  }

  /** The headers said that the request failed; told to the pool when it ends. */
  remember(failure: Failure): void {
    // Checked now, where somebody can be told, and not when the body ends or is collected.
    readFailure(failure);
    this.#failure = failure;
  }

  /** The headers were good: others need not wait for the end of the body to see that. */
  confirm(): void {
    if (!this.#ended) this.#lease.confirm();
  }

  /** `holder` waits for the next part of the body, and `wasAsked` for it unless it reads ahead. */
  awaits(holder: object, wasAsked: boolean, limitMs: number | undefined): void {
    if (this.#ended) return;
    this.#waiting = holder;
    if (wasAsked) renewals.awaited(this);
    this.#time(limitMs, "the body");
  }

  /** What was waited for came. The lease's time begins anew, and from here on it runs. */
  heard(): void {
    if (this.#waiting === undefined) return;
    clearTimeout(this.#timer);
    this.#isAnswered = true;
    this.#waiting = undefined;
    renewals.heard(this);
  }

  /** Ends it, and tells the pool what the cause says of the upstream. Of several ends the first counts. */
  end(cause: Cause): void {
    if (this.#isFirstEnd()) this.#settle(cause);
  }

  /**
   * Ends it and aborts the request. A timeout of one that was sent is the upstream's fault, all else is
   * not; nor is a timeout while the upstream waits itself.
   */
  abort(reason: unknown): void {
    const isUpstreams = this.#isSent && !this.#awaitsBody && isTimeout(reason);
    this.end(isUpstreams ? "timeout" : "aborted");
    this.#controller.abort(reason);
  }

  /** The garbage collector took a request that nobody ended. */
  abandon(): void {
    if (!this.#isFirstEnd()) return;
    this.#settle("unread");
    this.#lost?.(this.upstream, this.#stack);
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
    setTimeout(() => this.#settle("unread"), TICKS_MS).unref();
    if (!wasWaiting) this.#lost?.(this.upstream, this.#stack);
  }

  #timeHeaders(): void {
    clearTimeout(this.#timer);
    this.#time(this.#headersMs, "the headers of the response");
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
    this.#waiting = undefined;
    renewals.delete(this);
    this.#kept?.stop();
    forgotten.unregister(this);
    for (const signal of this.#signals) signal.deref()?.removeEventListener("abort", this);
    this.#signals.length = 0;
    return true;
  }

  #settle(cause: Cause): void {
    const told = verdict(cause, this.#failure);
    if (typeof told === "string") this.#lease.release(told);
    else this.#lease.fail(told);
  }
}
