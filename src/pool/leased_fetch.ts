/**
 * A `fetch` that holds a lease until the body of the response ends.
 *
 * @module
 */
import { unlessAborted } from "../deadline.ts";
import { show } from "../errors.ts";
import { isDecoded } from "../ffi/decoded_body.ts";
import type { Leaked } from "./leaks.ts";
import type { Failure } from "./lease.ts";
import { leasedResponse } from "./leased_response.ts";
import type { AcquireOptions } from "./options.ts";
import type { HeldLease } from "./lease_term.ts";
import { RequestHold } from "./request_hold.ts";
import { retryAfterMs } from "../http/retry_after.ts";
import { checkObject } from "./settings.ts";

/** Makes the request for the upstream of that id. */
export type MakeRequest = (upstream: string) => Request | URL | string | Promise<Request>;

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
   * What a response says of its upstream: how it failed, or undefined if it did not. If it throws,
   * or returns what is no failure, the request is aborted and so is the call.
   *
   * @default Every status of 429 and of 500 and above is a failure, with its `Retry-After`.
   */
  readonly classify?: (response: Response) => Failure | undefined;
}

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
  const lease = await pool.acquire(options);
  const silences = { headersMs: options.headersTimeoutMs, idleMs: options.idleTimeoutMs };
  const hold = new RequestHold(lease, pool.leaseTtlMs, silences, leaked, stack);
  if (options.signal !== undefined) hold.follow(options.signal);
  let request: Awaited<ReturnType<MakeRequest>>;
  let init: RequestInit | undefined;
  try {
    const made = Promise.resolve(makeRequest(hold.upstream));
    request = await unlessAborted(made, hold.signal);
    init = options.init?.(hold.upstream);
  } catch (error) {
    // Nothing was sent, so the upstream has no part in it.
    hold.cancel();
    throw error;
  }
  return await send(request, init, hold, options);
}

async function send(
  request: Request | URL | string,
  init: RequestInit | undefined,
  hold: RequestHold,
  { fetch = globalThis.fetch, classify = failureOf }: FetchOptions,
): Promise<Response> {
  // A signal in `init` replaces the request's own, which has to be followed too.
  if (request instanceof Request) hold.follow(request.signal);
  hold.send();
  let response: Response;
  try {
    response = await fetch(request, { ...init, signal: hold.signal });
  } catch (error) {
    hold.fail(error);
    throw hold.loss ?? error;
  }
  hold.heardUpstream();
  try {
    if (typeof (response as Partial<Response> | undefined)?.status !== "number") {
      throw new TypeError(`options.fetch must return a Response, not ${show(response)}`);
    }
    const failure = classify(response);
    if (failure === undefined) hold.confirm();
    else hold.remember(failure);
    return leasedResponse(response, hold, hasDecodedBody(response, request, init));
  } catch (error) {
    hold.abort(error);
    throw error;
  }
}

/** Whether the runtime has decoded the body. What a caller made itself, which has no URL, is as it is. */
function hasDecodedBody(
  { headers, url, body }: Response,
  request: Request | URL | string,
  init: RequestInit | undefined,
): boolean {
  const coding = headers.get("content-encoding");
  if (coding === null || body === null || url === "") return false;
  const asked = init?.headers ?? (request instanceof Request ? request.headers : undefined);
  return isDecoded(coding, new Headers(asked), init);
}

/** 429 and 500 and above; 529 is how Anthropic says that it is overloaded. */
function failureOf({ status, headers }: Response): Failure | undefined {
  if (status !== 429 && status < 500) return undefined;
  const rest = retryAfterMs(headers);
  return rest === undefined ? { status } : { status, retryAfterMs: rest };
}

function check(makeRequest: unknown, options: FetchOptions): void {
  if (typeof makeRequest !== "function") {
    throw new TypeError(`makeRequest must be a function, not ${show(makeRequest)}`);
  }
  checkObject("options", options);
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
