/** Written into the file's header, so that a database of somebody else is never taken for ours. */
export const applicationId = 0x546f7770;

/**
 * What each schema version adds to the one before it; the first makes version 1. A released entry is never
 * changed: databases in the field have run it.
 *
 * `body` is the resource as JSON without its status and without what has columns of its own. The
 * expressions of the indexes must read as `list-query.ts` writes them, or they are not used.
 */
export const migrations: readonly string[] = [
  `
  create table settings (
    name text primary key,
    value text not null
  ) strict, without rowid;

  create table sequence (value integer not null) strict;
  insert into sequence values (0);

  create table resources (
    id integer primary key autoincrement,
    kind text not null,
    project text not null,
    name text not null,
    uid text not null,
    generation integer not null,
    version integer not null,
    created_at text not null,
    body text not null,
    status text,
    unique (kind, project, name)
  ) strict;

  create index promotions_by_stage on resources
    (project, ifnull(json_extract(body, '$.spec.stage'), ''), ifnull(json_extract(status, '$.phase'), ''))
    where kind = 'Promotion';
  create index promotions_by_phase on resources
    (ifnull(json_extract(status, '$.phase'), ''))
    where kind = 'Promotion';
  create index promotions_by_freight on resources
    (project, ifnull(json_extract(body, '$.spec.stage'), ''), ifnull(json_extract(body, '$.spec.freight'), ''))
    where kind = 'Promotion';
  create index analysis_runs_by_phase on resources
    (ifnull(json_extract(status, '$.phase'), ''))
    where kind = 'AnalysisRun';
  create index freight_by_origin on resources
    (project, ifnull(json_extract(body, '$.origin.name'), ''))
    where kind = 'Freight';

  create table labels (
    name text not null,
    value text not null,
    resource integer not null references resources (id) on delete cascade,
    primary key (name, value, resource)
  ) strict, without rowid;
  create index labels_by_resource on labels (resource);

  create table events (
    id integer primary key autoincrement,
    project text,
    kind text not null,
    name text not null,
    record text not null
  ) strict;
  create index events_by_project on events (project, kind, name);

  create table journal (
    scope text not null,
    key text not null,
    value text,
    primary key (scope, key)
  ) strict, without rowid;

  create table due (
    kind text not null,
    project text not null,
    name text not null,
    at integer not null,
    primary key (kind, project, name)
  ) strict, without rowid;
  create index due_by_time on due (at);

  create table logs (
    id integer primary key,
    project text not null,
    promotion text not null,
    step text not null,
    lines integer not null default 0,
    bytes integer not null default 0,
    full integer not null default 0,
    unique (project, promotion, step)
  ) strict;

  create table log_lines (
    log integer not null references logs (id) on delete cascade,
    number integer not null,
    at text not null,
    stream text not null,
    text text not null,
    primary key (log, number)
  ) strict, without rowid;

  -- How selective the indexes are, told once rather than measured: SQLite then answers each query the
  -- same way in a store of any size. The numbers are rows in all, and for each further column rows with
  -- equal values up to it.
  analyze sqlite_schema;
  insert into sqlite_stat1 (tbl, idx, stat) values
    ('resources', 'sqlite_autoindex_resources_1', '100000 20000 2000 1'),
    ('resources', 'promotions_by_stage', '50000 5000 100 20'),
    ('resources', 'promotions_by_freight', '50000 5000 100 2'),
    ('resources', 'promotions_by_phase', '50000 50'),
    ('resources', 'analysis_runs_by_phase', '20000 50'),
    ('resources', 'freight_by_origin', '10000 1000 100'),
    ('labels', 'labels', '100000 5000 20 1'),
    ('labels', 'labels_by_resource', '100000 3');
  analyze sqlite_schema;
  `,
  `
  create table audit (
    id integer primary key autoincrement,
    project text,
    record text not null
  ) strict;
  create index audit_by_project on audit (project, id);
  `,
];
