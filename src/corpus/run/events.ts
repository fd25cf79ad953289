/**
 * What a run tells while it works. The names are stable.
 *
 * @module
 */
import type { Commit, Plan } from "../plan/plan_types.ts";
import type { BadLine } from "../unit/quarantine.ts";

/** The work of a run is known. */
export interface StartedEvent {
  /** The name. */
  readonly event: "started";
  /** The plan of the corpus. */
  readonly plan: Plan;
  /** The units of this run. */
  readonly units: number;
  /** How many of them were committed before. */
  readonly committed: number;
  /** Bytes of input of this run, without those of committed units; 0 for standard input. */
  readonly bytes: number;
  /** How many threads work. */
  readonly threads: number;
}

/** How far a run is. At most four a second. */
export interface ProgressEvent {
  /** The name. */
  readonly event: "progress";
  /** The units of this run that are committed, those from before included. */
  readonly committed: number;
  /** What was read and made since this run began. */
  readonly bytes: number;
  /** Documents of these. */
  readonly documents: number;
  /** Ids, end tokens included. */
  readonly tokens: number;
  /** Lines, rows or files without a document. */
  readonly bad: number;
}

/** A unit is committed. */
export interface CommittedEvent {
  /** The name. */
  readonly event: "committed";
  /** The name of the shard. */
  readonly name: string;
  /** Its record. */
  readonly commit: Commit;
}

/** A unit could not be done; the others go on. */
export interface FailedEvent {
  /** The name. */
  readonly event: "failed";
  /** The name of the shard. */
  readonly name: string;
  /** The number of the unit. */
  readonly unit: number;
  /** Why, with the name of the input if it is the reason. */
  readonly message: string;
}

/** The first bad line of a unit. All are in the quarantine. */
export interface BadLineEvent {
  /** The name. */
  readonly event: "bad-line";
  /** The number of the unit. */
  readonly unit: number;
  /** Where the line is, and why it has no document. */
  readonly line: BadLine;
}

/** Something that a person should know. */
export interface NoteEvent {
  /** The name. */
  readonly event: "note";
  /** For people. */
  readonly message: string;
}

/** What a run tells while it works. */
export type CorpusEvent =
  | StartedEvent
  | ProgressEvent
  | CommittedEvent
  | FailedEvent
  | BadLineEvent
  | NoteEvent;
