/** What a command may touch of the terminal; tests hand in their own. */
export interface CliIO {
  stdin: NodeJS.ReadableStream;
  stdout: NodeJS.WritableStream & { isTTY?: boolean; columns?: number };
  stderr: NodeJS.WritableStream;
  env: NodeJS.ProcessEnv;
  /** Aborted on the first SIGINT: streams end, nothing is left half said. */
  signal: AbortSignal;
}

export function print(io: CliIO, text: string): void {
  io.stdout.write(`${text}\n`);
}

/** All of standard input, as text. */
export async function readStdin(io: CliIO): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of io.stdin) chunks.push(Buffer.from(chunk as Uint8Array | string));
  return Buffer.concat(chunks).toString("utf8");
}
