/**
 * A request under way, and the lease that is held for it.
 *
 * @module
 */
import type { SluiceError } from "../errors.ts";
import type { Leaked } from "./leaks.ts";
import { type Cause, isTimeout } from "./blame.ts";
import type { KeptReservation, Renewable } from "./kept_reservation.ts";
import type { Failure } from "./lease.ts";
import { type HeldLease, LeaseTerm } from "./lease_term.ts";

/** How long an upstream may be silent, in milliseconds. */
export interface Silences {
  /** Until the headers of the response. */
  readonly headersMs?: number | undefined;
  /** Until the next part of the body, while somebody reads it. */
  readonly idleMs?: number | undefined;
}

/**
 * A request as those hold it who can ask something of it: what waits for the headers, and then the
 * stream of the body. So who loses the response loses this, and the term of the lease is told.
 */
export class RequestHold {
  readonly #term: LeaseTerm;
  readonly #silences: Silences;
  /** The caller's signals and reservation, which the term knows only weakly: they may be nowhere else. */
  readonly #followed: object[] = [];
  /** What the request's own body failed with. */
  #broken: { readonly error: unknown } | undefined;

  /**
   * Takes charge of a lease whose time, `ttlMs`, begins now.
   *
   * @param lost Told if nobody ends it but the garbage collector or the end of the lease's time,
   * with `stack`.
   */
  constructor(
    lease: HeldLease,
    ttlMs: number,
    silences: Silences,
    lost: Leaked | undefined,
    stack: string,
  ) {
    this.#silences = silences;
    this.#term = new LeaseTerm(this, lease, ttlMs, lost, stack);
  }

  /** What the request is made with; it follows those of the caller. */
  get signal(): AbortSignal {
    return this.#term.signal;
  }

  /** The id of the upstream. */
  get upstream(): string {
    return this.#term.upstream;
  }

  /** Whether the lease is given back. */
  get ended(): boolean {
    return this.#term.ended;
  }

  /** Why there is no more to come, if the lease's time ran out. */
  get loss(): SluiceError | undefined {
    return this.#term.loss;
  }

  /** The request is about to be sent: from now on the headers are waited for. */
  send(): void {
    this.#term.send(this.#silences.headersMs);
  }

  /** Has the reservation renewed until it ends. */
  keep(kept: KeptReservation, reservation: Renewable): void {
    this.#followed.push(reservation);
    this.#term.keep(kept);
  }

  /** Aborts the request when `signal` aborts, if it has not ended by then. */
  follow(signal: AbortSignal): void {
    if (this.ended) return;
    if (signal.aborted) return this.#term.abort(signal.reason);
    this.#followed.push(signal);
    this.#term.follow(signal);
  }

  /**
   * The headers said that the request failed; told to the pool when it ends.
   *
   * @throws {TypeError | RangeError} if what they said is no failure.
   */
  remember(failure: Failure): void {
    this.#term.remember(failure);
  }

  /** The headers were good: others need not wait for the end of the body to see that. */
  confirm(): void {
    this.#term.confirm();
  }

  /**
   * The next part of the body is waited for: its silence is timed, and while somebody asked for it
   * the lease is renewed.
   */
  awaitsUpstream(wasAsked: boolean): void {
    this.#term.awaits(this, wasAsked, this.#silences.idleMs);
  }

  /** What was waited for came. The lease's time begins anew, and from here on it runs. */
  heardUpstream(): void {
    this.#term.heard();
  }

  /** The request's own body keeps the upstream waiting: its silence is not the upstream's. */
  awaitsBody(): void {
    this.#term.awaitsBody();
  }

  /** A part of the request's body is there, or its end: it is the upstream's turn again. */
  sends(): void {
    this.#term.sends();
  }

  /** The request's own body failed, which is no fault of the upstream's. */
  brokenBy(error: unknown): void {
    this.#broken = { error };
    this.#term.end("request-body");
  }

  /** Ends it. Of several ends the first counts. */
  end(cause: Cause): void {
    this.#term.end(cause);
  }

  /** The body of the response failed with `error`, which may be the echo of an abort. */
  fail(error: unknown): void {
    this.#term.end(isTimeout(error) ? "timeout" : "network");
  }

  /** What the caller is told for `error`: the first of the reasons that there is. */
  toldFor(error: unknown): unknown {
    return this.loss ?? (this.#broken === undefined ? error : this.#broken.error);
  }

  /** Ends it and aborts the request, as a signal of the caller's does. */
  abort(reason: unknown): void {
    this.#term.abort(reason);
  }
}
