import type { Statements } from "#core/store/statements.ts";

/** Batches of writes that come in the same turn of the event loop share one transaction: one sync of the disk. */
export interface WriteGroup {
  /** Resolves when the batch is on disk. One that throws is undone by itself; the others are not. */
  add<T>(batch: () => T): Promise<T>;
  /** Writes what is waiting, now. */
  flush(): void;
}

interface Waiting {
  /** Does the work and returns what to do once it is on disk. */
  perform(): () => void;
  reject(error: unknown): void;
}

export function createWriteGroup(sql: Statements): WriteGroup {
  let waiting: Waiting[] = [];

  function flush(): void {
    const batches = waiting;
    waiting = [];
    if (batches.length === 0) return;
    try {
      const settle = sql.transaction(() => batches.map((batch) => performAlone(sql, batch)));
      for (const tell of settle) tell();
    } catch (error) {
      for (const { reject } of batches) reject(error);
    }
  }

  return {
    flush,
    add<T>(batch: () => T): Promise<T> {
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      const perform = () => {
        const result = batch();
        return () => resolve(result);
      };
      if (waiting.push({ perform, reject }) === 1) setImmediate(flush);
      return promise;
    },
  };
}

/** Performs one batch so that it can be undone without the others. */
function performAlone(sql: Statements, { perform, reject }: Waiting): () => void {
  sql.run("savepoint batch");
  try {
    const resolve = perform();
    sql.run("release batch");
    return resolve;
  } catch (error) {
    // A full disk has ended the whole transaction already: then all of its batches have failed.
    if (!sql.isInTransaction()) throw error;
    sql.run("rollback to batch");
    sql.run("release batch");
    return () => reject(error);
  }
}
