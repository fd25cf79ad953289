/** The Worker of a gateway that decides in Workers. */
import { connect } from "./connect.ts";
import type { Decider, Verdict } from "./decider.ts";
import type { Order, Told } from "./worker_decider.ts";

interface Scope {
  onmessage: ((event: MessageEvent<Order>) => void) | null;
  postMessage(told: Told): void;
}
const scope = globalThis as unknown as Scope;

let decider: Promise<Decider> | undefined;
/** What is open, by its number. */
const verdicts = new Map<number, Verdict>();

scope.onmessage = ({ data: order }) => void obey(order);

async function obey(order: Order): Promise<void> {
  if ("settings" in order) {
    decider = connect(order.settings);
    return;
  }
  const limiter = await decider!;
  const { id } = order;
  if ("end" in order) {
    verdicts.get(id)?.end(order.end);
    verdicts.delete(id);
  } else if ("statsOf" in order) {
    scope.postMessage({ id, answer: await limiter.stats(order.statsOf) });
  } else {
    const verdict = await limiter.decide(order.key, order.cost);
    if (verdict.allowed) verdicts.set(id, verdict);
    const { end: _, ...answer } = verdict;
    scope.postMessage({ id, answer });
  }
}
