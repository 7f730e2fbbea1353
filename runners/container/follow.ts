import type { Container } from "dockerode";
import { StepFailure } from "#core/failure.ts";
import type { RunnerIO } from "#core/runner.ts";
import type { OutputSpec } from "#runners/container/container-spec.ts";
import { type ContainerLogLine, readLogLines } from "#runners/container/log-stream.ts";
import { createTail } from "#runners/container/tail.ts";

/** Bytes of a stream that may be the step's output. */
const longestOutput = 8 * 2 ** 20;
/** Bytes of each stream that a failure's message shows. */
const messageTail = 16 * 1024;

export type StreamName = ContainerLogLine["stream"];

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

/** Takes the lines of a step's log as they come. */
export interface LogTaker {
  take(line: ContainerLogLine): void;
  followed: Followed;
}

/** Logs lines that were not logged before, and keeps what of them is needed later. */
export function createLogTaker(io: RunnerIO, { logged, keep }: FollowOptions): LogTaker {
  const tails = { stdout: createTail(messageTail), stderr: createTail(messageTail) };
  const output = createKept(longestOutput);
  return {
    take({ at, stream, text, cut }) {
      tails[stream].add(text);
      if (stream === keep) output.add(cut ? text : `${text}\n`);
      if (at > (logged[stream] ?? "")) io.log({ at, stream, text });
    },
    followed: { output: output.text, tail: (name) => tails[name].text(messageTail) },
  };
}

/**
 * Passes a container's log on, line by line, until the container ends or the signal is aborted. All of it
 * is read, for the step's output may be in it; what was logged before is not logged again.
 */
export async function followLog(
  container: Container,
  io: RunnerIO,
  signal: AbortSignal,
  options: FollowOptions,
): Promise<Followed> {
  const { take, followed } = createLogTaker(io, options);
  const last = { stdout: "", stderr: "" };
  // Of the last line, since the pieces of a long one have all the same time.
  const characters = { stdout: 0, stderr: 0 };
  const see = (line: ContainerLogLine) => {
    take(line);
    const { at, stream, text } = line;
    if (at < last[stream]) return;
    characters[stream] = (at === last[stream] ? characters[stream] : 0) + text.length;
    last[stream] = at;
  };
  try {
    for await (const line of openLog(container, signal)) see(line);
    // The engine may end a followed log before it has sent a last line that has no line end.
    const seen = { ...last };
    const again = { ...characters };
    for await (const line of openLog(container, signal, secondsBefore(seen))) {
      const { at, stream, text } = line;
      if (at > seen[stream]) see(line);
      if (at !== seen[stream]) continue;
      if (text.length > again[stream]) see({ ...line, text: text.slice(again[stream]) });
      again[stream] = Math.max(0, again[stream] - text.length);
    }
  } catch (error) {
    // A follower that was told to stop has nothing to complain of.
    if (!signal.aborted) throw error;
  }
  return followed;
}

/** The stream of a command that is its output. */
export function keptStream({ type }: OutputSpec): StreamName | undefined {
  return type === "Stdout" ? "stdout" : type === "Stderr" ? "stderr" : undefined;
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

/**
 * The lines of a container's log from a time on (seconds since the epoch) until it ends or the signal is aborted.
 * The log of a container that has ended ends at once.
 */
export async function* openLog(
  container: Container,
  signal: AbortSignal,
  since = 0,
): AsyncGenerator<ContainerLogLine> {
  const stream = await container.logs({
    stdout: true,
    stderr: true,
    timestamps: true,
    follow: true,
    ...(since === 0 ? {} : { since }),
    abortSignal: signal,
  });
  yield* readLogLines(stream as unknown as AsyncIterable<Buffer>);
}

/** Whole seconds: the engine's clock is asked for a little more than is missing. */
function secondsBefore({ stdout, stderr }: Record<StreamName, string>): number {
  const latest = stdout > stderr ? stdout : stderr;
  return latest === "" ? 0 : Math.floor(Date.parse(latest) / 1000) - 1;
}
