import type { DatabaseSync } from "node:sqlite";
import type { Cipher } from "#core/credentials/cipher.ts";
import { addAuditEntry, findAuditEntries } from "#core/store/audit-rows.ts";
import { type DatabaseFile, openDatabaseFile } from "#core/store/database-file.ts";
import { addEvent, findEvents } from "#core/store/event-rows.ts";
import { type StoreLimits, storeLimitsFrom } from "#core/store/limits.ts";
import { listStatement } from "#core/store/list-query.ts";
import { appendLog, readLog } from "#core/store/log-rows.ts";
import { type ResourceRow, toResource } from "#core/store/resource-rows.ts";
import {
  createResource,
  deleteResource,
  findRow,
  forgetJournal,
  requireUnique,
  updateResource,
  type Written,
  writeStatus,
} from "#core/store/resource-writes.ts";
import { createStatements, type Statements } from "#core/store/statements.ts";
import type { DueTime, LogKey, ResourceChange, Store, Write } from "#core/store/store.ts";
import { StoreError, toStoreError } from "#core/store/store-error.ts";
import { createWatchers, type Watchers } from "#core/store/watchers.ts";
import { createWriteGroup } from "#core/store/write-group.ts";

export interface SqliteStoreOptions {
  /** Path of the database, whose folder must exist; ":memory:" keeps nothing. */
  file: string;
  cipher: Cipher;
  now?: () => Date;
  limits?: Partial<StoreLimits>;
}

/**
 * Opens the store that lives in one SQLite file. Reading is done at once; writes of the same turn of the
 * event loop are committed together. Throws a StoreError when the file cannot be used.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const database = openDatabaseFile(options.file);
  try {
    return createSqliteStore(database, options);
  } catch (error) {
    database.close();
    throw toStoreError(error, options.file);
  }
}

function createSqliteStore(database: DatabaseFile, options: SqliteStoreOptions): Store {
  const { cipher, file, now = () => new Date() } = options;
  const limits = { ...storeLimitsFrom({}), ...options.limits };
  const sql = createStatements(database.db);
  const group = createWriteGroup(sql);
  const changes = createWatchers<ResourceChange>();
  const logWatchers = new Map<string, Watchers<undefined>>();
  limitSize(database.db, limits.storeBytes);
  checkKey(sql, cipher, file);

  /** Runs one question or one transaction; what SQLite says of the file becomes a StoreError. */
  function ask<T>(question: () => T): T {
    try {
      return question();
    } catch (error) {
      throw toStoreError(error, file);
    }
  }

  function perform(write: Write): Written | undefined {
    switch (write.op) {
      case "create":
        return createResource(sql, cipher, write.resource, now());
      case "update":
        return updateResource(sql, cipher, write.resource);
      case "status":
        return writeStatus(sql, write.ref, write.status, write.resourceVersion);
      case "delete":
        return deleteResource(sql, write.ref);
      case "unique":
        requireUnique(sql, write.ref, write.label);
        return undefined;
      case "event":
        addEvent(sql, write.event, limits);
        return undefined;
      case "audit":
        addAuditEntry(sql, write.entry, limits.auditEntries);
        return undefined;
      case "journal":
        writeJournal(sql, write.scope, write.key, write.value, limits);
        return undefined;
      case "due":
        writeDue(sql, write.key, write.at);
        return undefined;
      default:
        return write satisfies never;
    }
  }

  return {
    async get(ref) {
      const row = ask(() => findRow(sql, ref));
      return row === undefined ? undefined : toResource(row, cipher);
    },
    async list(query) {
      const { sql: statement, values } = listStatement(query);
      return ask(() => sql.all<ResourceRow>(statement, ...values)).map((row) => toResource(row, cipher));
    },
    async write(writes, { readBack = true } = {}) {
      const written = await group.add(() => ask(() => writes.map((write) => perform(write))));
      if (changes.size > 0) changes.tell(written.flatMap((one) => toChange(one, cipher)));
      if (!readBack) return [];
      return written.map((one) => (one === undefined ? undefined : toResource(one.row, cipher)));
    },
    watch: (listener) => changes.add(listener),

    events: async (query) => ask(() => findEvents(sql, query)),
    audit: async (query) => ask(() => findAuditEntries(sql, query)),

    async journal(scope, key) {
      const row = ask(() =>
        sql.get<{ value: string | null }>(
          "select value from journal where scope = ? and key = ?",
          scope,
          key,
        ),
      );
      if (row === undefined) return undefined;
      return { value: row.value === null ? undefined : JSON.parse(row.value) };
    },
    forgetJournal: async (scope) => ask(() => sql.transaction(() => forgetJournal(sql, scope))),

    due: async (before) => ask(() => findDue(sql, before)),

    async appendLog(key, lines) {
      ask(() => withoutSync(database.db, () => sql.transaction(() => appendLog(sql, key, lines, limits))));
      logWatchers.get(logName(key))?.tell([undefined]);
    },
    readLog: async (key, from, limit = -1) => ask(() => readLog(sql, key, from, limit)),
    watchLog(key, listener) {
      const name = logName(key);
      const watchers = logWatchers.get(name) ?? createWatchers<undefined>();
      logWatchers.set(name, watchers);
      const end = watchers.add(listener);
      return () => {
        end();
        if (watchers.size === 0) logWatchers.delete(name);
      };
    },

    async close() {
      group.flush();
      database.close();
    },
  };
}

function toChange(written: Written | undefined, cipher: Cipher): ResourceChange[] {
  if (written?.type === undefined) return [];
  return [{ type: written.type, resource: toResource(written.row, cipher) }];
}

function limitSize(db: DatabaseSync, bytes: number): void {
  const { page_size: pageSize } = db.prepare("pragma page_size").get() as { page_size: number };
  db.exec(`pragma max_page_count = ${Math.floor(bytes / pageSize)}`);
}

/** Refuses a key that is not the one that the store's secrets are sealed with, before it seals more with it. */
function checkKey(sql: Statements, cipher: Cipher, file: string): void {
  const context = "the key check";
  const row = sql.get<{ value: string }>("select value from settings where name = 'key check'");
  if (row === undefined) {
    sql.run("insert into settings (name, value) values ('key check', ?)", cipher.seal("towpath", context));
    return;
  }
  try {
    cipher.open(row.value, context);
  } catch (error) {
    throw new StoreError(
      "wrong key",
      `Cannot open the store "${file}": its secrets were sealed with another key`,
      {
        cause: error,
        hint: "Give the key that the store was created with",
      },
    );
  }
}

function writeJournal(
  sql: Statements,
  scope: string,
  key: string,
  value: unknown,
  limits: StoreLimits,
): void {
  const text = value === undefined ? null : JSON.stringify(value);
  const bytes = Buffer.byteLength(text ?? "");
  if (bytes > limits.journalBytes) {
    throw new Error(
      `Cannot journal "${key}" of "${scope}": ${bytes} bytes are more than the ${limits.journalBytes} allowed`,
    );
  }
  sql.run(
    `insert into journal (scope, key, value) values (?, ?, ?)
     on conflict do update set value = excluded.value`,
    scope,
    key,
    text,
  );
}

function writeDue(sql: Statements, { kind, project, name }: DueTime["key"], at: number | undefined): void {
  if (at === undefined) {
    sql.run("delete from due where kind = ? and project = ? and name = ?", kind, project ?? "", name);
    return;
  }
  sql.run(
    `insert into due (kind, project, name, at) values (?, ?, ?, ?)
     on conflict do update set at = excluded.at`,
    kind,
    project ?? "",
    name,
    Math.ceil(at),
  );
}

function findDue(sql: Statements, before: number): DueTime[] {
  // Beyond what an integer column holds, Infinity among it: everything.
  const latest = Math.min(before, Number.MAX_SAFE_INTEGER);
  return sql
    .all<{ kind: string; project: string; name: string; at: number }>(
      "select kind, project, name, at from due where at <= ? order by at",
      Math.floor(latest),
    )
    .map(({ kind, project, name, at }) => ({
      key: project === "" ? { kind, name } : { kind, project, name },
      at,
    }));
}

/**
 * Log lines are worth no wait for the disk: the next write of anything else takes them along, and losing
 * the last ones in a power cut loses no promise.
 */
function withoutSync(db: DatabaseSync, work: () => void): void {
  db.exec("pragma synchronous = normal");
  try {
    work();
  } finally {
    db.exec("pragma synchronous = full");
  }
}

function logName({ project, promotion, step }: LogKey): string {
  return JSON.stringify([project, promotion, step]);
}
