/**
 * The type declarations of the main package: those that its entries reach, by a walk over their imports.
 *
 * Declarations of a generated module lose what no other one names, and their comments.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import ts from "typescript";
import { documentedCode } from "./documents.ts";
import { ROOT } from "./manifest.ts";

/** A module's declarations, and what each of its imports names: nothing for `*`. */
interface Module {
  readonly source: ts.SourceFile;
  readonly imports: readonly { readonly path: string; readonly names?: readonly string[] }[];
}

/** Declares `Disposable` where a project's own libraries do not. */
const DISPOSABLE = `/// <reference lib="esnext.disposable" />\n`;

/** Writes the declarations of the modules at `entries` into `folder`. */
export function writeDeclarations(entries: readonly string[], folder: string): void {
  const emitted = mkdtempSync(join(tmpdir(), "sluice-declarations-"));
  try {
    const tsc = join(ROOT, "node_modules/.bin/tsc");
    execFileSync(tsc, ["-p", join(ROOT, "tsconfig.npm.json"), "--outDir", emitted], {
      stdio: "inherit",
    });
    const tops = entries.map(declarationOf);
    const modules = reached(tops, emitted);
    for (const [path, { source }] of modules) {
      const text = path.endsWith(".gen.d.ts") ? pruned(path, modules) : source.text;
      const file = join(folder, path);
      mkdirSync(dirname(file), { recursive: true });
      const head = tops.includes(path) ? DISPOSABLE : "";
      writeFileSync(file, head + documentedCode(withJavaScriptNames(text)));
    }
  } finally {
    rmSync(emitted, { recursive: true });
  }
}

function declarationOf(path: string): string {
  return posix.normalize(path).replace(/\.[jt]s$/, ".d.ts");
}

function reached(entries: readonly string[], root: string): Map<string, Module> {
  const modules = new Map<string, Module>();
  const waiting = [...entries];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (modules.has(path)) continue;
    const module = parse(path, readFileSync(join(root, path), "utf8"));
    modules.set(path, module);
    waiting.push(...module.imports.map((it) => it.path));
  }
  return modules;
}

function parse(path: string, text: string): Module {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest);
  const imports = source.statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return [];
    const from = statement.moduleSpecifier as ts.StringLiteral | undefined;
    // What others declare comes with their packages.
    if (from === undefined || !from.text.startsWith(".")) return [];
    const bindings = ts.isImportDeclaration(statement)
      ? statement.importClause?.namedBindings
      : statement.exportClause;
    const names = bindings !== undefined && "elements" in bindings
      ? bindings.elements.map((it) => (it.propertyName ?? it.name).text)
      : undefined;
    return [{
      path: declarationOf(posix.join(posix.dirname(path), from.text)),
      ...(names === undefined ? {} : { names }),
    }];
  });
  return { source, imports };
}

/** The text of a module without declarations that nothing names, inside it or outside. */
function pruned(path: string, modules: ReadonlyMap<string, Module>): string {
  const { source } = modules.get(path)!;
  const uses = [...modules.values()].flatMap((it) => it.imports).filter((it) => it.path === path);
  if (uses.some(({ names }) => names === undefined)) return source.text;
  const declared = new Map(
    source.statements.flatMap((statement) =>
      namesOf(statement).map((name) => [name, statement] as const)
    ),
  );
  const kept = new Set<ts.Statement>();
  const keep = (name: string): void => {
    const statement = declared.get(name);
    if (statement === undefined || kept.has(statement)) return;
    kept.add(statement);
    statement.forEachChild(function visit(node): void {
      if (ts.isIdentifier(node)) keep(node.text);
      node.forEachChild(visit);
    });
  };
  for (const name of uses.flatMap(({ names }) => names ?? [])) keep(name);
  const printer = ts.createPrinter({ removeComments: true });
  return source.statements.filter((it) => kept.has(it)).map((it) =>
    printer.printNode(ts.EmitHint.Unspecified, it, source) + "\n"
  ).join("");
}

function namesOf(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map(({ name }) => (name as ts.Identifier).text);
  }
  const { name } = statement as ts.DeclarationStatement;
  return name === undefined ? [] : [name.text];
}

/** TypeScript leaves the names of sources in what re-exports them. Comments have examples. */
function withJavaScriptNames(text: string): string {
  return text.replaceAll(/^(?! *\*)(.*\bfrom "\.[^"]*)\.ts(")/gm, "$1.js$2");
}
