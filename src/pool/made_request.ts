/**
 * The result of `makeRequest`: checked, and turned into the arguments of `fetch`.
 *
 * @module
 */
import { show } from "../errors.ts";
import type { RequestHold } from "./request_hold.ts";
import { sourceOf, watchedRequestBody } from "./request_body.ts";

/** A request for one upstream: a `Request`, or the arguments of its constructor. */
export type UpstreamRequest =
  | Request
  | URL
  | string
  | readonly [url: URL | string, init?: RequestInit];

/** Makes the request for the upstream with this id. */
export type MakeRequest = (upstream: string) => UpstreamRequest | Promise<UpstreamRequest>;

/** The arguments of `fetch`. */
export interface ReadyRequest {
  readonly input: Request | URL | string;
  readonly init: RequestInit;
  /** Whether it may have a body. */
  readonly hasBody: boolean;
}

/** The schemes that the global `fetch` may support. A `fetch` of the caller may support others. */
const SCHEMES: ReadonlySet<string> = new Set(["http:", "https:", "data:", "blob:", "file:", "s3:"]);

/**
 * Checks a request, lets `hold` follow its signal, and wraps its body.
 *
 * @param made The result of `makeRequest`.
 * @param extra The result of `options.init`.
 * @param isForeign Whether `fetch` is the caller's own.
 * @throws {TypeError} naming `makeRequest`, if the result cannot be sent.
 */
export function readyRequest(
  made: unknown,
  extra: RequestInit | undefined,
  hold: RequestHold,
  isForeign: boolean,
): ReadyRequest {
  const [input, own] = read(made);
  if (input instanceof Request) {
    if (input.bodyUsed) {
      throw new TypeError(
        "makeRequest returned a Request whose body was used before: make a new one for each call",
      );
    }
  } else if (!isForeign) checkUrl(input);
  const init: RequestInit = { ...own, ...extra };
  // A signal in `init` replaces the request's own, which has to be followed too.
  if (input instanceof Request) hold.follow(input.signal);
  if (own?.signal) hold.follow(own.signal);
  const source = sourceOf(init.body);
  if (source !== undefined) {
    init.body = watchedRequestBody(source, hold);
    // The Fetch standard requires this value for streams.
    (init as { duplex?: string }).duplex = "half";
  }
  init.signal = hold.signal;
  const method = init.method ?? (input instanceof Request ? input.method : "GET");
  return { input, init, hasBody: !/^(get|head)$/i.test(method) };
}

/** Whether a `Request` can be constructed from this URL and these options. */
export function canBeMade({ input, init }: ReadyRequest): boolean {
  const { body: _, signal: __, ...rest } = init;
  const isGet = /^(get|head)$/i.test(init.method ?? "GET");
  if (isGet && init.body != null && !(input instanceof Request)) return false;
  try {
    // From the URL: constructing it from a `Request` would consume the body.
    return new Request(input instanceof Request ? input.url : input, rest) !== undefined;
  } catch {
    return false;
  }
}

/** Whether the URL is local to this process or machine, so that no upstream is involved. */
export function isLocal({ input }: ReadyRequest): boolean {
  return /^(blob|data|file):/i.test(input instanceof Request ? input.url : String(input));
}

function read(made: unknown): [Request | URL | string, (RequestInit | undefined)?] {
  if (typeof made === "string" || made instanceof URL || made instanceof Request) return [made];
  if (Array.isArray(made) && made.length >= 1 && made.length <= 2) {
    const [url, init] = made as unknown[];
    const isUrl = typeof url === "string" || url instanceof URL;
    const isInit = init === undefined || (typeof init === "object" && init !== null);
    if (isUrl && isInit) return [url, init as RequestInit | undefined];
  }
  throw new TypeError(
    `makeRequest must return a Request, a URL, a string or [url, init], not ${show(made)}`,
  );
}

function checkUrl(url: URL | string): void {
  if (!URL.canParse(url)) {
    throw new TypeError(`makeRequest returned ${show(url)}, which is no absolute URL`);
  }
  const { protocol } = new URL(url);
  if (!SCHEMES.has(protocol)) {
    throw new TypeError(
      `makeRequest returned ${show(String(url))}, and fetch knows no ${protocol}`,
    );
  }
}
