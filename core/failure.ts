/**
 * What a failure means for the step that met it: which of Kargo's statuses it ends in, and whether
 * another attempt can help. A terminal kind ends the step at once; the others count towards the step's
 * error threshold. A transient one is first repeated with back-off, without being counted.
 */
const failureKinds = {
  /** The step's configuration is wrong: only editing it helps. */
  config: { status: "Failed", terminal: true, transient: false },
  /** The step did its work and the answer is no. */
  failed: { status: "Failed", terminal: true, transient: false },
  /** The answer is no for now: another attempt may find it changed. */
  unsuccessful: { status: "Failed", terminal: false, transient: false },
  /** A server was too busy to answer: as "unsuccessful", once trying again has not helped. */
  unavailable: { status: "Failed", terminal: false, transient: true },
  /** Something asked for is not allowed, or cannot ever work. */
  refused: { status: "Errored", terminal: true, transient: false },
  /** Something went wrong that another attempt may not meet. */
  errored: { status: "Errored", terminal: false, transient: false },
  /** The network or a server faltered: time-outs, resets, 429, 502, 503, 504. */
  transient: { status: "Errored", terminal: false, transient: true },
} as const;

export type FailureKind = keyof typeof failureKinds;

export const failureKindNames = Object.keys(failureKinds) as readonly FailureKind[];

/** Thrown by a step, a runner or a library of theirs when the work cannot be done. */
export class StepFailure extends Error {
  readonly kind: FailureKind;
  /** What the step had found out by then; later steps see it as they would see the output of a success. */
  readonly output: Record<string, unknown> | undefined;

  constructor(
    kind: FailureKind,
    message: string,
    options: ErrorOptions & { output?: Record<string, unknown> } = {},
  ) {
    super(message, options);
    this.name = "StepFailure";
    this.kind = kind;
    this.output = options.output;
  }

  /** Kargo's step status once no attempt is left. */
  get status(): "Failed" | "Errored" {
    return failureKinds[this.kind].status;
  }

  /** True when no further attempt is made. */
  get terminal(): boolean {
    return failureKinds[this.kind].terminal;
  }

  /** True when the attempt is repeated with back-off before it counts as an error. */
  get transient(): boolean {
    return failureKinds[this.kind].transient;
  }
}

/** The failure that any thrown value stands for; what is not a StepFailure is retriable, as in Kargo. */
export function toStepFailure(thrown: unknown): StepFailure {
  if (thrown instanceof StepFailure) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new StepFailure("errored", message, { cause: thrown });
}

/**
 * Thrown for anything that a user of the CLI or the API got wrong or asked for in vain.
 * `status` is the HTTP status that the API answers with; `hint` is one next thing to try.
 */
export class UserError extends Error {
  readonly status: number;
  readonly hint: string | undefined;

  constructor(message: string, options: ErrorOptions & { status?: number; hint?: string } = {}) {
    super(message, options);
    this.name = "UserError";
    this.status = options.status ?? 400;
    this.hint = options.hint;
  }
}
