import { randomBytes } from "node:crypto";
import { ExpressionError } from "./error.ts";
import { Evaluation } from "./evaluation.ts";
import type { Scope } from "./functions.ts";
import { type Program, ProgramCache } from "./programs.ts";
import { type ProgramHandle, Sandbox, SandboxBroken, type SandboxLimits } from "./sandbox.ts";

/** A sandbox, and the programs that it has been given so far. */
interface Machine {
  readonly sandbox: Sandbox;
  readonly handles: Map<Program, ProgramHandle>;
}

/** Runs programs in a sandbox, and gets a new one when a program broke it. */
export class Engine {
  readonly programs = new ProgramCache((program) => this.forget(program));
  private readonly limits: SandboxLimits;
  private readonly tag = `$${randomBytes(12).toString("hex")}`;
  private starting: Promise<Machine> | undefined;
  /** The machine in use; none while one is being started. */
  private machine: Machine | undefined;
  private disposed = false;

  constructor(limits: SandboxLimits) {
    this.limits = limits;
  }

  /** Settles when a sandbox is ready. */
  async start(): Promise<Machine> {
    if (this.disposed) throw new Error("These expressions have been disposed of");
    this.starting ??= this.create();
    const { starting } = this;
    const machine = await starting;
    // Whoever waited for a machine that was broken meanwhile waits for the next one.
    if (this.starting !== starting) return this.start();
    this.machine = machine;
    return machine;
  }

  /** What the program returns. Throws an ExpressionError. */
  async run(program: Program, scope: Scope): Promise<string> {
    const env = program.environment(scope.env, this.tag);
    const evaluation = new Evaluation(scope.functions, this.tag);
    for (;;) {
      const machine = this.machine ?? (await this.start());
      const answer = this.runOnce(machine, program, env, evaluation);
      if (answer.startsWith("s")) return answer.slice(1);
      if (answer.startsWith("f")) throw program.failure(answer.slice(1));
      await evaluation.answered();
    }
  }

  dispose(): void {
    this.disposed = true;
    const { machine } = this;
    this.drop();
    for (const handle of machine?.handles.values() ?? []) handle.dispose();
    machine?.sandbox.dispose();
  }

  private async create(): Promise<Machine> {
    try {
      return { sandbox: await Sandbox.create(this.limits, this.tag), handles: new Map() };
    } catch (error) {
      this.drop();
      throw error;
    }
  }

  private runOnce(
    { sandbox, handles }: Machine,
    program: Program,
    env: string,
    evaluation: Evaluation,
  ): string {
    try {
      let handle = handles.get(program);
      if (!handle) {
        handle = sandbox.define(program.code);
        handles.set(program, handle);
      }
      return sandbox.run(handle, env, evaluation);
    } catch (error) {
      if (!(error instanceof SandboxBroken)) throw error;
      this.drop();
      throw new ExpressionError(this.explain(error), program.source, undefined, { cause: error });
    }
  }

  private explain(error: SandboxBroken): string {
    if (error.message.includes("interrupted")) {
      return `evaluation was stopped: it took longer than ${this.limits.milliseconds} ms`;
    }
    if (/memory/i.test(error.message)) {
      return `evaluation was stopped: it needed more than ${this.limits.memoryBytes} bytes of memory`;
    }
    if (/stack|call size/i.test(error.message)) return "evaluation was stopped: it is nested too deeply";
    return `evaluation broke off: ${error.message}`;
  }

  private forget(program: Program): void {
    this.machine?.handles.get(program)?.dispose();
    this.machine?.handles.delete(program);
  }

  /** Lets go of the machine. A broken one could not even be cleared up: its memory goes with it. */
  private drop(): void {
    this.starting = undefined;
    this.machine = undefined;
  }
}
