import { StringDecoder } from "node:string_decoder";

export interface ContainerLogLine {
  /** The engine's own time of the line: RFC 3339 with nanoseconds. */
  at: string;
  stream: "stdout" | "stderr";
  text: string;
}

/** A line longer than this is cut into pieces of this size, so that one line cannot fill the memory. */
const longestLine = 64 * 1024;

/**
 * Reads the engine's multiplexed log stream, with timestamps on: frames of eight bytes of header (the stream
 * in the first, the length in the last four) and a payload, as the Engine API documents them for attach.
 */
export async function* readLogLines(source: AsyncIterable<Buffer>): AsyncGenerator<ContainerLogLine> {
  const splitters = { stdout: createSplitter("stdout"), stderr: createSplitter("stderr") };
  let pending: Buffer = Buffer.alloc(0);
  for await (const chunk of source) {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    while (pending.length >= 8) {
      const size = pending.readUInt32BE(4);
      if (pending.length < 8 + size) break;
      const splitter = pending[0] === 2 ? splitters.stderr : splitters.stdout;
      yield* splitter.write(pending.subarray(8, 8 + size));
      pending = pending.subarray(8 + size);
    }
  }
  yield* splitters.stdout.end();
  yield* splitters.stderr.end();
}

function createSplitter(stream: "stdout" | "stderr") {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  function* take(final: boolean): Generator<ContainerLogLine> {
    const lines = rest.split("\n");
    rest = final ? "" : (lines.pop() ?? "");
    for (const line of lines) if (line !== "") yield toLine(stream, line);
    if (rest.length > longestLine) {
      yield toLine(stream, rest);
      rest = "";
    }
  }
  return {
    write(payload: Buffer) {
      rest += decoder.write(payload);
      return take(false);
    },
    end: () => take(true),
  };
}

function toLine(stream: "stdout" | "stderr", line: string): ContainerLogLine {
  const space = line.indexOf(" ");
  const at = line.slice(0, space);
  if (space < 0 || !/^\d{4}-\d\d-\d\dT/.test(at)) return { at: "", stream, text: line.replace(/\r$/, "") };
  return { at, stream, text: line.slice(space + 1).replace(/\r$/, "") };
}
