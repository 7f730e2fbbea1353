import type { Resource, ResourceRef } from "#core/resources/resource.ts";

/** Which resources to list. All given conditions must hold. */
export interface ListQuery {
  kind: string;
  /** Only those of this project; without it, those of every project. */
  project?: string;
  labels?: Record<string, string>;
  /**
   * Dotted paths into the resource and the values one of which must stand there (`{"spec.stage": ["test"]}`);
   * null and "" both stand for a field that is absent or empty.
   */
  where?: Record<string, readonly (string | null)[]>;
  /** Newest first by creation, at most this many. */
  limit?: number;
}

/** One change of a resource, as watchers see it, after it is on disk. All of them see the same object. */
export interface ResourceChange {
  type: "ADDED" | "MODIFIED" | "DELETED";
  resource: Resource;
}

/** Something worth telling about a resource, after Kubernetes' Event. */
export interface EventRecord {
  id?: number;
  /** RFC 3339. */
  at: string;
  project?: string;
  type: "Normal" | "Warning";
  reason: string;
  message: string;
  regarding: ResourceRef & { uid?: string };
  annotations?: Record<string, string>;
}

/** Who decided something, when, from where and why. Kept longer than events. */
export interface AuditEntry {
  id?: number;
  /** RFC 3339. */
  at: string;
  project?: string;
  /** What was done, in CamelCase. */
  action: string;
  /** Who did it, as Kargo writes actors; absent when nobody did, as when time ran out. */
  actor?: string;
  regarding: ResourceRef & { uid?: string };
  /** Why, in the actor's own words. */
  message?: string;
  /** What else is known of it: through what it came, and from which address. */
  details?: Record<string, string>;
}

/** One line of a step's log. */
export interface LogLine {
  /** RFC 3339, kept as it was given: milliseconds, or finer where a container's engine tells them. */
  at: string;
  stream: "stdout" | "stderr" | "system";
  text: string;
}

/** Whose log it is. `step` is the step's alias. */
export interface LogKey {
  project: string;
  promotion: string;
  step: string;
}

/** When a key is to be reconciled again, whatever happens to the daemon before. */
export interface DueTime {
  key: ResourceRef;
  /** Milliseconds since the epoch. */
  at: number;
}

/**
 * One write. A batch of them is atomic: all are on disk when `write` returns, or none is.
 *
 * `update` replaces everything but the status, `status` nothing but the status. Both fail with a
 * ConflictError when the resource's `resourceVersion` (of `status`: the `resourceVersion` given) is
 * neither absent nor the stored one. Both leave a resource that they would not change as it is, version
 * included, and no watcher hears of it. `create` keeps the status that it is given.
 *
 * `delete` forgets with the resource its due time, the journal whose scope is its uid or starts with
 * `<uid>/`, and a Promotion's logs.
 *
 * `unique` writes nothing: it fails with a TakenError, and the batch with it, when another resource of the
 * same kind and project has the value that the resource by then has for the label.
 */
export type Write =
  | { op: "create"; resource: Resource }
  | { op: "update"; resource: Resource }
  | { op: "status"; ref: ResourceRef; status: unknown; resourceVersion?: string }
  | { op: "delete"; ref: ResourceRef }
  | { op: "unique"; ref: ResourceRef; label: string }
  | { op: "event"; event: EventRecord }
  | { op: "audit"; entry: AuditEntry }
  | { op: "journal"; scope: string; key: string; value: unknown }
  | { op: "due"; key: ResourceRef; at: number | undefined };

/**
 * Where the daemon keeps everything. Every implementation passes `test/core/store/store.contract.ts`.
 *
 * Resources are keyed by (kind, project, name). The store gives a created one its uid, generation 1,
 * resourceVersion and creationTimestamp. What it returns belongs to the caller, who may change it.
 * Secrets' values are encrypted before they reach the disk.
 */
export interface Store {
  get(ref: ResourceRef): Promise<Resource | undefined>;
  /** In the order of creation (the oldest first), unless `limit` is given. */
  list(query: ListQuery): Promise<Resource[]>;
  /**
   * Performs all writes in one transaction and returns what each of them stored, in the same order.
   * Without `readBack` nothing is returned: it costs time where the same large resource is written often.
   */
  write(writes: readonly Write[], options?: { readBack?: boolean }): Promise<(Resource | undefined)[]>;
  /** Calls back after each committed change, in order. Returns the function that ends it. */
  watch(listener: (change: ResourceChange) => void): () => void;

  /**
   * The newest last. `after` is the id of the last event already seen; with it, `limit` counts from there
   * on, without it, from the newest back.
   */
  events(query: {
    project?: string;
    regarding?: ResourceRef;
    after?: number;
    limit?: number;
  }): Promise<EventRecord[]>;

  /** The newest last; `after` and `limit` as in `events`. */
  audit(query: { project?: string; after?: number; limit?: number }): Promise<AuditEntry[]>;

  /** What was journalled under this key, wrapped so that a recorded `undefined` is told from nothing. */
  journal(scope: string, key: string): Promise<{ value: unknown } | undefined>;
  /** Forgets the scope and all that start with `<scope>/`. */
  forgetJournal(scope: string): Promise<void>;

  /** Due times at or before `before` (milliseconds since the epoch), the earliest first. */
  due(before: number): Promise<DueTime[]>;

  appendLog(key: LogKey, lines: readonly LogLine[]): Promise<void>;
  /** Lines from number `from` on (the first is 0). */
  readLog(key: LogKey, from: number, limit?: number): Promise<LogLine[]>;
  /** Calls back when lines were appended to this log. Returns the function that ends it. */
  watchLog(key: LogKey, listener: () => void): () => void;

  close(): Promise<void>;
}

/** The resource was changed by somebody else since it was read. Read it again and try again. */
export class ConflictError extends Error {
  override name = "ConflictError";
}

export class AlreadyExistsError extends Error {
  override name = "AlreadyExistsError";
}

export class TakenError extends Error {
  override name = "TakenError";
}

export class NotFoundError extends Error {
  override name = "NotFoundError";
}
