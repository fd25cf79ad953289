/**
 * Scripts of the store, as the library holds them, so that script and protocol never differ.
 *
 * @module
 */
import { native, unwrap } from "../ffi/load.ts";
import type { Script } from "./transport.ts";

const scripts = new Map<number, Promise<Script>>();

/**
 * Returns a script of the library with its SHA-1, which is computed once.
 *
 * @param which One of the `SCRIPT_*` constants.
 */
export function scriptOf(which: number): Promise<Script> {
  const known = scripts.get(which);
  if (known !== undefined) return known;
  const script = read(which);
  scripts.set(which, script);
  return script;
}

async function read(which: number): Promise<Script> {
  const { sluice_shared_script } = native();
  const room = new Uint8Array(new ArrayBuffer(unwrap(sluice_shared_script(which, EMPTY, 0))));
  unwrap(sluice_shared_script(which, room, room.length));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-1", room));
  const sha = Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return { sha, source: new TextDecoder().decode(room) };
}

const EMPTY = new Uint8Array(new ArrayBuffer(0));
