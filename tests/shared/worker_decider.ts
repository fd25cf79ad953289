/**
 * A limiter that decides in Workers, and terminates one of them now and then. What a terminated Worker was asked is
 * refused.
 *
 * @module
 */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import type { Decider, Verdict } from "./decider.ts";
import type { GatewaySettings } from "./settings.ts";
import "../support/web_worker.ts";

/** How long after its successor was ready a Worker is terminated; at most twice as long, if it is not busy before. */
const TERMINATES_MS = 150;

/** What a Worker is told. */
export type Order =
  | { readonly settings: GatewaySettings }
  | { readonly id: number; readonly key: string; readonly cost: number }
  | { readonly id: number; readonly end: number }
  | { readonly id: number; readonly statsOf: string };

/** What a Worker tells. */
export interface Told {
  readonly id: number;
  readonly answer: unknown;
}

const REFUSED = { allowed: false, source: "worker", reason: "terminated", end: () => {} };

export class WorkerDecider implements Decider {
  readonly #settings: GatewaySettings;
  readonly #members: Member[];
  #next = 0;
  #isClosed = false;

  private constructor(settings: GatewaySettings, members: Member[]) {
    this.#settings = settings;
    this.#members = members;
    void this.#terminate();
  }

  /** Starts the Workers, and waits until they are ready. */
  static async start(settings: GatewaySettings): Promise<WorkerDecider> {
    const members = Array.from({ length: settings.workers }, () => new Member(settings));
    await Promise.all(members.map((member) => member.ready()));
    return new WorkerDecider(settings, members);
  }

  async decide(key: string, cost: number): Promise<Verdict> {
    const member = this.#pick();
    const id = this.#next;
    const answer = await member.ask<Verdict>({ id, key, cost });
    if (answer === undefined) return REFUSED;
    return { ...answer, end: (cost) => member.tell({ id, end: cost }) };
  }

  async stats(key: string): Promise<unknown> {
    const member = this.#pick();
    return await member.ask({ id: this.#next, statsOf: key });
  }

  close(): Promise<void> {
    this.#isClosed = true;
    for (const member of this.#members) member.terminate();
    return Promise.resolve();
  }

  #pick(): Member {
    return this.#members[++this.#next % this.#members.length]!;
  }

  /** Replaces one Worker after the other. A successor is ready before its predecessor is terminated. */
  async #terminate(): Promise<void> {
    for (let index = 0; !this.#isClosed; index = (index + 1) % this.#members.length) {
      const successor = new Member(this.#settings);
      await successor.ready();
      await sleep(TERMINATES_MS);
      for (let ms = 0; ms < TERMINATES_MS && !this.#members[index]!.isBusy; ms++) await sleep(1);
      this.#members[index]!.terminate();
      this.#members[index] = successor;
    }
  }
}

/** One Worker, and who waits for it. */
class Member {
  readonly #worker = new Worker(new URL("decider_worker.ts", import.meta.url), { type: "module" });
  readonly #waiting = new Map<number, (answer: unknown) => void>();

  constructor(settings: GatewaySettings) {
    this.#worker.onmessage = ({ data: { id, answer } }: MessageEvent<Told>) => {
      this.#waiting.get(id)?.(answer);
      this.#waiting.delete(id);
    };
    this.#worker.onerror = ({ message }) => {
      console.error(`A Worker failed: ${message}`);
      process.exit(1);
    };
    this.tell({ settings });
  }

  /** Whether it was asked and has not answered. */
  get isBusy(): boolean {
    return this.#waiting.size > 0;
  }

  /** Waits until its limiter is open. */
  async ready(): Promise<void> {
    await this.ask({ id: 0, statsOf: "" });
  }

  /** The answer, or nothing if the Worker is terminated before. */
  ask<Answer>(order: Order & { readonly id: number }): Promise<Answer | undefined> {
    return new Promise((resolve) => {
      this.#waiting.set(order.id, resolve as (answer: unknown) => void);
      this.tell(order);
    });
  }

  tell(order: Order): void {
    this.#worker.postMessage(order);
  }

  terminate(): void {
    this.#worker.terminate();
    for (const resolve of this.#waiting.values()) resolve(undefined);
    this.#waiting.clear();
  }
}
