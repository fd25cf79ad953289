/**
 * Calls to the store that are no part of a key's line: looking, setting limits, resetting.
 *
 * @module
 */
import { own } from "../ffi/own_memory.ts";
import { messageOf } from "./clients.ts";
import { before, tookTooLong } from "../deadline.ts";
import { show, SluiceError } from "../errors.ts";
import { SCRIPT_LIMITER, SHARED_AGAIN } from "../ffi/symbols.gen.ts";
import { type FlightOwner, longText } from "./flights.ts";
import type { LimiterKey } from "../limiter/key.ts";
import type { NativeLimiter } from "../limiter/native_limiter.ts";
import { scriptOf } from "./script.ts";
import { textBuffer } from "../text_buffer.ts";

/** How often a call is made anew because the store's clock was not as expected. */
const TRIES = 3;

const room = own(new Uint8Array(new ArrayBuffer(1 << 13)));
const decoder = new TextDecoder();

/** The calls of one limiter that are made once. */
export class SingleCalls {
  readonly #limiter: FlightOwner;
  readonly #timeoutMs: number;

  /** @param timeoutMs How long an answer may take. */
  constructor(limiter: FlightOwner, timeoutMs: number) {
    this.#limiter = limiter;
    this.#timeoutMs = timeoutMs;
  }

  /** Asks how a take would be decided, and returns the code of the decision. Rejects as all calls do. */
  peek(
    core: NativeLimiter,
    key: LimiterKey,
    costs: readonly number[],
    timeoutMs: number,
  ): Promise<number> {
    const { sluice_shared_peek } = core.native;
    return this.#ask(core, key, Math.min(timeoutMs, this.#timeoutMs), (out) => {
      return core.withKey(key, (id) => {
        core.costs.set(costs);
        return sluice_shared_peek(core.handle, id, core.costs, costs.length, out, out.length);
      });
    });
  }

  /** Sets the limits of a key, or restores the limiter's own if there are no numbers. */
  setLimits(core: NativeLimiter, key: LimiterKey, limits: Float64Array): Promise<unknown> {
    const { sluice_shared_limits } = core.native;
    return this.#ask(core, key, this.#timeoutMs, (out) => {
      const { handle } = core;
      return core.unwrap(sluice_shared_limits(handle, limits, limits.length, out, out.length));
    });
  }

  /** Forgets what a key has used. */
  reset(core: NativeLimiter, key: LimiterKey): Promise<unknown> {
    const { sluice_shared_reset } = core.native;
    return this.#ask(core, key, this.#timeoutMs, (out) => {
      return core.unwrap(sluice_shared_reset(core.handle, out, out.length));
    });
  }

  /**
   * Makes a call, and returns the code of its answer.
   *
   * @param write Writes the arguments of the script, and returns their length.
   * @throws {SluiceError} `SLUICE_STORE_UNREACHABLE`.
   */
  async #ask(
    core: NativeLimiter,
    key: LimiterKey,
    limitMs: number,
    write: (out: Uint8Array) => number,
  ): Promise<number> {
    core.checkOpen();
    const { store, owner } = this.#limiter;
    const keys = store.keysOf(owner, key.name.toWellFormed());
    for (let tries = 0; tries < TRIES; tries++) {
      const length = write(room);
      const bytes = length <= room.length ? room.subarray(0, length) : longText(length);
      const args = decoder.decode(bytes).split(" ");
      const script = await scriptOf(SCRIPT_LIMITER);
      const asked = store.run(script, keys, args);
      const reply = await before(asked, limitMs, tookTooLong("The call", limitMs)).catch(
        (cause: unknown) => {
          throw unreachable(core, messageOf(cause), cause);
        },
      );
      const code = core.withKey(key, (id) => {
        const length = textBuffer.write(reply);
        return core.native.sluice_shared_told(core.handle, id, textBuffer.bytes, length);
      });
      if (code !== SHARED_AGAIN) return code;
    }
    throw unreachable(core, "its clock is not as expected", undefined);
  }
}

function unreachable(core: NativeLimiter, why: string, cause: unknown): SluiceError {
  return new SluiceError(
    "SLUICE_STORE_UNREACHABLE",
    `the store of the limiter ${show(core.name)} did not answer: ${why}`,
    { cause },
  );
}
