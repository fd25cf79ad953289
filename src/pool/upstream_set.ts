/**
 * The upstreams of a pool, as they change while the pool is in use. All changes apply to all Workers.
 *
 * @module
 */
import { UPSTREAM_DRAINING } from "../ffi/symbols.gen.ts";
import { until } from "../until.ts";
import type { PoolMember } from "./member.ts";
import type { UpstreamChanges, UpstreamOptions } from "./options.ts";
import { checkId, checkMaxInFlight, packChanges, packUpstream } from "./settings.ts";

/** The upstreams of the pool that a member has open. */
export class UpstreamSet {
  readonly #member: PoolMember;

  /** The upstreams of the pool of `member`. */
  constructor(member: PoolMember) {
    this.#member = member;
  }

  /** Adds an upstream. */
  add(upstream: UpstreamOptions): void {
    const { id, maxInFlight, weight, tier } = packUpstream("upstream", upstream);
    const { native, openHandle } = this.#member;
    this.#member.see(
      native.sluice_upstream_add(openHandle, id, id.length, maxInFlight, weight, tier),
    );
    this.#member.forgetNames(upstream.id);
    this.#member.onCapsChanged?.();
  }

  /** Removes an upstream. */
  remove(id: string): void {
    const bytes = checkId("id", id);
    const { native, openHandle } = this.#member;
    this.#member.see(native.sluice_upstream_remove(openHandle, bytes, bytes.length));
    this.#member.forgetNames();
    this.#member.onCapsChanged?.();
  }

  /** Changes the settings of an upstream. */
  update(id: string, changes: UpstreamChanges): void {
    const bytes = checkId("id", id);
    const settings = packChanges(changes);
    const { native, openHandle } = this.#member;
    this.#member.unwrap(native.sluice_upstream_find(openHandle, bytes, bytes.length));
    for (const [setting, value] of settings) this.#change(bytes, setting, value);
    this.#member.onCapsChanged?.();
  }

  /** Changes how many leases of all upstreams together may be in use. */
  resize(maxInFlight: number): void {
    const most = checkMaxInFlight("maxInFlight", maxInFlight);
    const { native, openHandle } = this.#member;
    this.#member.see(native.sluice_pool_resize(openHandle, most));
    this.#member.onCapsChanged?.();
  }

  /** Grants no more leases of an upstream, and resolves when none is in use. */
  async drain(id: string, signal: AbortSignal | undefined): Promise<void> {
    this.#change(checkId("id", id), UPSTREAM_DRAINING, 1);
    await until(signal, () => {
      const upstream = this.#member.stats().upstreams.find((upstream) => upstream.id === id);
      return upstream === undefined || upstream.inFlight === 0;
    });
  }

  /** Grants leases of a drained upstream again. */
  resume(id: string): void {
    this.#change(checkId("id", id), UPSTREAM_DRAINING, 0);
  }

  #change(id: Uint8Array, setting: number, value: number): void {
    const { native, openHandle } = this.#member;
    this.#member.see(native.sluice_upstream_change(openHandle, id, id.length, setting, value));
  }
}
