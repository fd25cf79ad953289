/**
 * Runs that are killed again and again in the middle of their work, until one gets to the end.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { shardsOf } from "./folder.ts";
import type { Random } from "./generator.ts";
import { type Ended, isWorking, type Program, start, type StartOptions } from "./program.ts";
import { join } from "node:path";

/** What to run, and how often to kill it. */
export interface Killing extends StartOptions {
  /** The folder that it runs in. */
  readonly cwd: string;
  readonly args: readonly string[];
  /** The folder that it writes to, below `cwd`. */
  readonly out: string;
  /** The most kills. */
  readonly kills: number;
  /** The longest wait between the begin of a shard and a kill, in milliseconds. */
  readonly waitMs: number;
  readonly random: Random;
}

/** Runs until the end, and kills before. Returns how the last run ended and how many were killed. */
export async function killUntilDone(killing: Killing): Promise<{ last: Ended; killed: number }> {
  const { cwd, args, kills, random } = killing;
  let killed = 0;
  for (;;) {
    const program = start(cwd, args, killing);
    if (killed < kills && await kill(program, killing, random)) {
      killed++;
      continue;
    }
    return { last: await program.ended, killed };
  }
}

async function kill(program: Program, killing: Killing, random: Random): Promise<boolean> {
  const out = join(killing.cwd, killing.out);
  const commits = shardsOf(out).length + random.below(3);
  if (!await isWorking(program, out, commits)) return false;
  await sleep(random.below(killing.waitMs + 1));
  program.signal("SIGKILL");
  // It may have come to its end just before.
  return (await program.ended).code === 128 + 9;
}
