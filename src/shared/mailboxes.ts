/**
 * The mailboxes of this isolate, and its one bell.
 *
 * Any Worker may carry a call to the store, for those who wait in other Workers too. It wakes them by their bell,
 * and a Worker that was woken looks into all its mailboxes.
 *
 * @module
 */
import { Bell, Bells } from "../bell.ts";
import { native } from "../ffi/load.ts";

/** The name of the broadcast channel over which bells are sent. */
const CHANNEL = "sluice:shared-bells";

/** The mailbox of one limiter. */
export interface Mailbox {
  /** The number of those who wait. */
  readonly waiting: number;
  /** Collects the answers that have come. */
  collect(): void;
}

const bell = new Bell(CHANNEL);
const bells = new Bells(CHANNEL, (owner) => native().sluice_shared_want(owner));
const all = new Set<Mailbox>();
let isAsleep = false;

/** Adds a mailbox. */
export function openMailbox(mailbox: Mailbox): void {
  all.add(mailbox);
}

/** Removes a mailbox. */
export function closeMailbox(mailbox: Mailbox): void {
  all.delete(mailbox);
}

/** Lets the bell of this isolate wake it from now on. Call it before those who wait ask. */
export function listen(): void {
  if (isAsleep) return;
  isAsleep = true;
  bell.arm();
  bell.sleep(wake);
}

/** Rings the bells of the Workers whose mailboxes a native call has filled. */
export function ringOthers(): void {
  const { sluice_shared_ring } = native();
  for (let owner = sluice_shared_ring(); owner > 0; owner = sluice_shared_ring()) bells.ring(owner);
}

/** Sends the bell of this isolate to those who asked for it. */
export function showBell(owner: number): void {
  bell.show(owner);
}

function wake(): void {
  isAsleep = false;
  // Armed before looking, so that a ring from now on is not lost.
  if ([...all].some(({ waiting }) => waiting > 0)) listen();
  for (const mailbox of all) mailbox.collect();
}
