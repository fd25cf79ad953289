/**
 * Where a gateway's time goes: a CPU profile of this process, summed by what the code was doing.
 *
 * Both runtimes speak the inspector's protocol in-process. V8 samples the whole thread; JSC takes
 * samples only while JavaScript or what it called runs, so shares of the two are not comparable,
 * shares of variants within one runtime are.
 *
 * @module
 */
import { Session } from "node:inspector";

/** What a sample was doing. */
export type Doing = "counting" | "JSON" | "forwarding and serving" | "garbage collection";

/** Samples of each kind; idle ones are left out. */
export type ProfileSum = Readonly<Record<Doing, number>>;

interface Frame {
  readonly functionName: string;
}

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: Frame;
    readonly hitCount?: number;
    readonly children?: readonly number[];
  }[];
}

let session: Session | undefined;

/** Starts sampling this process every 0.2 ms. */
export async function startProfile(): Promise<boolean> {
  session = new Session();
  session.connect();
  await post("Profiler.enable");
  await post("Profiler.setSamplingInterval", { interval: 200 });
  await post("Profiler.start");
  return true;
}

/** Stops sampling and sums the samples. */
export async function stopProfile(): Promise<ProfileSum> {
  const { profile } = await post("Profiler.stop") as { profile: Profile };
  session?.disconnect();
  return summed(profile);
}

function post(method: string, parameters: object = {}): Promise<unknown> {
  return new Promise((resolve, reject) => {
    session!.post(method, parameters, (error: Error | null, result?: object) => {
      if (error === null) resolve(result);
      else reject(error);
    });
  });
}

/** Gives the samples of every node to what its stack was doing. */
function summed({ nodes }: Profile): ProfileSum {
  const sum = { counting: 0, JSON: 0, "forwarding and serving": 0, "garbage collection": 0 };
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const visit = (id: number, within: Doing): void => {
    const { callFrame, hitCount = 0, children = [] } = byId.get(id)!;
    const doing = within === "counting" ? within : doingOf(callFrame) ?? within;
    if (!/^\((idle|program)\)$/.test(callFrame.functionName)) sum[doing] += hitCount;
    for (const child of children) visit(child, doing);
  };
  if (nodes[0] !== undefined) visit(nodes[0].id, "forwarding and serving");
  return sum;
}

function doingOf({ functionName }: Frame): Doing | undefined {
  // Functions of the measured gateway; V8 gives the time of built-ins to their callers.
  if (functionName === "countRequest") return "counting";
  if (functionName === "parseChat") return "JSON";
  if (functionName === "(garbage collector)") return "garbage collection";
  return undefined;
}
