import { Readable } from "node:stream";
import type { Container } from "dockerode";
import { StepFailure } from "#core/failure.ts";
import type { RunnerIO } from "#core/runner.ts";
import { type ContainerLogLine, readLogLines } from "#runners/container/log-stream.ts";
import { createTail } from "#runners/container/tail.ts";

/** Bytes of a stream that may be the step's output. */
const longestOutput = 8 * 2 ** 20;
/** Bytes of each stream that a failure's message shows. */
const messageTail = 16 * 1024;

type StreamName = ContainerLogLine["stream"];

/** When the last line of each stream was written that is logged already. */
export type LoggedUpTo = Readonly<Partial<Record<StreamName, string | undefined>>>;

export interface FollowOptions {
  logged: LoggedUpTo;
  /** The stream that is the step's output, if one is. */
  keep: StreamName | undefined;
}

export interface Followed {
  /** The whole of the stream that was to be kept. Throws a StepFailure when it was too long. */
  output(): string;
  /** The end of a stream, for messages. */
  tail(stream: StreamName): string;
}

/**
 * Passes a container's log on, line by line, until the container ends or the signal is aborted. All of it
 * is read, for the step's output may be in it; what was logged before is not logged again.
 */
export async function followLog(
  container: Container,
  io: RunnerIO,
  signal: AbortSignal,
  { logged, keep }: FollowOptions,
): Promise<Followed> {
  const tails = { stdout: createTail(messageTail), stderr: createTail(messageTail) };
  const output = createKept(longestOutput);
  const last = { stdout: "", stderr: "" };
  const take = (line: ContainerLogLine) => {
    const { at, stream, text, cut } = line;
    tails[stream].add(text);
    if (stream === keep) output.add(cut ? text : `${text}\n`);
    if (at > (logged[stream] ?? "")) io.log({ at, stream, text });
    if (at > last[stream]) last[stream] = at;
  };
  try {
    for await (const line of await openLog(container, { follow: true, abortSignal: signal })) take(line);
    // The engine may end a followed log before it has sent a last line that has no line end.
    const seen = { ...last };
    const latest = seen.stdout > seen.stderr ? seen.stdout : seen.stderr;
    const missed = latest === "" ? {} : { since: secondsOf(latest) - 1 };
    for await (const line of await openLog(container, missed)) {
      if (line.at > seen[line.stream]) take(line);
    }
  } catch (error) {
    // A follower that was told to stop has nothing to complain of.
    if (!signal.aborted) throw error;
  }
  return { output: output.text, tail: (name) => tails[name].text(messageTail) };
}

/** A text that is kept whole up to a bound, and not at all beyond it. */
function createKept(bound: number) {
  let parts: string[] = [];
  let bytes = 0;
  return {
    add(text: string) {
      bytes += Buffer.byteLength(text);
      if (bytes > bound) parts = [];
      else parts.push(text);
    },
    text(): string {
      if (bytes <= bound) return parts.join("").replace(/\n$/, "");
      throw new StepFailure(
        "refused",
        `Cannot read the step's output: the stream has ${bytes} bytes, more than the ${bound} allowed`,
      );
    },
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
