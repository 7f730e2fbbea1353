import { randomUUID } from "node:crypto";
import type { Cipher } from "#core/credentials/cipher.ts";
import { formatRef, type Resource, type ResourceRef, refOf } from "#core/resources/resource.ts";
import { analysisLogOwner } from "#core/store/log-owner.ts";
import { forgetLogs } from "#core/store/log-rows.ts";
import { compareWithRow, type ResourceRow, toBody } from "#core/store/resource-rows.ts";
import type { Statements } from "#core/store/statements.ts";
import {
  AlreadyExistsError,
  ConflictError,
  NotFoundError,
  type ResourceChange,
  TakenError,
} from "#core/store/store.ts";

/** What a write left of a resource, and what watchers hear of it; no `type` when nothing was changed. */
export interface Written {
  type: ResourceChange["type"] | undefined;
  row: ResourceRow;
}

export function findRow(sql: Statements, { kind, project, name }: ResourceRef): ResourceRow | undefined {
  return sql.get<ResourceRow>(
    "select * from resources where kind = ? and project = ? and name = ?",
    kind,
    project ?? "",
    name,
  );
}

export function createResource(sql: Statements, cipher: Cipher, resource: Resource, now: Date): Written {
  const ref = refOf(resource);
  if (findRow(sql, ref) !== undefined) {
    throw new AlreadyExistsError(`Cannot create ${formatRef(ref)}: it exists already`);
  }
  const row: ResourceRow = {
    id: 0,
    kind: ref.kind,
    project: ref.project ?? "",
    name: ref.name,
    uid: randomUUID(),
    generation: 1,
    version: nextVersion(sql),
    created_at: `${now.toISOString().slice(0, 19)}Z`,
    body: toBody(resource, cipher),
    status: resource.status === undefined ? null : JSON.stringify(resource.status),
  };
  const inserted = sql.get<{ id: number }>(
    `insert into resources (kind, project, name, uid, generation, version, created_at, body, status)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?) returning id`,
    row.kind,
    row.project,
    row.name,
    row.uid,
    row.generation,
    row.version,
    row.created_at,
    row.body,
    row.status,
  );
  row.id = inserted?.id ?? 0;
  writeLabels(sql, row.id, resource);
  return { type: "ADDED", row };
}

export function updateResource(sql: Statements, cipher: Cipher, resource: Resource): Written {
  const row = getRow(sql, refOf(resource), "update", resource.metadata.resourceVersion);
  const difference = compareWithRow(resource, row, cipher);
  if (difference === "same") return { type: undefined, row };
  row.body = toBody(resource, cipher);
  row.version = nextVersion(sql);
  if (difference === "more") row.generation += 1;
  sql.run(
    "update resources set body = ?, version = ?, generation = ? where id = ?",
    row.body,
    row.version,
    row.generation,
    row.id,
  );
  sql.run("delete from labels where resource = ?", row.id);
  writeLabels(sql, row.id, resource);
  return { type: "MODIFIED", row };
}

export function writeStatus(
  sql: Statements,
  ref: ResourceRef,
  status: unknown,
  resourceVersion: string | undefined,
): Written {
  const row = getRow(sql, ref, "write the status of", resourceVersion);
  const written = status === undefined ? null : JSON.stringify(status);
  if (written === row.status) return { type: undefined, row };
  row.status = written;
  row.version = nextVersion(sql);
  sql.run("update resources set status = ?, version = ? where id = ?", row.status, row.version, row.id);
  return { type: "MODIFIED", row };
}

/** Forgets with the resource what only it needed: labels, due time, journal and logs. */
export function deleteResource(sql: Statements, ref: ResourceRef): Written {
  const row = getRow(sql, ref, "delete", undefined);
  row.version = nextVersion(sql);
  sql.run("delete from resources where id = ?", row.id);
  sql.run("delete from due where kind = ? and project = ? and name = ?", row.kind, row.project, row.name);
  forgetJournal(sql, row.uid);
  if (row.kind === "Promotion") forgetLogs(sql, row.project, row.name);
  if (row.kind === "AnalysisRun") forgetLogs(sql, row.project, analysisLogOwner(row.name));
  return { type: "DELETED", row };
}

/** Throws a TakenError when another resource of the kind and the project has the same value for the label. */
export function requireUnique(sql: Statements, ref: ResourceRef, label: string): void {
  const row = getRow(sql, ref, "check", undefined);
  const other = sql.get<{ name: string; value: string }>(
    `select resources.name as name, theirs.value as value
     from labels as own
     join labels as theirs on theirs.name = own.name and theirs.value = own.value
     join resources on resources.id = theirs.resource
     where own.resource = ? and own.name = ? and theirs.resource <> own.resource
       and resources.kind = ? and resources.project = ?
     limit 1`,
    row.id,
    label,
    row.kind,
    row.project,
  );
  if (other === undefined) return;
  throw new TakenError(
    `Cannot write ${formatRef(ref)}: ${ref.kind} "${other.name}" has the label ${label}=${other.value} already`,
  );
}

export function forgetJournal(sql: Statements, scope: string): void {
  // "0" is the character after "/": what starts with `scope/` and nothing else.
  sql.run(
    "delete from journal where scope = ? or (scope >= ? and scope < ?)",
    scope,
    `${scope}/`,
    `${scope}0`,
  );
}

function getRow(
  sql: Statements,
  ref: ResourceRef,
  doing: string,
  expectedVersion: string | undefined,
): ResourceRow {
  const row = findRow(sql, ref);
  if (row === undefined) throw new NotFoundError(`Cannot ${doing} ${formatRef(ref)}: there is none`);
  if (expectedVersion !== undefined && expectedVersion !== "" && expectedVersion !== String(row.version)) {
    throw new ConflictError(
      `Cannot ${doing} ${formatRef(ref)}: it was changed since it was read (version ${expectedVersion}, now ${row.version})`,
    );
  }
  return row;
}

function nextVersion(sql: Statements): number {
  const row = sql.get<{ value: number }>("update sequence set value = value + 1 returning value");
  return row?.value ?? 0;
}

function writeLabels(sql: Statements, id: number, resource: Resource): void {
  for (const [name, value] of Object.entries(resource.metadata.labels ?? {})) {
    sql.run("insert into labels (name, value, resource) values (?, ?, ?)", name, value, id);
  }
}
