import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";

/** Enough for every query that the program writes; a bound against queries made of what users ask for. */
const maxStatements = 500;

/** A connection that prepares each statement once. */
export interface Statements {
  get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined;
  all<Row>(sql: string, ...values: SQLInputValue[]): Row[];
  /** Returns how many rows were changed. */
  run(sql: string, ...values: SQLInputValue[]): number;
  /** All of `work` is on disk when it returns; nothing of it when it throws. */
  transaction<T>(work: () => T): T;
  isInTransaction(): boolean;
}

export function createStatements(db: DatabaseSync): Statements {
  const prepared = new Map<string, StatementSync>();

  function prepare(sql: string): StatementSync {
    let statement = prepared.get(sql);
    if (statement === undefined) {
      if (prepared.size >= maxStatements) prepared.clear();
      statement = db.prepare(sql);
      prepared.set(sql, statement);
    }
    return statement;
  }

  return {
    get: <Row>(sql: string, ...values: SQLInputValue[]) => prepare(sql).get(...values) as Row | undefined,
    all: <Row>(sql: string, ...values: SQLInputValue[]) => prepare(sql).all(...values) as Row[],
    run: (sql, ...values) => Number(prepare(sql).run(...values).changes),
    transaction(work) {
      prepare("begin immediate").run();
      try {
        const result = work();
        prepare("commit").run();
        return result;
      } catch (error) {
        // A full disk has rolled back already.
        if (db.isTransaction) prepare("rollback").run();
        throw error;
      }
    },
    isInTransaction: () => db.isTransaction,
  };
}
