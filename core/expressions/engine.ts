import { randomBytes } from "node:crypto";
import { ExpressionError } from "./error.ts";
import { Evaluation } from "./evaluation.ts";
import type { Scope } from "./functions.ts";
import { type Program, ProgramCache } from "./programs.ts";
import { type ProgramHandle, Sandbox, SandboxBroken, type SandboxLimits } from "./sandbox.ts";

/** Runs programs in a sandbox, and gets a new one when a program broke it. */
export class Engine {
  readonly programs = new ProgramCache((program) => this.forget(program));
  private readonly limits: SandboxLimits;
  private readonly tag = `$${randomBytes(12).toString("hex")}`;
  private current: Promise<Sandbox> | undefined;
  private handles = new Map<Program, ProgramHandle>();
  private disposed = false;

  constructor(limits: SandboxLimits) {
    this.limits = limits;
  }

  /** The sandbox in use; started when there is none. */
  sandbox(): Promise<Sandbox> {
    if (this.disposed) throw new Error("These expressions have been disposed of");
    this.current ??= Sandbox.create(this.limits, this.tag);
    return this.current;
  }

  /** What the program returns. Throws an ExpressionError. */
  async run(program: Program, scope: Scope): Promise<string> {
    const env = program.environment(scope.env, this.tag);
    const evaluation = new Evaluation(scope.functions, this.tag);
    for (;;) {
      const answer = this.runOnce(await this.sandbox(), program, env, evaluation);
      if (answer.startsWith("s")) return answer.slice(1);
      if (answer.startsWith("f")) throw program.failure(answer.slice(1));
      await evaluation.answered();
    }
  }

  dispose(): void {
    this.disposed = true;
    const { current, handles } = this;
    this.drop();
    void current?.then((sandbox) => {
      for (const handle of handles.values()) handle.dispose();
      sandbox.dispose();
    });
  }

  private runOnce(sandbox: Sandbox, program: Program, env: string, evaluation: Evaluation): string {
    try {
      let handle = this.handles.get(program);
      if (!handle) {
        handle = sandbox.define(program.code);
        this.handles.set(program, handle);
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
    this.handles.get(program)?.dispose();
    this.handles.delete(program);
  }

  /** Lets go of the sandbox. A broken machine could not even be cleared up: its memory goes with it. */
  private drop(): void {
    this.current = undefined;
    this.handles = new Map();
  }
}
