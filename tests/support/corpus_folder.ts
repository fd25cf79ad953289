/** Reads the folder of a corpus without the code that wrote it. */
import fs from "node:fs";
import path from "node:path";

/** All files but locks and temporary ones, by name. */
export function filesOf(out: string): Map<string, string> {
  const names = fs.readdirSync(out, { recursive: true, encoding: "utf8" }).sort();
  return new Map(
    names.filter((name) => fs.statSync(path.join(out, name)).isFile() && !/tmp|locks/.test(name))
      .map((name) => [name, fs.readFileSync(path.join(out, name), "latin1")]),
  );
}

/** The ids of each document of a corpus of the format `bin`, 32 bits each. */
export function documentsOf(out: string): number[][] {
  const documents: number[][] = [];
  for (const name of fs.readdirSync(out).sort()) {
    if (!name.endsWith(".bin")) continue;
    const bytes = fs.readFileSync(path.join(out, name)).slice();
    const ids = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    const ends = fs.readFileSync(path.join(out, name.replace(".bin", ".idx")));
    let begin = 0;
    for (let at = 0; at < ends.length; at += 8) {
      const end = Number(ends.readBigUInt64LE(at));
      documents.push([...ids.subarray(begin, end)]);
      begin = end;
    }
  }
  return documents;
}

/** The quarantine of a corpus, in the order of shards. */
export function recordsOf(out: string): Record<string, unknown>[] {
  const folder = path.join(out, "bad");
  if (!fs.existsSync(folder)) return [];
  return fs.readdirSync(folder).sort().flatMap((name) =>
    fs.readFileSync(path.join(folder, name), "utf8").trimEnd().split("\n")
      .map((line): Record<string, unknown> => JSON.parse(line))
  );
}

/** Lines of JSON with texts of several lengths and alphabets. */
export function jsonLines(count: number): string[] {
  const words = ["Hello", "world", "naïve", "你好", "🦀", "\\", '"', "\t", "1234567", "don't"];
  return Array.from({ length: count }, (_, i) => {
    const text = Array.from({ length: i * 7 % 23 }, (_, k) => words[(i + k * k) % words.length]);
    return JSON.stringify({ id: i, text: text.join(" ") });
  });
}
