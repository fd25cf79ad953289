/**
 * The state machine of a lease that is held for one request, as timers, signals and the finalizer refer to it.
 *
 * @module
 */
import { LONGEST_TIMER } from "../deadline.ts";
import { SluiceError } from "../errors.ts";
import { type Cause, isTimeout, verdict } from "./blame.ts";
import type { KeptReservation } from "./kept_reservation.ts";
import type { Leaked } from "./leaks.ts";
import { type LeaseFailure, readFailure } from "./failure.ts";
import type { Lease } from "./lease.ts";
import { type Holder, renewals } from "./renewals.ts";

/** Longer than a tick of the pool's clock, in milliseconds. */
const TICKS_MS = 10;

/** The part of a {@linkcode Lease} that a request needs. */
export type HeldLease = Pick<Lease, "upstream" | "release" | "fail" | "renew" | "confirm">;

/** Ends the terms of requests whose response is not reachable any more. */
const forgotten = new FinalizationRegistry<LeaseTerm>((term) => term.abandon());

/**
 * Gives the lease of one request back exactly once, at the first of these: the end of the body, an error, a
 * cancel, an abort, a timeout, the expiry of the lease, or garbage collection.
 *
 * Timers, the caller's signals and a finalizer refer to a term, and live longer than the caller's objects. So
 * the response must not be reachable from a term. A JavaScript engine keeps one scope for all closures of a
 * function, so a term refers to objects of the caller, such as signals, weakly. An object on the caller's side,
 * the `holder`, shows whether the response is still reachable. The term refers to it only while the caller waits
 * for the upstream.
 */
export class LeaseTerm implements Holder, EventListenerObject {
  readonly upstream: string;
  readonly #lease: HeldLease;
  readonly #ttlMs: number;
  readonly #lost: Leaked | undefined;
  /** The stack of the request, for `lost`. */
  readonly #stack: string;
  /** Aborts the request. Held strongly: an abandoned request must not continue without a lease. */
  readonly #controller = new AbortController();
  /** The holder, while it waits for the upstream. */
  #waiting: object | undefined;
  /** The caller's signals that it listens to. */
  readonly #signals: WeakRef<AbortSignal>[] = [];
  /** Renews the reservation of the request, which it refers to weakly. */
  #kept: KeptReservation | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The failure that the headers reported. */
  #failure: LeaseFailure | undefined;
  /** Whether the request was sent, so that the upstream can be at fault. */
  #isSent = false;
  /** Whether the upstream waits for the body of the request. */
  #awaitsBody = false;
  #headersMs: number | undefined;
  #isAnswered = false;
  #loss: SluiceError | undefined;
  #ended = false;

  /**
   * Starts now.
   *
   * @param holder Is collected when the response is not reachable any more.
   * @param lost Is called if it ends by garbage collection or by the expiry of the lease.
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

  /** Aborts when the term ends. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether the lease is given back. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The error of later reads, if the lease has expired. */
  get loss(): SluiceError | undefined {
    return this.#loss;
  }

  /** The request is about to be sent. From now on the upstream can be at fault. */
  send(limitMs: number | undefined): void {
    if (this.#ended) return;
    this.#isSent = true;
    this.#headersMs = limitMs;
    renewals.awaited(this);
    this.#timeHeaders();
  }

  /** The upstream waits for the body of the request. */
  awaitsBody(): void {
    this.#awaitsBody = true;
    if (!this.#isAnswered) clearTimeout(this.#timer);
  }

  /** A part of the request's body, or its end, has arrived. */
  sends(): void {
    this.#awaitsBody = false;
    if (!this.#ended && !this.#isAnswered) this.#timeHeaders();
  }

  /** Renews a reservation until the term ends. */
  keep(kept: KeptReservation): void {
    this.#kept = kept;
    if (this.#ended) kept.stop();
  }

  /** Listens to a signal of the caller until the term ends. */
  follow(signal: AbortSignal): void {
    // The object itself listens, because a closure would refer to its scope.
    signal.addEventListener("abort", this, { once: true });
    this.#signals.push(new WeakRef(signal));
  }

  /** A signal of the caller aborted. */
  handleEvent({ target }: Event): void {
    this.abort((target as AbortSignal).reason);
  }

  /** The headers reported a failure. It is passed to the pool at the end. */
  remember(failure: LeaseFailure): void {
    // Checked now, while the caller can be told, and not at the end of the body.
    readFailure(failure);
    this.#failure = failure;
  }

  /** The headers were good, so the pool need not wait for the end of the body. */
  confirm(): void {
    if (!this.#ended) this.#lease.confirm();
  }

  /** `holder` waits for the next part of the body. @param wasAsked False if it only reads ahead. */
  awaits(holder: object, wasAsked: boolean, limitMs: number | undefined): void {
    if (this.#ended) return;
    this.#waiting = holder;
    if (wasAsked) renewals.awaited(this);
    this.#time(limitMs, "the body");
  }

  /** The upstream has answered. The lease's time to live restarts now. */
  heard(): void {
    if (this.#waiting === undefined) return;
    clearTimeout(this.#timer);
    this.#isAnswered = true;
    this.#waiting = undefined;
    renewals.heard(this);
  }

  /** Ends it, and tells the pool what the cause means for the upstream. Only the first call has an effect. */
  end(cause: Cause): void {
    if (this.#isFirstEnd()) this.#settle(cause);
  }

  /**
   * Ends it and aborts the request. The upstream is at fault only for a timeout after the request was sent, and
   * not while the upstream waits for the body of the request.
   */
  abort(reason: unknown): void {
    const isUpstreamFault = this.#isSent && !this.#awaitsBody && isTimeout(reason);
    this.end(isUpstreamFault ? "timeout" : "aborted");
    this.#controller.abort(reason);
  }

  /** The response was garbage-collected before the request ended. */
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
      ? "the body was not read"
      : "makeRequest did not settle";
    const message =
      `The lease of ${this.upstream} expired after leaseTtlMs, ${this.#ttlMs} ms: ${why}`;
    this.#loss = new SluiceError("SLUICE_STALE_LEASE", message);
    this.#controller.abort(this.#loss);
    // The pool's clock may be a tick behind. The pool should see that the lease expired, and the upstream
    // that the request ended, before another request is sent.
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
    const outcome = verdict(cause, this.#failure);
    if (typeof outcome === "string") this.#lease.release(outcome);
    else this.#lease.fail(outcome);
  }
}
