import type { StoreLimits } from "#core/store/limits.ts";
import type { Statements } from "#core/store/statements.ts";
import type { LogKey, LogLine } from "#core/store/store.ts";

interface LogRow {
  id: number;
  lines: number;
  bytes: number;
  full: number;
}

/** Appends as far as the limits allow; where they are reached, one last line says so. */
export function appendLog(
  sql: Statements,
  { project, promotion, step }: LogKey,
  lines: readonly LogLine[],
  limits: StoreLimits,
): void {
  const log = sql.get<LogRow>(
    `insert into logs (project, promotion, step) values (?, ?, ?)
     on conflict do update set step = excluded.step
     returning id, lines, bytes, full`,
    project,
    promotion,
    step,
  ) as LogRow;
  if (log.full === 1) return;

  const add = (line: LogLine) => {
    sql.run(
      "insert into log_lines (log, number, at, stream, text) values (?, ?, ?, ?, ?)",
      log.id,
      log.lines,
      line.at,
      line.stream,
      line.text,
    );
    log.lines += 1;
    log.bytes += Buffer.byteLength(line.text);
  };

  for (const line of lines) {
    if (log.lines >= limits.logLines || log.bytes + Buffer.byteLength(line.text) > limits.logBytes) {
      add({
        at: line.at,
        stream: "system",
        text: "The log has reached its limit; what follows is not kept.",
      });
      log.full = 1;
      break;
    }
    add(line);
  }
  sql.run(
    "update logs set lines = ?, bytes = ?, full = ? where id = ?",
    log.lines,
    log.bytes,
    log.full,
    log.id,
  );
}

export function readLog(
  sql: Statements,
  { project, promotion, step }: LogKey,
  from: number,
  limit: number,
): LogLine[] {
  return sql.all<LogLine>(
    `select at, stream, text from log_lines
     where log = (select id from logs where project = ? and promotion = ? and step = ?) and number >= ?
     order by number limit ?`,
    project,
    promotion,
    step,
    from,
    limit,
  );
}

export function forgetLogs(sql: Statements, project: string, promotion: string): void {
  sql.run("delete from logs where project = ? and promotion = ?", project, promotion);
}
