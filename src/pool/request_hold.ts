/**
 * The caller's side of a request in flight: the objects that wait for the response refer to it.
 *
 * @module
 */
import type { SluiceError } from "../errors.ts";
import type { Leaked } from "./leaks.ts";
import { type Cause, isTimeout } from "./blame.ts";
import type { KeptReservation, Renewable } from "./kept_reservation.ts";
import type { LeaseFailure } from "./failure.ts";
import { type HeldLease, LeaseTerm } from "./lease_term.ts";

/** The timeouts of a request, in milliseconds. */
export interface RequestTimeouts {
  /** Until the headers of the response. */
  readonly headersMs?: number | undefined;
  /** Until the next part of the body, while the caller waits for it. */
  readonly idleMs?: number | undefined;
}

/**
 * A request in flight. First the promise of the headers refers to it, and then the stream of the body. So it is
 * collected with the response, and the term of the lease ends.
 */
export class RequestHold {
  readonly #term: LeaseTerm;
  readonly #timeouts: RequestTimeouts;
  /** The caller's signals and reservation, which the term refers to weakly. This may be their only owner. */
  readonly #followed: object[] = [];
  /** The error of the request's own body. */
  #bodyError: { readonly error: unknown } | undefined;

  /**
   * Takes over a lease whose time to live, `ttlMs`, starts now.
   *
   * @param lost Is called, with `stack`, if it ends by garbage collection or by the expiry of the lease.
   */
  constructor(
    lease: HeldLease,
    ttlMs: number,
    timeouts: RequestTimeouts,
    lost: Leaked | undefined,
    stack: string,
  ) {
    this.#timeouts = timeouts;
    this.#term = new LeaseTerm(this, lease, ttlMs, lost, stack);
  }

  /** The signal of the request, which follows those of the caller. */
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

  /** The error of later reads, if the lease has expired. */
  get loss(): SluiceError | undefined {
    return this.#term.loss;
  }

  /** The request is about to be sent, and the wait for its headers starts. */
  send(): void {
    this.#term.send(this.#timeouts.headersMs);
  }

  /** Renews the reservation until it ends. */
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
   * The headers reported a failure. It is passed to the pool at the end.
   *
   * @throws {TypeError | RangeError} If it is not a failure.
   */
  remember(failure: LeaseFailure): void {
    this.#term.remember(failure);
  }

  /** The headers were good, so the pool need not wait for the end of the body. */
  confirm(): void {
    this.#term.confirm();
  }

  /**
   * The next part of the body is awaited, within the idle timeout. The lease is renewed only if the caller asked
   * for that part.
   */
  awaitsUpstream(wasAsked: boolean): void {
    this.#term.awaits(this, wasAsked, this.#timeouts.idleMs);
  }

  /** The upstream has answered. The lease's time to live restarts now. */
  heardUpstream(): void {
    this.#term.heard();
  }

  /** The upstream waits for the body of the request, so a timeout is not its fault. */
  awaitsBody(): void {
    this.#term.awaitsBody();
  }

  /** A part of the request's body, or its end, has arrived. The upstream has to answer again. */
  sends(): void {
    this.#term.sends();
  }

  /** The body of the request failed, which is not the upstream's fault. */
  bodyFailed(error: unknown): void {
    this.#bodyError = { error };
    this.#term.end("request-body");
  }

  /** Ends it. Only the first call has an effect. */
  end(cause: Cause): void {
    this.#term.end(cause);
  }

  /** The body of the response failed, possibly because the request was aborted. */
  fail(error: unknown): void {
    this.#term.end(isTimeout(error) ? "timeout" : "network");
  }

  /** The error for the caller: the first cause that is known, otherwise `error`. */
  errorFor(error: unknown): unknown {
    return this.loss ?? (this.#bodyError === undefined ? error : this.#bodyError.error);
  }

  /** Ends it and aborts the request, as a signal of the caller does. */
  abort(reason: unknown): void {
    this.#term.abort(reason);
  }
}
