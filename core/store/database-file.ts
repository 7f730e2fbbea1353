import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { applicationId, migrations } from "#core/store/migrations.ts";
import { isBusy, StoreError, toStoreError } from "#core/store/store-error.ts";

export interface DatabaseFile {
  db: DatabaseSync;
  close(): void;
}

/**
 * Opens the database, holds it against other processes until it is closed or this process ends, however it
 * ends, and brings its schema up to date. A file that is damaged, newer than this program or not ours is
 * refused with a StoreError, and not a byte of it is changed.
 */
export function openDatabaseFile(file: string): DatabaseFile {
  if (file === ":memory:") {
    const db = new DatabaseSync(file);
    migrate(db, file);
    return { db, close: () => db.close() };
  }
  const lock = holdLock(file);
  let db: DatabaseSync | undefined;
  try {
    checkHeader(file);
    db = new DatabaseSync(file, { timeout: 5_000 });
    migrate(db, file);
    // A rollback journal until the first schema stands, so that the header is ours from the first byte on.
    db.exec("pragma journal_mode = wal; pragma synchronous = full; pragma journal_size_limit = 16777216");
    return {
      db,
      close() {
        db?.close();
        lock.close();
      },
    };
  } catch (error) {
    db?.close();
    lock.close();
    throw toStoreError(error, file);
  }
}

/**
 * Holds a write lock on a file beside the database. The operating system drops such a lock with the
 * process, so that a killed daemon leaves none behind. It is another file than the database so that this
 * can still be read with SQLite's own tools while the daemon runs.
 */
function holdLock(file: string): DatabaseSync {
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(`${file}.lock`);
    lock.exec("begin immediate");
    return lock;
  } catch (error) {
    lock?.close();
    if (!isBusy(error)) throw toStoreError(error, file);
    throw new StoreError("locked", `Cannot open the store "${file}": another daemon is using it`, {
      cause: error,
      hint: "Stop the other daemon, or give this one a data folder of its own",
    });
  }
}

/** Offsets in the header of an SQLite file. */
const magic = "SQLite format 3\0";
const userVersionAt = 60;
const applicationIdAt = 68;
const headerLength = 100;

/** Looks at the file's first bytes before SQLite may touch it. */
function checkHeader(file: string): void {
  // With a rollback journal beside it, the header is whole only after SQLite has played the journal back.
  if (!existsSync(file) || existsSync(`${file}-journal`)) return;
  const header = Buffer.alloc(headerLength);
  const descriptor = openSync(file, "r");
  const length = readSync(descriptor, header, 0, headerLength, 0);
  closeSync(descriptor);
  if (length === 0) return;
  if (length < headerLength || header.toString("latin1", 0, magic.length) !== magic) {
    throw new StoreError("corrupt", `Cannot read the store "${file}": it is not an SQLite database`, {
      hint: "Put a backup in its place, or move it away to start with an empty store",
    });
  }
  if (header.readUInt32BE(applicationIdAt) !== applicationId) {
    throw new StoreError("foreign", `Cannot open "${file}": it is the database of another program`, {
      hint: "Give the daemon a data folder of its own",
    });
  }
  refuseNewer(header.readUInt32BE(userVersionAt), file);
}

function refuseNewer(version: number, file: string): void {
  if (version <= migrations.length) return;
  throw new StoreError(
    "newer",
    `Cannot open the store "${file}": a newer version wrote it (schema ${version}, known up to ${migrations.length})`,
    { hint: "Install that version again, or put a backup from before the upgrade in its place" },
  );
}

function migrate(db: DatabaseSync, file: string): void {
  const { user_version: version } = db.prepare("pragma user_version").get() as { user_version: number };
  refuseNewer(version, file);
  if (version === migrations.length) {
    // Reads the schema, which is where damage shows without reading every page.
    db.prepare("select value from sequence").get();
    return;
  }
  db.exec("begin exclusive");
  for (const migration of migrations.slice(version)) db.exec(migration);
  db.exec(`pragma application_id = ${applicationId}; pragma user_version = ${migrations.length}; commit`);
  // Puts the new version into the file's header, where an older program looks for it.
  db.exec("pragma wal_checkpoint(truncate)");
}
