import type { CliIO } from "#cli/io.ts";
import type { RunRecord } from "#cli/run.ts";
import { stepOf } from "#core/promotion/alias.ts";
import type { Promotion, StepExecutionMetadata } from "#core/resources/promotion.ts";

/** Shows a run while it happens: a line for each step, its log below it. */
export interface RunView {
  change(promotion: Promotion): void;
  log(step: string, text: string): void;
  end(record: RunRecord): void;
}

const marks: Record<string, string> = {
  Succeeded: "✓",
  Skipped: "-",
  Failed: "✗",
  Errored: "✗",
  Aborted: "■",
};
const colours: Record<string, number> = { Succeeded: 32, Skipped: 2, Failed: 31, Errored: 31, Aborted: 33 };
const eraseLine = "\r\x1b[2K";

/** On a terminal the line of the running step changes in place; elsewhere each step is told once it is over. */
export function createRunView(io: CliIO, { spec }: Promotion): RunView {
  const isTerminal = io.stdout.isTTY === true;
  const hasColour = isTerminal && !io.env.NO_COLOR;
  const told = new Set<string>();
  const waits = new Map<string, string>();
  const steps = spec.steps ?? [];
  const aliasWidth = Math.max(0, ...steps.map(({ as = "" }) => as.length));
  const usesWidth = Math.max(0, ...steps.map(({ uses = "" }) => uses.length));

  const paint = (status: string, text: string) =>
    hasColour ? `\x1b[${colours[status] ?? 0}m${text}\x1b[0m` : text;
  const columns = (alias: string, uses: string, took: string, message: string) =>
    `${alias.padEnd(aliasWidth)}  ${uses.padEnd(usesWidth)}  ${took.padStart(7)}  ${message}`.trimEnd();

  function say(line: string): void {
    io.stdout.write(`${isTerminal ? eraseLine : ""}${line}\n`);
  }

  function tellOver(record: StepExecutionMetadata, uses: string): void {
    const { alias = "", status = "", message = "" } = record;
    told.add(alias);
    say(`${paint(status, marks[status] ?? "?")} ${columns(alias, uses, duration(record), message)}`);
  }

  function tellRunning({ alias = "", message = "" }: StepExecutionMetadata, uses: string): void {
    const line = `… ${columns(alias, uses, "", message)}`;
    if (isTerminal) io.stdout.write(`${eraseLine}${line.slice(0, (io.stdout.columns || 80) - 1)}`);
    else if (message !== "" && waits.get(alias) !== message) say(line);
    waits.set(alias, message);
  }

  function change({ status }: Promotion): void {
    for (const record of status?.stepExecutionMetadata ?? []) {
      if (told.has(record.alias ?? "") || record.status === undefined) continue;
      const uses = stepOf(steps, record.alias ?? "")?.uses ?? "";
      const isOver = record.finishedAt !== undefined || record.startedAt === undefined;
      if (isOver) tellOver(record, uses);
      else tellRunning(record, uses);
    }
  }

  return {
    change,
    log: (_step, text) => say(`    ${text}`),
    end({ phase, message, startedAt, finishedAt }) {
      const took = duration({ startedAt, finishedAt });
      say(`\n${paint(phase, phase)} in ${took}${message === "" ? "" : `: ${message}`}`);
    },
  };
}

/** As people read it: `0.4s`, `12.0s`, `3m07s`. */
function duration({
  startedAt,
  finishedAt,
}: Pick<StepExecutionMetadata, "startedAt" | "finishedAt">): string {
  if (startedAt === undefined || finishedAt === undefined) return "";
  const seconds = Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt)) / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)}s`;
  const minutes = Math.floor(seconds / 60);
  return `${minutes}m${String(Math.floor(seconds % 60)).padStart(2, "0")}s`;
}
