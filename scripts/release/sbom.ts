/**
 * Writes the bill of materials of a release as CycloneDX 1.6: every crate that is linked into the library on any target,
 * the crate whose vocabularies it embeds, and every npm package that `sluice` bundles or depends on.
 *
 *     node scripts/release/sbom.ts FILE
 *
 * The same lock files give the same bytes: there is no time in it, and its serial number is a hash of its content.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { MAIN, type Manifest } from "./artifacts.ts";
import { repositoryOf } from "./check_release.ts";
import { readBelow } from "./versions.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The crate that is the library. */
const LIBRARY = "sluice-abi";

/** The crates whose data a build script embeds, so that their licences matter though their code is not linked. */
const EMBEDDED = ["tiktoken-rs"];

/** A component of CycloneDX. */
export interface Component {
  readonly type: "library" | "data";
  readonly "bom-ref": string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly licenses?: readonly { readonly expression: string }[];
  readonly hashes?: readonly { readonly alg: "SHA-256" | "SHA-512"; readonly content: string }[];
}

/** Components, and what each depends on by `bom-ref`. */
interface Graph {
  readonly components: readonly Component[];
  readonly dependencies: ReadonlyMap<string, readonly string[]>;
  /** The `bom-ref`s on which the release itself depends. */
  readonly direct: readonly string[];
}

/** What `cargo metadata` prints. */
export interface CargoMetadata {
  readonly packages: readonly {
    readonly id: string;
    readonly name: string;
    readonly version: string;
    readonly license: string | null;
  }[];
  readonly resolve: {
    readonly nodes: readonly {
      readonly id: string;
      readonly deps: readonly {
        readonly pkg: string;
        readonly dep_kinds: readonly { readonly kind: string | null }[];
      }[];
    }[];
  };
}

/** What `package-lock.json` says of packages by their folder. */
export interface NpmLock {
  readonly packages: Readonly<
    Record<string, {
      readonly version: string;
      readonly integrity?: string;
      readonly license?: string;
      readonly dependencies?: Readonly<Record<string, string>>;
    }>
  >;
}

/**
 * The crates that are linked on any target, and those whose data is embedded.
 *
 * @param linked `name@version` of each that may be linked, because `cargo metadata` also has what only tests turn on.
 */
export function crates(
  metadata: CargoMetadata,
  lock: string,
  linked: ReadonlySet<string>,
): Graph {
  const checksums = new Map(
    [...lock.matchAll(/^name = "(.*)"\nversion = "(.*)"\nsource = .*\nchecksum = "(.*)"/gm)]
      .map(([, name, version, sum]) => [`${name}@${version}`, sum!]),
  );
  const packages = new Map(metadata.packages.map((it) => [it.id, it]));
  const nodes = new Map(metadata.resolve.nodes.map((it) => [it.id, it]));
  const root = metadata.packages.find(({ name }) => name === LIBRARY)!;
  const embedded = metadata.packages.filter(({ name }) => EMBEDDED.includes(name));
  const reference = (id: string) => {
    const { name, version } = packages.get(id)!;
    return `pkg:cargo/${name}@${version}`;
  };
  const isLinked = (id: string) => linked.has(reference(id).slice("pkg:cargo/".length));
  const reached = new Set([root.id]);
  const dependencies = new Map<string, string[]>();
  for (const id of reached) {
    const below = nodes.get(id)!.deps.filter(({ pkg, dep_kinds }) =>
      isLinked(pkg) && dep_kinds.some(({ kind }) => kind === null)
    ).map(({ pkg }) => pkg);
    for (const next of below) reached.add(next);
    dependencies.set(reference(id), below.map(reference).sort());
  }
  const components = [...reached, ...embedded.map(({ id }) => id)].map((id): Component => {
    const { name, version, license } = packages.get(id)!;
    const sum = checksums.get(`${name}@${version}`);
    return {
      type: EMBEDDED.includes(name) ? "data" : "library",
      "bom-ref": reference(id),
      name,
      version,
      purl: reference(id),
      // Cargo's old form has a slash between alternatives.
      ...(license === null ? {} : { licenses: [{ expression: license.replaceAll("/", " OR ") }] }),
      ...(sum === undefined ? {} : { hashes: [{ alg: "SHA-256" as const, content: sum }] }),
    };
  });
  return { components, dependencies, direct: [root, ...embedded].map(({ id }) => reference(id)) };
}

/** The npm packages on which the names depend, with all below them. */
export function modules({ packages }: NpmLock, names: readonly string[]): Graph {
  const reference = (folder: string) => {
    const name = folder.slice(folder.lastIndexOf("node_modules/") + "node_modules/".length);
    return `pkg:npm/${name.replace("@", "%40")}@${packages[folder]!.version}`;
  };
  /** Node's own search: from the folder of the dependent upwards. */
  const find = (name: string, from: string): string => {
    for (let at = from;; at = at.slice(0, Math.max(at.lastIndexOf("/node_modules/"), 0))) {
      const folder = `${at === "" ? "" : `${at}/`}node_modules/${name}`;
      if (folder in packages) return folder;
      if (at === "") throw new Error(`package-lock.json lacks ${name}, which ${from} needs`);
    }
  };
  const direct = names.map((name) => find(name, ""));
  const folders = new Set(direct);
  const dependencies = new Map<string, string[]>();
  for (const folder of folders) {
    const below = Object.keys(packages[folder]!.dependencies ?? {}).map((name) =>
      find(name, folder)
    );
    for (const next of below) folders.add(next);
    dependencies.set(reference(folder), below.map(reference).sort());
  }
  const components = [...folders].map((folder): Component => {
    const { version, license, integrity } = packages[folder]!;
    const sum = integrity?.startsWith("sha512-")
      ? Buffer.from(integrity.slice("sha512-".length), "base64").toString("hex")
      : undefined;
    return {
      type: "library",
      "bom-ref": reference(folder),
      name: folder.slice(folder.lastIndexOf("node_modules/") + "node_modules/".length),
      version,
      purl: reference(folder),
      ...(license === undefined ? {} : { licenses: [{ expression: license }] }),
      ...(sum === undefined ? {} : { hashes: [{ alg: "SHA-512" as const, content: sum }] }),
    };
  });
  return { components, dependencies, direct: direct.map(reference) };
}

/** The document, for the graphs of both languages. */
export function billOfMaterials(source: Manifest, graphs: readonly Graph[]): object {
  const root = `pkg:npm/${MAIN}@${source.version}`;
  const url = repositoryOf(source);
  const components = new Map(
    graphs.flatMap((it) => it.components).map((it) => [it["bom-ref"], it]),
  );
  const sorted = [...components].sort(([a], [b]) => a < b ? -1 : 1).map(([, it]) => it);
  const dependencies = graphs.flatMap((it) => [...it.dependencies])
    .map(([ref, dependsOn]) => ({ ref, dependsOn }));
  const content = {
    metadata: {
      component: {
        type: "library",
        "bom-ref": root,
        name: MAIN,
        version: source.version,
        purl: root,
        ...(source.license === undefined ? {} : { licenses: [{ expression: source.license }] }),
        ...(url === undefined ? {} : { externalReferences: [{ type: "vcs", url }] }),
      },
    },
    components: sorted,
    dependencies: [
      { ref: root, dependsOn: graphs.flatMap((it) => it.direct).sort() },
      ...dependencies.sort((a, b) => a.ref < b.ref ? -1 : 1),
    ],
  };
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(content))}`,
    version: 1,
    ...content,
  };
}

/** A UUID of version 8 (RFC 9562), which is for hashes of one's own. */
function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  const variant = "89ab"[Number.parseInt(hex[16]!, 16) & 3]!;
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ].join("-");
}

if (import.meta.main) {
  const [file] = process.argv.slice(2);
  if (file === undefined) throw new TypeError("sbom.ts needs the file to write");
  const read = readBelow(ROOT);
  const cargo = (...args: string[]): string =>
    execFileSync("cargo", args, { cwd: ROOT, encoding: "utf8", maxBuffer: 2 ** 28 });
  const metadata = cargo("metadata", "--format-version=1", "--locked");
  const tree = ["tree", "--locked", "--package", LIBRARY, "--edges=normal", "--target=all"];
  const lines = cargo(...tree, "--prefix=none", "--format={p}").split("\n");
  const linked = new Set(lines.map((line) => line.replace(/ v(\S+).*/, "@$1")));
  const source: Manifest & { readonly dependencies: Readonly<Record<string, string>> } = JSON.parse(
    read("package.json"),
  );
  const npm = JSON.parse(read("package-lock.json"));
  const graphs = [
    crates(JSON.parse(metadata), read("Cargo.lock"), linked),
    modules(npm, Object.keys(source.dependencies)),
  ];
  writeFileSync(file, JSON.stringify(billOfMaterials(source, graphs), undefined, 2) + "\n");
  const counts = graphs.map(({ components }) => components.length);
  console.log(`${counts[0]} crates and ${counts[1]} npm packages`);
}
