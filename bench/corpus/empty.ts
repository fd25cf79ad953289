/**
 * A program that waits, for the memory of a runtime's own start.
 *
 * @module
 */
import { setTimeout as wait } from "node:timers/promises";

/** Long enough to be looked at. */
await wait(300);
