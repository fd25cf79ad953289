/**
 * What `makeRequest` made, checked, as `fetch` is called with it.
 *
 * @module
 */
import { show } from "../errors.ts";
import type { RequestHold } from "./request_hold.ts";
import { watchedRequestBody } from "./request_body.ts";

/** What is fetched: a `Request`, or what one is made of. */
export type Made = Request | URL | string | readonly [url: URL | string, init?: RequestInit];

/** Makes the request for the upstream of that id. */
export type MakeRequest = (upstream: string) => Made | Promise<Made>;

/** A request that is ready to be sent. */
export interface ReadyRequest {
  readonly input: Request | URL | string;
  readonly init: RequestInit;
  /** Whether it may have a body. */
  readonly hasBody: boolean;
}

/** What every `fetch` may know; the rest is for one that the caller brings. */
const SCHEMES: ReadonlySet<string> = new Set(["http:", "https:", "data:", "blob:", "file:", "s3:"]);

/**
 * Checks what was made, and has `hold` follow its signal and watch its body.
 *
 * @param extra What `options.init` returned.
 * @param isForeign Whether the caller's own `fetch` takes it, which may know more than ours.
 * @throws {TypeError} naming `makeRequest`, if it made no request that can be sent.
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
  if (init.body instanceof ReadableStream) {
    if (init.body.locked) {
      throw new TypeError("makeRequest returned a body that was used before, or is being read");
    }
    init.body = watchedRequestBody(init.body, hold);
    // Demanded for streams by the standard, which leaves no other choice.
    (init as { duplex?: string }).duplex = "half";
  }
  init.signal = hold.signal;
  const method = init.method ?? (input instanceof Request ? input.method : "GET");
  return { input, init, hasBody: !/^(get|head)$/i.test(method) };
}

/** Whether a request of that URL and these options can be made at all. */
export function canBeMade({ input, init }: ReadyRequest): boolean {
  const { body: _, signal: __, ...rest } = init;
  const isGet = /^(get|head)$/i.test(init.method ?? "GET");
  if (isGet && init.body != null && !(input instanceof Request)) return false;
  try {
    // Of its parts: one that is made of a Request would use up its body.
    return new Request(input instanceof Request ? input.url : input, rest) !== undefined;
  } catch {
    return false;
  }
}

/** Whether it names something in this process or on this machine, which no upstream answers for. */
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
