import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { createStatements } from "#core/store/statements.ts";
import { createWriteGroup } from "#core/store/write-group.ts";

function openGroup() {
  const db = new DatabaseSync(":memory:");
  db.exec("create table t (value text unique)");
  const sql = createStatements(db);
  let transactions = 0;
  const counting = {
    ...sql,
    transaction<T>(work: () => T): T {
      transactions += 1;
      return sql.transaction(work);
    },
  };
  const group = createWriteGroup(counting);
  return {
    group,
    insert: (value: string) => group.add(() => sql.run("insert into t values (?)", value)),
    values: () => sql.all<{ value: string }>("select value from t order by rowid").map(({ value }) => value),
    transactions: () => transactions,
    sql,
  };
}

describe("writes of one turn", () => {
  it("share a transaction, in their order", async () => {
    const { insert, values, transactions } = openGroup();
    await Promise.all(["a", "b", "c"].map(insert));
    expect(values()).toEqual(["a", "b", "c"]);
    expect(transactions()).toBe(1);
  });

  it("fail alone: what else the failing batch did is undone, the others stay", async () => {
    const { group, insert, values, sql } = openGroup();
    const failing = group.add(() => {
      sql.run("insert into t values ('half')");
      throw new Error("no");
    });
    const results = await Promise.allSettled([insert("before"), failing, insert("after")]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(values()).toEqual(["before", "after"]);
  });

  it("all fail when the transaction is lost", async () => {
    const { group, insert, values, sql } = openGroup();
    const losing = group.add(() => {
      sql.run("rollback");
      throw new Error("disk full");
    });
    const results = await Promise.allSettled([insert("before"), losing, insert("after")]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(values()).toEqual([]);
    await insert("later");
    expect(values()).toEqual(["later"]);
  });

  it("can be written at once", () => {
    const { group, insert, values } = openGroup();
    void insert("a");
    group.flush();
    expect(values()).toEqual(["a"]);
  });
});
