/**
 * The address of a store, as in `redis://user:password@host:6379/0`.
 *
 * @module
 */
import { UsageError } from "../report.ts";

/** Where a store is, and how to log in. */
export interface StoreAddress {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  readonly user?: string;
  readonly password?: string;
  readonly database: number;
}

const DEFAULT_PORT = 6379;
/** The schemes, and whether they mean TLS. */
const SCHEMES: Readonly<Record<string, boolean>> = {
  "redis:": false,
  "valkey:": false,
  "rediss:": true,
  "valkeys:": true,
};

/**
 * Reads an address. Its errors do not repeat it, because it may have a password.
 *
 * @throws {UsageError}
 */
export function parseAddress(text: string): StoreAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isTls = SCHEMES[url?.protocol ?? ""];
  if (url === undefined || isTls === undefined || url.hostname === "") {
    throw new UsageError(
      "--redis needs a URL such as redis://localhost:6379, or rediss://user:password@host:6379/0",
    );
  }
  const database = url.pathname.replace(/^\//, "");
  if (!/^\d{0,5}$/.test(database)) {
    throw new UsageError("the path of --redis is the number of a database, such as /0");
  }
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? DEFAULT_PORT : Number(url.port),
    isTls,
    ...url.username === "" ? {} : { user: decoded("user", url.username) },
    ...url.password === "" ? {} : { password: decoded("password", url.password) },
    database: Number(database),
  };
}

function decoded(part: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new UsageError(`the ${part} of --redis must be percent-encoded`);
  }
}

/** "host:port", without user and password. */
export function nameOf({ host, port }: Pick<StoreAddress, "host" | "port">): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
