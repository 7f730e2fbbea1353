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
    if (line.trim() === "") continue;
    if (io.signal.aborted) return;
    print(io, await answerLine(line, answer));
  }
}

async function answerLine(
  line: string,
  answer: (one: Record<string, unknown>, line: string) => Promise<string>,
): Promise<string> {
  let id = "null";
  try {
    const one = JSON.parse(line) as Record<string, unknown>;
    id = JSON.stringify(one.id ?? null);
    return `{"id":${id},${await answer(one, line)}}`;
  } catch (error) {
    return `{"id":${id},"error":${JSON.stringify(error instanceof Error ? error.message : String(error))}}`;
  }
}
