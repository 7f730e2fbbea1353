import { StringDecoder } from "node:string_decoder";

export interface ContainerLogLine {
  /** The engine's own time of the line: RFC 3339 with nanoseconds. */
  at: string;
  stream: "stdout" | "stderr";
  text: string;
  /** No end of the line was seen: it was too long and goes on in the next one, or it is the last. */
  cut: boolean;
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

/** Every frame begins with a time, also one that goes on with a line: the engine cuts lines at 16 KiB. */
function createSplitter(stream: "stdout" | "stderr") {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  let at = "";
  const line = (text: string, cut: boolean): ContainerLogLine => ({ at, stream, text, cut });
  return {
    *write(frame: Buffer): Generator<ContainerLogLine> {
      const time = timeOf(frame);
      if (rest === "" && time !== undefined) at = time;
      rest += decoder.write(time === undefined ? frame : frame.subarray(time.length + 1));
      const lines = rest.split("\n");
      rest = lines.pop() ?? "";
      for (const text of lines) yield line(text.replace(/\r$/, ""), false);
      if (rest.length > longestLine) {
        yield line(rest, true);
        rest = "";
      }
    },
    *end(): Generator<ContainerLogLine> {
      rest += decoder.end();
      if (rest !== "") yield line(rest.replace(/\r$/, ""), true);
    },
  };
}

function timeOf(frame: Buffer): string | undefined {
  return /^(\d{4}-\d\d-\d\dT[0-9:.]+Z) /.exec(frame.toString("latin1", 0, 40))?.[1];
}
