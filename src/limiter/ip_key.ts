/**
 * Canonical keys for the addresses of clients.
 *
 * The platform's parser of URLs reads IPv6 addresses: it knows every notation of them.
 *
 * @module
 */
import { checkInteger, checkString } from "../arguments.ts";
import { show } from "../errors.ts";
import { checkKnown } from "../known_options.ts";

/** The options of {@linkcode ipKey}. */
export interface IpKeyOptions {
  /**
   * The number of leading bits of an IPv6 address that make the key, from 1 to 128. A client owns all
   * addresses of its network, and the smallest network that is assigned is a /64. @default 64
   */
  readonly v6Prefix?: number | undefined;
}

const OPTIONS = { v6Prefix: true } as const;
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const IPV4_WITH_PORT = /^([\d.]+):\d{1,5}$/;
const BRACKETS = /^\[([^\]]*)\](?::\d{1,5})?$/;

/**
 * Returns a key for the address of a client: `"1.2.3.4"`, or an IPv6 network such as `"2001:db8:1:2::/64"`.
 * All notations of an address have the same key. An IPv4 address inside of IPv6 (`::ffff:1.2.3.4`) is that
 * IPv4 address. Zones (`fe80::1%eth0`), brackets and ports are dropped. O(length).
 *
 * Pass an address that clients cannot choose: that of the connection, or of a header that your own proxy sets.
 *
 * @example
 * ```ts
 * import { ipKey } from "./mod.ts";
 *
 * console.log(ipKey("2001:db8:1:2:aaaa:bbbb:cccc:dddd")); // 2001:db8:1:2::/64
 * console.log(ipKey("::ffff:192.0.2.7")); // 192.0.2.7
 * ```
 *
 * @throws {TypeError} `address` is not a string, or an option is unknown or not a number.
 * @throws {RangeError} `address` is not an IP address, or `v6Prefix` is not an integer from 1 to 128.
 */
export function ipKey(address: string, options: IpKeyOptions = {}): string {
  checkString("address", address);
  checkKnown<IpKeyOptions>("the options of ipKey()", options, OPTIONS);
  const { v6Prefix = 64 } = options;
  checkInteger("v6Prefix", v6Prefix, 1, 128);
  const bare = BRACKETS.exec(address)?.[1] ?? IPV4_WITH_PORT.exec(address)?.[1] ?? address;
  if (IPV4.test(bare)) return bare;
  const groups = groupsOf(bare);
  if (groups === undefined) {
    throw new RangeError(`address must be an IP address, not ${show(address)}`);
  }
  const [a, b, c, d, e, f, high, low] = groups as [number, ...number[]];
  if (!(a || b || c || d || e) && f === 0xFFFF) {
    return [high! >> 8, high! & 255, low! >> 8, low! & 255].join(".");
  }
  const network = groups.map((group, at) => {
    const bits = Math.min(16, Math.max(0, v6Prefix - 16 * at));
    return group & (0xFFFF << (16 - bits)) & 0xFFFF;
  });
  const text = canonical(network.map((group) => group.toString(16)).join(":"))!;
  return v6Prefix === 128 ? text : `${text}/${v6Prefix}`;
}

/** Returns the eight groups of an IPv6 address. */
function groupsOf(address: string): number[] | undefined {
  const [bare, zone] = address.split("%", 2);
  if (zone === "" || !/^[\da-f:.]+$/i.test(bare!)) return undefined;
  const text = canonical(withoutDots(bare!));
  if (text === undefined) return undefined;
  const [head, tail] = text.split("::").map((half) => half === "" ? [] : half.split(":"));
  const zeros = tail === undefined ? 0 : 8 - head!.length - tail.length;
  const all = [...head!, ...Array<string>(zeros).fill("0"), ...tail ?? []];
  return all.map((group) => parseInt(group, 16));
}

/** Rewrites an IPv4 address at the end as two groups: WebKit's parser does not accept it everywhere. */
function withoutDots(address: string): string {
  const at = address.lastIndexOf(":") + 1;
  const tail = address.slice(at);
  if (at === 0 || !IPV4.test(tail)) return address;
  const [a, b, c, d] = tail.split(".").map(Number) as [number, number, number, number];
  return `${address.slice(0, at)}${(a << 8 | b).toString(16)}:${(c << 8 | d).toString(16)}`;
}

/** Returns the canonical text of an IPv6 address (RFC 5952), or undefined if it is none. */
function canonical(address: string): string | undefined {
  const url = `http://[${address}]`;
  return URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : undefined;
}
