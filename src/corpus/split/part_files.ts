/**
 * Files that appear under their names all together: temporary files, `fsync`, and names that must be free.
 *
 * @module
 */
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { link, makeFolder, syncFolder } from "../durable.ts";
import { clearTemporary } from "../folder.ts";
import { temporaryName } from "../unit/names.ts";

/** How much is collected before it is written. */
const BUFFER_BYTES = 1 << 20;

/** A name of a part is taken. */
export class NameTaken extends Error {
  override readonly name = "NameTaken";
}

/** Writes the parts of one file, `STEM-00001-of-00012.SUFFIX`, one after the other. */
export class PartFiles implements Disposable {
  readonly #folder: string;
  readonly #stem: string;
  readonly #suffix: string;
  readonly #temporaries: string[] = [];
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #filled = 0;
  #fd: number | undefined;

  /**
   * Makes the folder if there is none, and deletes temporary files of processes that are gone.
   *
   * @param suffix With its dot.
   * @throws {NameTaken} If the folder has parts of that stem.
   */
  constructor(folder: string, stem: string, suffix: string) {
    this.#folder = folder;
    this.#stem = stem;
    this.#suffix = suffix;
    makeFolder(folder);
    const taken = fs.readdirSync(folder).sort().find((name) => this.#isPart(name));
    if (taken !== undefined) throw this.#taken(taken);
    clearTemporary(folder, []);
    process.once("exit", this.#remove);
  }

  /** Begins the next part. */
  next(): void {
    this.#closePart();
    const temporary = temporaryName(`part-${this.#temporaries.length + 1}`)(this.#suffix);
    const at = path.join(this.#folder, temporary);
    this.#fd = fs.openSync(at, "wx");
    this.#temporaries.push(at);
  }

  /** Adds bytes to the part. They are copied. */
  write(bytes: Uint8Array): void {
    if (bytes.length > this.#buffer.length - this.#filled) this.#flush();
    if (bytes.length > this.#buffer.length) {
      writeAll(this.#fd!, bytes);
    } else {
      this.#buffer.set(bytes, this.#filled);
      this.#filled += bytes.length;
    }
  }

  /**
   * Gives all parts their names, and returns them.
   *
   * @throws {NameTaken} If another process has made a part of that name. Then no part of this one is left.
   */
  commit(): string[] {
    this.#closePart();
    const names = this.#temporaries.map((_, i) => this.#nameOf(i + 1));
    const given: string[] = [];
    for (const [i, name] of names.entries()) {
      const to = path.join(this.#folder, name);
      let isFree = false;
      try {
        isFree = link(this.#temporaries[i]!, to);
      } finally {
        if (!isFree) { for (const at of given) fs.rmSync(at, { force: true }); }
      }
      if (!isFree) throw this.#taken(name);
      given.push(to);
    }
    this[Symbol.dispose]();
    syncFolder(this.#folder);
    return names;
  }

  /** Removes what has no name yet. */
  [Symbol.dispose](): void {
    process.off("exit", this.#remove);
    this.#remove();
  }

  readonly #remove = (): void => {
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = undefined;
    for (const at of this.#temporaries) fs.rmSync(at, { force: true });
    this.#temporaries.length = 0;
  };

  #closePart(): void {
    if (this.#fd === undefined) return;
    this.#flush();
    fs.fsyncSync(this.#fd);
    fs.closeSync(this.#fd);
    this.#fd = undefined;
  }

  #flush(): void {
    writeAll(this.#fd!, this.#buffer.subarray(0, this.#filled));
    this.#filled = 0;
  }

  #nameOf(number: number): string {
    const digits = (n: number) => String(n).padStart(5, "0");
    const of = digits(this.#temporaries.length);
    return `${this.#stem}-${digits(number)}-of-${of}${this.#suffix}`;
  }

  #isPart(name: string): boolean {
    const { length } = this.#stem;
    return name.startsWith(`${this.#stem}-`) && name.endsWith(this.#suffix) &&
      /^-\d{5,}-of-\d{5,}$/.test(name.slice(length, name.length - this.#suffix.length));
  }

  #taken(name: string): NameTaken {
    return new NameTaken(
      `${this.#folder} has ${name} already, and nothing is overwritten: give another folder`,
    );
  }
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += fs.writeSync(fd, bytes, at, bytes.length - at);
}
