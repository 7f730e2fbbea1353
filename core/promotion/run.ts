import type { FreightReference } from "#core/resources/freight.ts";
import type { PromotionStatus, PromotionStep, StepExecutionMetadata } from "#core/resources/promotion.ts";
import type { FreightRequest } from "#core/resources/stage.ts";
import type { Write } from "#core/store/store.ts";

/** One promotion while it is being run: what never changes, and the status that the engine moves on. */
export interface PromotionRun {
  readonly project: string;
  readonly stage: string;
  readonly promotion: string;
  readonly uid: string;
  /** Who asked for it; "" when nobody is known. */
  readonly actor: string;
  readonly rollback: boolean;
  readonly uiBaseUrl: string;
  /** Absolute path of its working directory, which exists. */
  readonly workspace: string;
  /** Inflated: every step has its alias, and none refers to a task. */
  readonly steps: readonly PromotionStep[];
  readonly vars: NonNullable<PromotionStep["vars"]>;
  readonly freight: readonly FreightReference[];
  readonly freightRequests: readonly FreightRequest[];
  readonly targetFreight: FreightReference | undefined;
  readonly targetFreightAlias: string;

  /** What `outputs` is to expressions. `status.state` holds the same with secrets masked. */
  readonly outputs: Readonly<Record<string, unknown>>;
  /**
   * Makes it the output of the step, null where there is none, and with `forTask` joins it with the outputs
   * of the task that the step stands in.
   */
  keepOutput(alias: string, output: Record<string, unknown> | undefined, forTask: boolean): void;
  /** Makes a list the output of a step that is run for each item of one, in place of the outputs named. */
  keepList(alias: string, list: readonly unknown[], insteadOf?: readonly string[]): void;
  /** The text with every secret in it masked. */
  mask(text: string): string;
  /** Changed in place; what is on disk follows with each `save`. */
  readonly status: PromotionStatus;
  /** Puts the status on disk, and `writes` with it or not at all. Throws NotFoundError for a deleted promotion. */
  save(writes?: readonly Write[]): Promise<void>;
}

/** A step as it is run: for one item of a list, the variables that hold the item and its place. */
export interface RunStep extends PromotionStep {
  each?: Readonly<Record<string, unknown>>;
}

/** The record of a step; a new one at the end of the list when the step is met for the first time. */
export function recordOf(status: PromotionStatus, step: PromotionStep): StepExecutionMetadata {
  status.stepExecutionMetadata ??= [];
  const known = status.stepExecutionMetadata.find(({ alias }) => alias === step.as);
  if (known !== undefined) return known;
  const record: StepExecutionMetadata = { alias: step.as };
  if (step.continueOnError) record.continueOnError = true;
  status.stepExecutionMetadata.push(record);
  return record;
}
