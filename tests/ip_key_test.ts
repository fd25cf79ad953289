/** Keys of addresses: one for a client, however its address is written. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ipKey } from "../mod.ts";
import { any } from "./support/limiter.ts";

describe("ipKey", () => {
  it("is one for an IPv6 /64, and for all ways of writing an address", () => {
    for (
      const address of [
        "2001:db8:1:2::",
        "2001:db8:1:2:aaaa:bbbb:cccc:dddd",
        "2001:DB8:1:2:0:0:0:1",
        "2001:0db8:0001:0002::1",
        "2001:db8:1:2::192.0.2.7",
        "[2001:db8:1:2::1]",
        "[2001:db8:1:2::1]:443",
        "2001:db8:1:2::1%eth0",
      ]
    ) assert.equal(ipKey(address), "2001:db8:1:2::/64", address);
    assert.equal(ipKey("2001:db8:1:3::1"), "2001:db8:1:3::/64");
    assert.equal(ipKey("::1"), "::/64");
    assert.equal(ipKey("::"), "::/64");
    assert.equal(ipKey("fe80::1%25en0"), "fe80::/64");
  });

  it("is as long a prefix as it is told", () => {
    const address = "2001:db8:1234:5678:9abc::1";
    const of = (v6Prefix: number) => ipKey(address, { v6Prefix });
    assert.equal(of(128), "2001:db8:1234:5678:9abc::1");
    assert.equal(of(127), "2001:db8:1234:5678:9abc::/127");
    assert.equal(of(56), "2001:db8:1234:5600::/56");
    assert.equal(of(48), "2001:db8:1234::/48");
    assert.equal(of(35), "2001:db8::/35");
    assert.equal(of(36), "2001:db8:1000::/36");
    assert.equal(of(1), "::/1");
    assert.equal(ipKey("8000::", { v6Prefix: 1 }), "8000::/1");
  });

  it("is the IPv4 address, also where it comes inside of IPv6", () => {
    for (
      const address of [
        "1.2.3.4",
        "1.2.3.4:8080",
        "::ffff:1.2.3.4",
        "::FFFF:102:304",
        "0:0:0:0:0:ffff:1.2.3.4",
        "[::ffff:1.2.3.4]:80",
      ]
    ) assert.equal(ipKey(address, { v6Prefix: 48 }), "1.2.3.4", address);
    assert.equal(ipKey("255.255.255.255"), "255.255.255.255");
    assert.equal(ipKey("0.0.0.0"), "0.0.0.0");
    // Addresses of networks that translate are not those of IPv4.
    assert.equal(ipKey("64:ff9b::1.2.3.4"), "64:ff9b::/64");
  });

  it("refuses what is no address", () => {
    for (
      const address of [
        "",
        " ",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "01.2.3.4",
        "1.2.3.4 ",
        "0x7f.0.0.1",
        "2130706433",
        "1.2.3.4:port",
        "localhost",
        ":::",
        "1::2::3",
        "12345::",
        "::1%",
        "::1]",
        "[::1",
        "[1.2.3.4]x",
        "::1/64",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "::1@host",
        "unknown",
      ]
    ) {
      assert.throws(
        () => ipKey(address),
        (error) =>
          error instanceof RangeError && error.message.includes("address must be an IP address"),
        JSON.stringify(address),
      );
    }
    assert.throws(() => ipKey(any(undefined)), /TypeError: address must be a string, not undef/);
    for (const v6Prefix of [0, 129, 64.5, NaN]) {
      assert.throws(() => ipKey("::1", { v6Prefix }), /RangeError: v6Prefix must be an integer/);
    }
    assert.throws(() => ipKey("::1", any({ v6Prefix: "64" })), /TypeError: v6Prefix must be a/);
    assert.throws(() => ipKey("::1", any({ v4Prefix: 24 })), /TypeError: .* "v4Prefix"/);
  });

  it("has exactly the first bits of any address, and never throws otherwise than so", () => {
    const bits = (groups: readonly number[]) =>
      groups.map((group) => group.toString(2).padStart(16, "0")).join("");
    const read = (key: string) => {
      const [head = [], tail] = key.replace(/\/\d+$/, "").split("::").map((half) =>
        half === "" ? [] : half.split(":").map((group) => parseInt(group, 16))
      );
      if (tail === undefined) return head;
      return [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail];
    };
    fc.assert(fc.property(
      fc.array(fc.oneof(fc.constant(0), fc.nat(0xFFFF)), { minLength: 8, maxLength: 8 }),
      fc.integer({ min: 1, max: 128 }),
      (groups, v6Prefix) => {
        fc.pre(groups.slice(0, 5).some((group) => group !== 0));
        const key = ipKey(groups.map((group) => group.toString(16)).join(":"), { v6Prefix });
        const expected = bits(groups).slice(0, v6Prefix).padEnd(128, "0");
        assert.equal(bits(read(key)), expected, key);
      },
    ));
    fc.assert(fc.property(fc.stringMatching(/^[\da-f:.[\]%]{0,40}$/), (text) => {
      try {
        assert.match(ipKey(text), /^[\d.]+$|^[\da-f:]+\/64$/);
      } catch (error) {
        assert.ok(error instanceof RangeError, String(error));
      }
    }));
  });
});
