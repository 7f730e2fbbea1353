import type { CliIO } from "#cli/io.ts";
import { stepOf } from "#core/promotion/alias.ts";
import type { Promotion } from "#core/resources/promotion.ts";

const marks: Record<string, string> = {
  Succeeded: "✓",
  Skipped: "-",
  Running: "…",
  Failed: "✗",
  Errored: "✗",
  Aborted: "■",
};

/** Prints a promotion's steps as they change; each change is told once. */
export interface PromotionView {
  update(promotion: Promotion): void;
}

export function createPromotionView(io: CliIO, label = ""): PromotionView {
  const told = new Map<string, string>();
  const say = (key: string, text: string) => {
    if (told.get(key) === text) return;
    told.set(key, text);
    io.stdout.write(`${label}${text}\n`);
  };
  return {
    update({ spec, status }) {
      for (const [index, step] of (status?.stepExecutionMetadata ?? []).entries()) {
        const alias = step.alias ?? `step-${index}`;
        if (step.status) say(alias, formatStep(alias, stepOf(spec.steps ?? [], alias)?.uses, step));
      }
      const phase = status?.phase;
      if (phase && isFinal(phase)) {
        say("", `promotion ${phase.toLowerCase()}${status?.message ? `: ${status.message}` : ""}`);
      }
    },
  };
}

type Step = NonNullable<NonNullable<Promotion["status"]>["stepExecutionMetadata"]>[number];

function formatStep(alias: string, uses: string | undefined, step: Step): string {
  const status = step.status ?? "Running";
  const took = step.startedAt && step.finishedAt ? ` ${seconds(step.startedAt, step.finishedAt)}` : "";
  const message = step.message ? `  ${step.message}` : "";
  return `  ${marks[status] ?? "?"} ${alias}${uses ? ` (${uses})` : ""}${took}${message}`;
}

function seconds(from: string, to: string): string {
  return `${((Date.parse(to) - Date.parse(from)) / 1000).toFixed(1)}s`;
}

/** Whether a promotion is over. */
export function isFinal(phase: string | undefined): boolean {
  return phase === "Succeeded" || phase === "Failed" || phase === "Errored" || phase === "Aborted";
}
