/**
 * Six limits in one decision: requests and tokens of a key, a user and a team.
 *
 * @module
 */
import {
  type LimiterPart,
  type Limits,
  rate,
  RateLimiter,
  reserveAll,
  takeAll,
} from "../../mod.ts";
import { type Bucket, MapGcra, OPEN, SHUT } from "./gcra.ts";
import type { Contender, Outcome } from "./rounds.ts";

/** The names, as tables show them; ours first. */
export const SIXES = [
  "sluice, takeAll over six limiters",
  "sluice, takeAll over three limiters of two limits",
  "sluice, take of one key with six limits",
  "sluice, reserveAll over six limiters, and settle",
  "six Map checks, each with its own clock, each charging at once",
  "six Map checks, one clock, all checked and then all charged",
] as const;

/** One of {@linkcode SIXES}. */
export type SixName = (typeof SIXES)[number];

const WHO = ["key-7", "user-42", "team-3"] as const;
const TOKENS = 1200;
const COST = { requests: 1, tokens: TOKENS };
const ACTUAL = { tokens: 812 };
/** Tokens come back so much faster that both limits last equally long. */
const MORE = 1e-3;

let opened = 0;

/** Only the last of the six refuses, which is the most work for all. */
function bucketsOf(outcome: Outcome): { requests: Bucket; tokens: Bucket; last: Bucket } {
  const tokens = { intervalMs: OPEN.intervalMs * MORE, burst: 1e12 };
  const last = outcome === "admitted" ? tokens : { ...SHUT, burst: TOKENS };
  return { requests: OPEN, tokens, last };
}

function limitOf(unit: string, { intervalMs, burst }: Bucket) {
  return intervalMs < 1
    ? rate({ unit, limit: 1 / intervalMs, per: "1ms", burst })
    : rate({ unit, limit: 1, per: { milliseconds: intervalMs }, burst });
}

/** The six limits, by who they are for. */
function limitsOf(outcome: Outcome) {
  const { requests, tokens, last } = bucketsOf(outcome);
  return WHO.map((who, i) => ({
    who,
    rpm: limitOf("requests", requests),
    tpm: limitOf("tokens", i === WHO.length - 1 ? last : tokens),
  }));
}

/** Opens one that admits everything, or whose last limit refuses. */
export function openSix(name: SixName, outcome: Outcome): Contender {
  switch (name) {
    case "sluice, takeAll over six limiters":
      return taking(sixParts(outcome));
    case "sluice, takeAll over three limiters of two limits":
      return takingPairs(threeParts(outcome));
    case "sluice, take of one key with six limits":
      return takingOne(outcome);
    case "sluice, reserveAll over six limiters, and settle":
      return reserving(sixParts(outcome));
    case "six Map checks, each with its own clock, each charging at once":
      return chain(outcome);
    case "six Map checks, one clock, all checked and then all charged":
      return carefulChain(outcome);
  }
}

function sixParts(outcome: Outcome): LimiterPart[] {
  return limitsOf(outcome).flatMap(({ who, rpm, tpm }) =>
    [{ rpm }, { tpm }].map((limits: Limits) => {
      const limiter = new RateLimiter({ name: `six ${opened++}`, limits });
      return { limiter, key: limiter.key(who) };
    })
  );
}

function threeParts(outcome: Outcome): LimiterPart[] {
  return limitsOf(outcome).map(({ who, rpm, tpm }) => {
    const limiter = new RateLimiter({ name: `six ${opened++}`, limits: { rpm, tpm } });
    return { limiter, key: limiter.key(who) };
  });
}

function close(parts: readonly LimiterPart[]): void {
  for (const { limiter } of parts) limiter.close();
}

function taking(parts: readonly LimiterPart[]): Contender {
  return {
    run(times) {
      let admitted = 0;
      for (let i = 0; i < times; i++) if (takeAll(parts, COST).allowed) admitted++;
      return admitted;
    },
    close: () => close(parts),
  };
}

function takingPairs(parts: readonly LimiterPart[]): Contender {
  return {
    run(times) {
      let admitted = 0;
      for (let i = 0; i < times; i++) if (takeAll(parts, COST).allowed) admitted++;
      return admitted;
    },
    close: () => close(parts),
  };
}

function takingOne(outcome: Outcome): Contender {
  const limits = Object.fromEntries(
    limitsOf(outcome).flatMap(({ who, rpm, tpm }) => [[`${who} rpm`, rpm], [`${who} tpm`, tpm]]),
  );
  const limiter = new RateLimiter({ name: `six ${opened++}`, limits });
  const key = limiter.key(WHO[0]);
  return {
    run(times) {
      let admitted = 0;
      for (let i = 0; i < times; i++) if (limiter.take(key, COST).allowed) admitted++;
      return admitted;
    },
    close: () => limiter.close(),
  };
}

function reserving(parts: readonly LimiterPart[]): Contender {
  return {
    run(times) {
      let admitted = 0;
      for (let i = 0; i < times; i++) {
        const reserved = reserveAll(parts, COST);
        if (!reserved.allowed) continue;
        reserved.settle(ACTUAL);
        admitted++;
      }
      return admitted;
    },
    close: () => close(parts),
  };
}

interface Six {
  readonly keyRequests: MapGcra;
  readonly keyTokens: MapGcra;
  readonly userRequests: MapGcra;
  readonly userTokens: MapGcra;
  readonly teamRequests: MapGcra;
  readonly teamTokens: MapGcra;
}

function maps(outcome: Outcome): Six {
  const { requests, tokens, last } = bucketsOf(outcome);
  return {
    keyRequests: new MapGcra(requests),
    keyTokens: new MapGcra(tokens),
    userRequests: new MapGcra(requests),
    userTokens: new MapGcra(tokens),
    teamRequests: new MapGcra(requests),
    teamTokens: new MapGcra(last),
  };
}

/** What gateways have: a refusal by the sixth has spent the first five. */
function chain(outcome: Outcome): Contender {
  const six = maps(outcome);
  const [key, user, team] = WHO;
  return {
    run(times) {
      let admitted = 0;
      for (let i = 0; i < times; i++) {
        if (
          six.keyRequests.take(key, 1, performance.now()) === 0 &&
          six.keyTokens.take(key, TOKENS, performance.now()) === 0 &&
          six.userRequests.take(user, 1, performance.now()) === 0 &&
          six.userTokens.take(user, TOKENS, performance.now()) === 0 &&
          six.teamRequests.take(team, 1, performance.now()) === 0 &&
          six.teamTokens.take(team, TOKENS, performance.now()) === 0
        ) admitted++;
      }
      return admitted;
    },
  };
}

/** The same decision as ours, within one Worker. */
function carefulChain(outcome: Outcome): Contender {
  const six = maps(outcome);
  const [key, user, team] = WHO;
  return {
    run(times) {
      let admitted = 0;
      for (let i = 0; i < times; i++) {
        const now = performance.now();
        if (
          six.keyRequests.peek(key, 1, now) === 0 &&
          six.keyTokens.peek(key, TOKENS, now) === 0 &&
          six.userRequests.peek(user, 1, now) === 0 &&
          six.userTokens.peek(user, TOKENS, now) === 0 &&
          six.teamRequests.peek(team, 1, now) === 0 &&
          six.teamTokens.peek(team, TOKENS, now) === 0
        ) {
          six.keyRequests.charge(key, 1, now);
          six.keyTokens.charge(key, TOKENS, now);
          six.userRequests.charge(user, 1, now);
          six.userTokens.charge(user, TOKENS, now);
          six.teamRequests.charge(team, 1, now);
          six.teamTokens.charge(team, TOKENS, now);
          admitted++;
        }
      }
      return admitted;
    },
  };
}
