import type { Container } from "dockerode";
import type { RunnerIO } from "#core/runner.ts";
import {
  createLogTaker,
  type Followed,
  type FollowOptions,
  openLog,
  type StreamName,
} from "#runners/container/follow.ts";
import { readMark } from "#runners/container/marks.ts";

export interface SectionOptions extends FollowOptions {
  mark: string;
  /** Seconds since the epoch; the section begins after it. */
  since: number;
  /** Hears of the command's process group once the command has begun. */
  onBegin?(group: number): void;
}

/** One command's part of a shared container's log. */
export interface Section {
  log: Followed;
  /** Undefined when the log ended without the command's end in it. */
  exitCode: number | undefined;
  /** When the section ended, as seconds since the epoch. */
  until: number;
}

/** Passes on the lines between a command's marks, until both streams have ended or the signal is aborted. */
export async function followSection(
  container: Container,
  io: RunnerIO,
  signal: AbortSignal,
  { mark, since, onBegin, ...options }: SectionOptions,
): Promise<Section> {
  const { take, followed } = createLogTaker(io, options);
  const states: Record<StreamName, "before" | "in" | "after"> = { stdout: "before", stderr: "before" };
  const section: Section = { log: followed, exitCode: undefined, until: since };
  try {
    for await (const line of openLog(container, signal, since)) {
      const marked = readMark(line.text, mark);
      if (marked === undefined) {
        if (states[line.stream] === "in") take(line);
        continue;
      }
      if (marked.says.state === "begin") {
        states[line.stream] = "in";
        onBegin?.(marked.says.number);
        continue;
      }
      if (marked.before !== "") take({ ...line, text: marked.before });
      states[line.stream] = "after";
      section.exitCode = marked.says.number;
      section.until = Math.floor(Date.parse(line.at) / 1000);
      if (states.stdout === "after" && states.stderr === "after") break;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return section;
}
