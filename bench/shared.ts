/**
 * Limits that processes share through Redis or Valkey: sluice in its modes beside npm packages, periodic synchronization and
 * one script alone, all through the same client of ioredis and the same server on this machine.
 *
 * @module
 */
import { NO_STORE } from "../tests/support/store_server.ts";
import { program } from "./program.ts";
import { type FleetCell, fleets, type TimelineCell } from "./shared/fleet.ts";
import { type CreditCell, fromCredit } from "./shared/from_credit.ts";
import { oneProcess, type OneProcessCell } from "./shared/one_process.ts";
import { type SeveralCell, severalKeys } from "./shared/several_keys.ts";
import { startStore } from "./shared/store.ts";

/** The server that all parts ran with. */
interface ServerCell {
  readonly part: "server";
  /** "valkey 8.0.1". */
  readonly name: string;
}

type SharedCell =
  | CreditCell
  | FleetCell
  | OneProcessCell
  | ServerCell
  | SeveralCell
  | TimelineCell;

async function run(brief: boolean): Promise<SharedCell[]> {
  return [
    { part: "server", name: await serverVersion() },
    ...await fromCredit(brief),
    ...await oneProcess(brief),
    ...await severalKeys(brief),
    ...await fleets(brief),
  ];
}

async function serverVersion(): Promise<string> {
  await using store = await startStore();
  const info = await store.command("info", "server");
  const version = /^valkey_version:(.*?)\r?$/m.exec(info) ?? /^redis_version:(.*?)\r?$/m.exec(info);
  return `${store.kind} ${version?.[1] ?? "unknown"}`;
}

if (import.meta.main) await program<SharedCell>({ name: "shared", run, missing: NO_STORE });
