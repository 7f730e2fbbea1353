import type { SQLInputValue } from "node:sqlite";
import type { StoreLimits } from "#core/store/limits.ts";
import type { Statements } from "#core/store/statements.ts";
import type { EventRecord, Store } from "#core/store/store.ts";

interface EventRow {
  id: number;
  record: string;
}

export function addEvent(sql: Statements, { id: _, ...event }: EventRecord, limits: StoreLimits): void {
  const row = sql.get<{ id: number }>(
    "insert into events (project, kind, name, record) values (?, ?, ?, ?) returning id",
    event.project ?? null,
    event.regarding.kind,
    event.regarding.name,
    JSON.stringify(event),
  );
  sql.run("delete from events where id <= ?", (row?.id ?? 0) - limits.events);
}

/** The newest `limit` of them, or after an id the next `limit`, in the order in which they came. */
export function findEvents(sql: Statements, query: Parameters<Store["events"]>[0]): EventRecord[] {
  const conditions = ["id > ?"];
  const values: SQLInputValue[] = [query.after ?? 0];
  const project = query.project ?? query.regarding?.project;
  if (project !== undefined) {
    conditions.push("project = ?");
    values.push(project);
  }
  if (query.regarding !== undefined) {
    conditions.push("kind = ?", "name = ?");
    values.push(query.regarding.kind, query.regarding.name);
  }
  const newestFirst = query.after === undefined;
  const rows = sql.all<EventRow>(
    `select id, record from events where ${conditions.join(" and ")}
     order by id ${newestFirst ? "desc" : "asc"} limit ?`,
    ...values,
    query.limit ?? -1,
  );
  if (newestFirst) rows.reverse();
  return rows.map((row) => ({ ...(JSON.parse(row.record) as EventRecord), id: row.id }));
}
