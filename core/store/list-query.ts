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
    conditions.push(`${pathExpression(path)} in (${accepted.map(() => "?").join(", ")})`);
    values.push(...accepted.map((value) => value ?? ""));
  }
  const labels = Object.entries(query.labels ?? {});
  labels.forEach(([name, value], index) => {
    conditions.push(`label${index}.name = ? and label${index}.value = ?`);
    values.push(name, value);
  });
  let sql = `select resources.* from ${tables(labels.length)} where ${conditions.join(" and ")} order by id`;
  if (query.limit !== undefined) {
    sql += " desc limit ?";
    values.push(query.limit);
  }
  return { sql, values };
}

/** Labels select more narrowly than kind and project; a cross join has SQLite look at them first. */
function tables(labels: number): string {
  if (labels === 0) return "resources";
  const [first, ...others] = Array.from({ length: labels }, (_, index) => `label${index}`);
  const joined = others.map(
    (name) => ` cross join labels as ${name} on ${name}.resource = ${first}.resource`,
  );
  return `labels as ${first}${joined.join("")} cross join resources on resources.id = ${first}.resource`;
}

/** The kind stands in the statement itself: SQLite uses a partial index only where it can read the kind. */
function kindCondition(kind: string, values: SQLInputValue[]): string {
  if (/^[A-Za-z]+$/.test(kind)) return `kind = '${kind}'`;
  values.push(kind);
  return "kind = ?";
}

/** What stands at a dotted path of a resource, or '' where nothing does; written as the indexes write it. */
function pathExpression(dotted: string): string {
  if (columns[dotted] !== undefined) return columns[dotted];
  const names = dotted.split(".");
  if (!names.every((name) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name))) {
    throw new Error(`Cannot list by "${dotted}": a path is made of names with dots between them`);
  }
  const [first, ...rest] = names;
  const [column, path] = first === "status" ? ["status", rest] : ["body", names];
  return `ifnull(json_extract(${column}, '${["$", ...path].join(".")}'), '')`;
}
