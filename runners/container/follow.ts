import { Readable } from "node:stream";
import type { Container } from "dockerode";
import type { RunnerIO } from "#core/runner.ts";
import { type ContainerLogLine, readLogLines } from "#runners/container/log-stream.ts";
import { createTail } from "#runners/container/tail.ts";

/** Bytes of a stream that are kept when it is the step's output. */
const longestStream = 8 * 2 ** 20;
/** Bytes of each stream that a failure's message shows. */
const messageTail = 16 * 1024;

export interface Followed {
  /** The whole stream, as far as it is the step's output and within bounds. */
  text(stream: "stdout" | "stderr"): string;
  /** The end of a stream, for messages. */
  tail(stream: "stdout" | "stderr"): string;
}

/**
 * Passes a container's log on, line by line, until the container ends or the signal is aborted. All of it
 * is read, for the step's output may be in it; what was logged before, up to `after`, is not logged again.
 */
export async function followLog(
  container: Container,
  io: RunnerIO,
  signal: AbortSignal,
  after = "",
): Promise<Followed> {
  const kept = { stdout: createTail(longestStream), stderr: createTail(longestStream) };
  let last = "";
  const take = (line: ContainerLogLine) => {
    kept[line.stream].add(line.text);
    if (line.at > after) io.log(line);
    if (line.at > last) last = line.at;
  };
  try {
    for await (const line of await openLog(container, { follow: true, abortSignal: signal })) take(line);
    // The engine may end a followed log before it has sent a last line that has no line end.
    const missed = last === "" ? {} : { since: secondsOf(last) };
    const seen = last;
    for await (const line of await openLog(container, missed)) if (line.at > seen) take(line);
  } catch (error) {
    // A follower that was told to stop has nothing to complain of.
    if (!signal.aborted) throw error;
  }
  return {
    text: (name) => kept[name].text(longestStream),
    tail: (name) => kept[name].text(messageTail),
  };
}

interface LogOptions {
  follow?: true;
  since?: number;
  abortSignal?: AbortSignal;
}

async function openLog(container: Container, options: LogOptions): Promise<AsyncIterable<ContainerLogLine>> {
  const wanted = { stdout: true, stderr: true, timestamps: true, ...options };
  if (options.follow) {
    const stream = await container.logs({ ...wanted, follow: true });
    return readLogLines(stream as unknown as AsyncIterable<Buffer>);
  }
  const whole = await container.logs({ ...wanted, follow: false });
  return readLogLines(Readable.from([whole]));
}

/** Whole seconds: the engine's clock is asked for a little more than is missing. */
function secondsOf(time: string): number {
  return Math.floor(Date.parse(time) / 1000);
}
