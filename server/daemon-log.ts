import type { ServerLog } from "#server/services.ts";

/** Writes a JSON object a line: time, level, message and whatever else is known. Texts are masked. */
export function createDaemonLog(output: NodeJS.WritableStream, mask: (text: string) => string): ServerLog {
  const write = (level: string, message: string, fields: Record<string, unknown> = {}) => {
    const line = JSON.stringify({ time: new Date().toISOString(), level, message, ...fields }, errorsAsText);
    output.write(`${mask(line)}\n`);
  };
  return {
    info: (message, fields) => write("info", message, fields),
    error: (message, fields) => write("error", message, fields),
  };
}

function errorsAsText(_key: string, value: unknown): unknown {
  return value instanceof Error ? (value.stack ?? value.message) : value;
}
