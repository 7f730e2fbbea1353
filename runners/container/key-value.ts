import { StepFailure } from "#core/failure.ts";

/**
 * Reads `key=value` lines as GitHub Actions writes them. Quotes belong to the value, lines without `=` are
 * passed over, and `key<<END` starts a value of several lines that the line `END` closes.
 */
export function parseKeyValue(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  const lines = text.split(/\r?\n/);
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? "";
    const heredoc = /^([^=<]+)<<(.+)$/.exec(line);
    if (heredoc) {
      const [, key = "", delimiter = ""] = heredoc;
      const end = lines.indexOf(delimiter, index + 1);
      if (end < 0) {
        throw new StepFailure(
          "errored",
          `Cannot read output "${key.trim()}": the line "${delimiter}" that ends it is missing`,
        );
      }
      values[key.trim()] = lines.slice(index + 1, end).join("\n");
      index = end;
      continue;
    }
    const equals = line.indexOf("=");
    if (equals > 0) values[line.slice(0, equals).trim()] = line.slice(equals + 1);
  }
  return values;
}
