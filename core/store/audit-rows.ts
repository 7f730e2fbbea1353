import type { SQLInputValue } from "node:sqlite";
import type { Statements } from "#core/store/statements.ts";
import type { AuditEntry, Store } from "#core/store/store.ts";

export function addAuditEntry(sql: Statements, { id: _, ...entry }: AuditEntry, limit: number): void {
  const row = sql.get<{ id: number }>(
    "insert into audit (project, record) values (?, ?) returning id",
    entry.project ?? null,
    JSON.stringify(entry),
  );
  sql.run("delete from audit where id <= ?", (row?.id ?? 0) - limit);
}

/** The newest `limit` of them, or after an id the next `limit`, in the order in which they came. */
export function findAuditEntries(
  sql: Statements,
  { project, after, limit }: Parameters<Store["audit"]>[0],
): AuditEntry[] {
  const values: SQLInputValue[] = [after ?? 0];
  if (project !== undefined) values.push(project);
  const newestFirst = after === undefined;
  const rows = sql.all<{ id: number; record: string }>(
    `select id, record from audit where id > ? ${project === undefined ? "" : "and project = ?"}
     order by id ${newestFirst ? "desc" : "asc"} limit ?`,
    ...values,
    limit ?? -1,
  );
  if (newestFirst) rows.reverse();
  return rows.map(({ id, record }) => ({ ...(JSON.parse(record) as AuditEntry), id }));
}
