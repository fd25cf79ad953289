/**
 * A `fetch` that holds a lease until the body of the response ends.
 *
 * @module
 */
import { checkFunction, checkPositive } from "../arguments.ts";
import { unlessAborted } from "../deadline.ts";
import { show } from "../errors.ts";
import { isDecoded } from "../ffi/decoded_body.ts";
import { fetchFault } from "../ffi/fetch_errors.ts";
import { checkKnown, type Known } from "../known_options.ts";
import { type Cause, isTimeout } from "./blame.ts";
import { failureFrom, failureOf, type LeaseFailure } from "./failure.ts";
import { KeptReservation, type Renewable } from "./kept_reservation.ts";
import type { Leaked } from "./leaks.ts";
import type { HeldLease } from "./lease_term.ts";
import { hasBody, leasedResponse } from "./leased_response.ts";
import {
  canBeMade,
  isLocal,
  type MakeRequest,
  type ReadyRequest,
  readyRequest,
} from "./made_request.ts";
import type { AcquireOptions } from "./options.ts";
import { RequestHold } from "./request_hold.ts";
import { type PeekBody, ResponseBody } from "./response_body.ts";
import { ACQUIRE } from "./settings.ts";

/** Options of {@linkcode UpstreamPool.fetch}. */
export interface PoolFetchOptions extends AcquireOptions {
  /** Aborts while queued, before the headers or in the body. The signal of the request does so as well. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Further options of `fetch`, by upstream. This is the place for options that give an upstream its own
   * sockets: `session`, a `Bun.FetchSession`, `client`, a `Deno.HttpClient`, or in Node.js `dispatcher`, one of
   * undici. Make those once and not for every call. `signal` is ignored; use {@linkcode PoolFetchOptions.signal}.
   */
  readonly init?: ((upstream: string) => RequestInit) | undefined;
  /**
   * A function to call instead of the global `fetch`.
   *
   * @default The global `fetch`.
   */
  readonly fetch?:
    | ((request: Request | URL | string, init: RequestInit) => Promise<Response>)
    | undefined;
  /**
   * How long the upstream may take until the headers, in milliseconds, from the time the request is sent. After
   * that the request is aborted with a `TimeoutError`, and counts as failed.
   *
   * @default Infinity
   */
  readonly headersTimeoutMs?: number | undefined;
  /**
   * How long the upstream may send nothing while the body is read, in milliseconds. After that the body fails
   * with a `TimeoutError`, and the request counts as failed.
   *
   * @default Infinity
   */
  readonly idleTimeoutMs?: number | undefined;
  /**
   * A reservation of a limiter for this request. It is renewed according to its own `ttlMs` until the lease is
   * given back, so a stream may take longer than that. The caller settles it, also if the call fails. A
   * reservation that has expired stays expired, and the request continues.
   */
  readonly reservation?: Renewable | undefined;
  /**
   * Returns how the upstream failed, or undefined if it did not; or a promise of either. A `Response` is read as
   * in `lease.fail`. If an API reports failures in the body, use `peek`, which does not consume it. If `classify`
   * throws, or returns something that is not a failure, the request is aborted and the call fails.
   *
   * @default 429, 500 and above are failures, with their `Retry-After`.
   */
  readonly classify?:
    | ((
      response: Response,
      peek: PeekBody,
    ) => LeaseFailure | Response | undefined | Promise<LeaseFailure | Response | undefined>)
    | undefined;
}

const OPTIONS: Known<PoolFetchOptions> = {
  ...ACQUIRE,
  init: true,
  fetch: true,
  headersTimeoutMs: true,
  idleTimeoutMs: true,
  reservation: true,
  classify: true,
};

/** The part of a pool that a fetch needs. */
export interface LeaseSource {
  /** The time to live of a lease. */
  readonly leaseTtlMs: number;
  acquire(options: AcquireOptions): Promise<HeldLease>;
}

/**
 * See {@linkcode UpstreamPool.fetch}.
 *
 * @param leaked Is called, with the stack of the call, for each body that was garbage-collected or not read
 * before its lease expired. Costs one stack per call.
 */
export async function leasedFetch(
  pool: LeaseSource,
  makeRequest: MakeRequest,
  options: PoolFetchOptions = {},
  leaked?: Leaked,
): Promise<Response> {
  check(makeRequest, options);
  const stack = leaked === undefined ? "" : new Error("fetched here").stack ?? "";
  const { reservation } = options;
  const kept = reservation === undefined ? undefined : new KeptReservation(reservation);
  let lease: HeldLease;
  try {
    lease = await pool.acquire(acquireOptions(options));
  } catch (error) {
    kept?.stop();
    throw error;
  }
  const timeouts = { headersMs: options.headersTimeoutMs, idleMs: options.idleTimeoutMs };
  const hold = new RequestHold(lease, pool.leaseTtlMs, timeouts, leaked, stack);
  if (kept !== undefined) hold.keep(kept, reservation!);
  if (options.signal !== undefined) hold.follow(options.signal);
  let request: ReadyRequest;
  try {
    const made = Promise.resolve(makeRequest(hold.upstream));
    const isForeign = options.fetch !== undefined;
    const input = await unlessAborted(made, hold.signal);
    request = readyRequest(input, options.init?.(hold.upstream), hold, isForeign);
  } catch (error) {
    hold.end("unsent");
    throw error;
  }
  const response = await send(request, hold, options.fetch);
  return await judge(response, request, hold, options.classify);
}

async function send(
  request: ReadyRequest,
  hold: RequestHold,
  own: PoolFetchOptions["fetch"],
): Promise<Response> {
  hold.send();
  try {
    const response = await (own ?? globalThis.fetch)(request.input, request.init);
    hold.heardUpstream();
    return response;
  } catch (error) {
    hold.end(causeOf(error, request, own !== undefined));
    throw hold.errorFor(error);
  }
}

/** Classifies the response, and makes the one for the caller. */
async function judge(
  response: Response,
  request: ReadyRequest,
  hold: RequestHold,
  classify: PoolFetchOptions["classify"],
): Promise<Response> {
  try {
    if (typeof (response as Partial<Response> | undefined)?.status !== "number") {
      throw new TypeError(`options.fetch must return a Response, not ${show(response)}`);
    }
    const isDecoded = hasDecodedBody(response, request);
    let body: ResponseBody | undefined;
    const take = () => body ??= hasBody(response) ? bodyOf(response, hold) : undefined;
    const failure = classify === undefined ? failureOf(response) : await unlessAborted(
      Promise.resolve(classify(response, async (...how) => await take()?.peek(...how) ?? "")),
      hold.signal,
    );
    if (failure === undefined) hold.confirm();
    else hold.remember(failureFrom(failure));
    const left = take();
    left?.handOn();
    return leasedResponse(response, left, hold, isDecoded);
  } catch (error) {
    hold.end("unclassified");
    hold.abort(error);
    throw hold.errorFor(error);
  }
}

function bodyOf({ body }: Response, hold: RequestHold): ResponseBody {
  if (body!.locked) {
    throw new TypeError(
      "options.classify must not read the response: use peek, its second argument",
    );
  }
  return new ResponseBody(body!, hold);
}

/** Why `fetch` rejected. An unknown error of the caller's own client counts as a network error. */
function causeOf(error: unknown, request: ReadyRequest, isForeign: boolean): Cause {
  if (isTimeout(error)) return "timeout";
  if (!isForeign && isLocal(request)) return "unsent";
  const fault = fetchFault(error, request.hasBody);
  if (fault !== undefined) return fault;
  if (!canBeMade(request)) return "unsent";
  return isForeign || !request.hasBody ? "network" : "request-body";
}

/** Whether the runtime has decoded the body. A response without a URL was made by the caller, not fetched. */
function hasDecodedBody({ headers, url, body }: Response, { input, init }: ReadyRequest): boolean {
  const coding = headers.get("content-encoding");
  if (coding === null || body === null || url === "") return false;
  const asked = init.headers ?? (input instanceof Request ? input.headers : undefined);
  return isDecoded(coding, new Headers(asked), init);
}

/** The options of `acquire`, which refuses others. */
function acquireOptions({ signal, priority, prefer, timeoutMs }: PoolFetchOptions): AcquireOptions {
  return { signal, priority, prefer, timeoutMs };
}

function check(makeRequest: unknown, options: PoolFetchOptions): void {
  checkFunction("makeRequest", makeRequest);
  checkKnown<PoolFetchOptions>("options", options, OPTIONS);
  for (const name of ["init", "fetch", "classify"] as const) {
    const value: unknown = options[name];
    if (value !== undefined) checkFunction(`options.${name}`, value);
  }
  for (const name of ["headersTimeoutMs", "idleTimeoutMs"] as const) {
    const value: unknown = options[name];
    if (value !== undefined) checkPositive(`options.${name}`, value);
  }
}
