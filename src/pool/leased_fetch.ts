/**
 * A `fetch` that holds a lease until the body of the response ends.
 *
 * @module
 */
import { unlessAborted } from "../deadline.ts";
import { show } from "../errors.ts";
import { isDecoded } from "../ffi/decoded_body.ts";
import { fetchFault } from "../ffi/fetch_errors.ts";
import { checkKnown, type Known } from "../known_options.ts";
import { type Cause, failureOf, isTimeout } from "./blame.ts";
import { KeptReservation, type Renewable } from "./kept_reservation.ts";
import type { Leaked } from "./leaks.ts";
import { type Failure, failureFrom } from "./lease.ts";
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
import { type Peek, ResponseBody } from "./response_body.ts";
import { ACQUIRE } from "./settings.ts";

/** What {@linkcode UpstreamPool.fetch} can be asked for. */
export interface FetchOptions extends AcquireOptions {
  /**
   * Gives up, whether in line, before the headers or in the midst of the body. The request's own
   * signal is obeyed as well.
   */
  readonly signal?: AbortSignal;
  /**
   * What else `fetch` is called with, by upstream. Here goes what gives an upstream sockets of its
   * own: `session`, a `Bun.FetchSession`, or `client`, a `Deno.HttpClient`. Make those once and not
   * with every call. Its `signal` is ignored; use {@linkcode FetchOptions.signal}.
   */
  readonly init?: (upstream: string) => RequestInit;
  /**
   * What to call in place of the global `fetch`, for a client that is a function.
   *
   * @default The global `fetch`.
   */
  readonly fetch?: (request: Request | URL | string, init: RequestInit) => Promise<Response>;
  /**
   * How long the upstream may take until the headers, in milliseconds, from when the request is
   * sent. Then the request is aborted with a `TimeoutError`, and counts as failed.
   *
   * @default Infinity
   */
  readonly headersTimeoutMs?: number;
  /**
   * How long the upstream may be silent in the midst of the body while somebody reads it, in
   * milliseconds. Then the body fails with a `TimeoutError`, and the request counts as failed.
   *
   * @default Infinity
   */
  readonly idleTimeoutMs?: number;
  /**
   * A reservation of a limiter that pays for the request. It is renewed by its own `ttlMs` from the call
   * until the lease is given back, so a stream may outlast it. Then it is the caller's to settle, as it is
   * if the call fails. One that is over stays over, and the request goes on.
   */
  readonly reservation?: Renewable;
  /**
   * What a response says of its upstream: how it failed, or undefined if it did not; sync or async. A
   * `Response` says it as in `lease.fail`.
   * Some say it only in the body, under any status: `peek` looks into it and leaves it whole. If it
   * throws, or returns what is no failure, the request is aborted and so is the call.
   *
   * @default Every status of 429 and of 500 and above is a failure, with its `Retry-After`.
   */
  readonly classify?: (
    response: Response,
    peek: Peek,
  ) => Failure | Response | undefined | Promise<Failure | Response | undefined>;
}

const OPTIONS: Known<FetchOptions> = {
  ...ACQUIRE,
  init: true,
  fetch: true,
  headersTimeoutMs: true,
  idleTimeoutMs: true,
  reservation: true,
  classify: true,
};

/** What a fetch needs of a pool. */
export interface LeaseSource {
  /** How long a lease lives without being renewed. */
  readonly leaseTtlMs: number;
  acquire(options: AcquireOptions): Promise<HeldLease>;
}

/**
 * See {@linkcode UpstreamPool.fetch}, which this is.
 *
 * @param leaked Told of each unread body that the garbage collector found or whose lease ran out,
 * with the stack of the call; costs a stack for each call.
 */
export async function leasedFetch(
  pool: LeaseSource,
  makeRequest: MakeRequest,
  options: FetchOptions = {},
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
  const silences = { headersMs: options.headersTimeoutMs, idleMs: options.idleTimeoutMs };
  const hold = new RequestHold(lease, pool.leaseTtlMs, silences, leaked, stack);
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
  own: FetchOptions["fetch"],
): Promise<Response> {
  hold.send();
  try {
    const response = await (own ?? globalThis.fetch)(request.input, request.init);
    hold.heardUpstream();
    return response;
  } catch (error) {
    hold.end(causeOf(error, request, own !== undefined));
    throw hold.toldFor(error);
  }
}

/** Asks `classify` what the response says of its upstream, and makes what the caller gets. */
async function judge(
  response: Response,
  request: ReadyRequest,
  hold: RequestHold,
  classify: FetchOptions["classify"],
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
    throw hold.toldFor(error);
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

/** Why `fetch` rejected. What bears no sign is the network's if a caller's own client threw it. */
function causeOf(error: unknown, request: ReadyRequest, isForeign: boolean): Cause {
  if (isTimeout(error)) return "timeout";
  if (!isForeign && isLocal(request)) return "unsent";
  const fault = fetchFault(error, request.hasBody);
  if (fault !== undefined) return fault;
  if (!canBeMade(request)) return "unsent";
  return isForeign || !request.hasBody ? "network" : "request-body";
}

/** Whether the runtime has decoded the body. What a caller made itself, which has no URL, is as it is. */
function hasDecodedBody({ headers, url, body }: Response, { input, init }: ReadyRequest): boolean {
  const coding = headers.get("content-encoding");
  if (coding === null || body === null || url === "") return false;
  const asked = init.headers ?? (input instanceof Request ? input.headers : undefined);
  return isDecoded(coding, new Headers(asked), init);
}

/** Of the options those of `acquire`, which would refuse the others. */
function acquireOptions({ signal, priority, prefer, timeoutMs }: FetchOptions): AcquireOptions {
  return { signal, priority, prefer, timeoutMs } as AcquireOptions;
}

function check(makeRequest: unknown, options: FetchOptions): void {
  if (typeof makeRequest !== "function") {
    throw new TypeError(`makeRequest must be a function, not ${show(makeRequest)}`);
  }
  checkKnown<FetchOptions>("options", options, OPTIONS);
  for (const name of ["init", "fetch", "classify"] as const) {
    const value: unknown = options[name];
    if (value !== undefined && typeof value !== "function") {
      throw new TypeError(`options.${name} must be a function, not ${show(value)}`);
    }
  }
  for (const name of ["headersTimeoutMs", "idleTimeoutMs"] as const) {
    const value: unknown = options[name];
    if (value === undefined) continue;
    if (typeof value !== "number") {
      throw new TypeError(`options.${name} must be a number, not ${show(value)}`);
    }
    if (!(value > 0)) throw new RangeError(`options.${name} must be above 0, not ${value}`);
  }
}
