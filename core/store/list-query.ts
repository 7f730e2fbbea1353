import type { SQLInputValue } from "node:sqlite";
import type { ListQuery } from "#core/store/store.ts";

const columns: Record<string, string> = {
  "metadata.name": "name",
  "metadata.namespace": "project",
  "metadata.uid": "uid",
};

/** The statement that answers a query, and its values. */
export function listStatement(query: ListQuery): { sql: string; values: SQLInputValue[] } {
  const values: SQLInputValue[] = [];
  const conditions = [kindCondition(query.kind, values)];
  if (query.project !== undefined) {
    conditions.push("project = ?");
    values.push(query.project);
  }
  for (const [path, accepted] of Object.entries(query.where ?? {})) {
    conditions.push(pathCondition(pathExpression(path), accepted, values));
  }
  for (const [name, value] of Object.entries(query.labels ?? {})) {
    conditions.push("id in (select resource from labels where name = ? and value = ?)");
    values.push(name, value);
  }
  let sql = `select * from resources where ${conditions.join(" and ")} order by id`;
  if (query.limit !== undefined) {
    sql += " desc limit ?";
    values.push(query.limit);
  }
  return { sql, values };
}

/** The kind stands in the statement itself: SQLite uses a partial index only where it can read the kind. */
function kindCondition(kind: string, values: SQLInputValue[]): string {
  if (/^[A-Za-z]+$/.test(kind)) return `kind = '${kind}'`;
  values.push(kind);
  return "kind = ?";
}

function pathCondition(
  expression: string,
  accepted: readonly (string | null)[],
  values: SQLInputValue[],
): string {
  const texts = accepted.filter((value) => value !== null);
  values.push(...texts);
  const isOneOf = `${expression} in (${texts.map(() => "?").join(", ")})`;
  return texts.length === accepted.length ? isOneOf : `(${isOneOf} or ${expression} is null)`;
}

/** What stands at a dotted path of a resource, as SQL; written as the indexes write it. */
function pathExpression(path: string): string {
  const column = columns[path];
  if (column !== undefined) return column;
  const names = path.split(".");
  if (!names.every((name) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name))) {
    throw new Error(`Cannot list by "${path}": a path is made of names with dots between them`);
  }
  const [first, ...rest] = names;
  if (first === "status") return `json_extract(status, '${["$", ...rest].join(".")}')`;
  return `json_extract(body, '${["$", ...names].join(".")}')`;
}
