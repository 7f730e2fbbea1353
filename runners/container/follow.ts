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
  after: string | undefined,
): Promise<Followed> {
  const kept = { stdout: createTail(longestStream), stderr: createTail(longestStream) };
  const stream = (await container.logs({
    follow: true,
    stdout: true,
    stderr: true,
    timestamps: true,
    abortSignal: signal,
  })) as unknown as AsyncIterable<Buffer>;
  try {
    for await (const line of readLogLines(stream)) {
      kept[line.stream].add(line.text);
      if (after === undefined || line.at > after) io.log(line);
    }
  } catch (error) {
    // A follower that was told to stop has nothing to complain of.
    if (!signal.aborted) throw error;
  }
  return {
    text: (name: ContainerLogLine["stream"]) => kept[name].text(longestStream),
    tail: (name: ContainerLogLine["stream"]) => kept[name].text(messageTail),
  };
}
