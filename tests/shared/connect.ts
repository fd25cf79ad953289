/** Opens the limiter of a gateway. */
import { clientOf, ioredisClient } from "./clients.ts";
import type { Decider } from "./decider.ts";
import type { GatewaySettings } from "./settings.ts";
import { SharedLimiter } from "./shared_limiter.ts";
import { CentralBucket, PeriodicSync } from "./stand_ins.ts";

/** Opens the limiter that the settings name, through a client of its own. */
export async function connect(settings: GatewaySettings): Promise<Decider> {
  switch (settings.limiter) {
    case "central":
      return new CentralBucket(await ioredisClient(settings.stores), settings, false);
    case "open":
      return new CentralBucket(await ioredisClient(settings.stores), settings, true);
    case "periodic":
      return new PeriodicSync(await ioredisClient(settings.stores), settings);
    case "sluice":
      return new SharedLimiter(await clientOf(settings), settings);
  }
}
