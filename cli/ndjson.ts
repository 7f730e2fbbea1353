import { createInterface } from "node:readline";
import { type CliIO, print } from "#cli/io.ts";

/**
 * Reads cases from standard input, a JSON object on each line, and prints what becomes of each, in order,
 * with the case's `id`. `answer` gives the fields of the answer as JSON text; it is given the line too. A case that cannot be read or
 * done gets `{id, error}`, and the next one its turn.
 */
export async function answerCases(
  io: CliIO,
  answer: (one: Record<string, unknown>, line: string) => Promise<string>,
): Promise<void> {
  for await (const line of createInterface({ input: io.stdin, crlfDelay: Infinity })) {
    // A file that Windows' editors saved begins with a byte order mark.
    const text = line.replace(/^\uFEFF/, "");
    if (text.trim() === "") continue;
    if (io.signal.aborted) return;
    print(io, await answerLine(text, answer));
  }
}

async function answerLine(
  line: string,
  answer: (one: Record<string, unknown>, line: string) => Promise<string>,
): Promise<string> {
  let id = "null";
  try {
    const one: unknown = JSON.parse(line);
    if (!isCase(one)) throw new Error("a case is a JSON object on a line of its own");
    id = JSON.stringify(one.id ?? null);
    return `{"id":${id},${await answer(one, line)}}`;
  } catch (error) {
    return `{"id":${id},"error":${JSON.stringify(error instanceof Error ? error.message : String(error))}}`;
  }
}

function isCase(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
