/**
 * A directed graph of imports, and its cycles: strongly connected components by Tarjan's algorithm.
 *
 * @module
 */

/** For each module the modules that it imports, with the names that it imports from each. */
export type ImportGraph = ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>;

/** A graph to which edges can be added. */
export class ImportGraphBuilder {
  readonly edges: Map<string, Map<string, Set<string>>> = new Map();

  /** Adds a module. */
  module(name: string): void {
    if (!this.edges.has(name)) this.edges.set(name, new Map());
  }

  /** Adds an import. An import of itself is ignored. */
  add(from: string, to: string, name: string): void {
    if (from === to) return;
    this.module(from);
    this.module(to);
    const imports = this.edges.get(from)!;
    const names = imports.get(to) ?? new Set();
    imports.set(to, names.add(name));
  }
}

/** The groups of modules that import each other, directly or not. O(modules + imports). */
export function cyclicGroups(graph: ImportGraph): string[][] {
  const groups: string[][] = [];
  const indices = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const onStack = new Set<string>();
  const visit = (module: string): void => {
    indices.set(module, indices.size);
    lowest.set(module, indices.get(module)!);
    stack.push(module);
    onStack.add(module);
    for (const next of graph.get(module)?.keys() ?? []) {
      if (!indices.has(next)) {
        visit(next);
        lowest.set(module, Math.min(lowest.get(module)!, lowest.get(next)!));
      } else if (onStack.has(next)) {
        lowest.set(module, Math.min(lowest.get(module)!, indices.get(next)!));
      }
    }
    if (lowest.get(module) !== indices.get(module)) return;
    const group: string[] = [];
    let member: string;
    do {
      member = stack.pop()!;
      onStack.delete(member);
      group.push(member);
    } while (member !== module);
    if (group.length > 1) groups.push(group.sort());
  };
  for (const module of graph.keys()) if (!indices.has(module)) visit(module);
  return groups;
}

/** A shortest cycle within a group, by breadth-first search from its first module. */
export function shortestCycle(graph: ImportGraph, group: readonly string[]): string[] {
  const members = new Set(group);
  let shortest: string[] | undefined;
  for (const start of group) {
    const paths: string[][] = [[start]];
    const seen = new Set<string>();
    for (let path = paths.shift(); path !== undefined; path = paths.shift()) {
      if (shortest !== undefined && path.length >= shortest.length) break;
      for (const next of graph.get(path.at(-1)!)?.keys() ?? []) {
        if (next === start) shortest = path;
        else if (members.has(next) && !seen.has(next)) {
          seen.add(next);
          paths.push([...path, next]);
        }
      }
    }
  }
  return shortest ?? [];
}

/** A cycle as lines of text: each import with its names. */
export function describeCycle(graph: ImportGraph, cycle: readonly string[]): string {
  return cycle.map((from, i) => {
    const to = cycle[(i + 1) % cycle.length]!;
    const names = [...graph.get(from)?.get(to) ?? []].sort().join(", ");
    return `  ${from} imports ${names} from ${to}`;
  }).join("\n");
}
