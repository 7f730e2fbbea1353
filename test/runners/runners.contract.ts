import { describe, expect, it } from "vitest";
import type { Invocation, Runner, RunnerIO } from "#core/runner.ts";
import { temporaryFolder } from "#test/support/step-context.ts";

/** What a runner can be asked to do in the contract; each is a step kind that `invoke` knows how to name. */
export interface ContractSteps {
  /** Succeeds with `{ said: config.say }` as output and a log line "working". */
  succeeds: Partial<Invocation>;
  /** Fails in a way that another attempt may cure. */
  fails: Partial<Invocation>;
  /** Works until it is aborted. */
  hangs: Partial<Invocation>;
  /** Writes "here" into the file `made.txt` of the workspace. */
  writes: Partial<Invocation>;
}

export function invocation(overrides: Partial<Invocation> = {}): Invocation {
  return {
    kind: "",
    config: {},
    project: "shop",
    stage: "test",
    promotion: "test.01.abc",
    promotionUid: "6a1c",
    alias: "step-1",
    attempt: 1,
    actor: "",
    rollback: false,
    uiBaseUrl: "",
    startedAt: "2030-01-02T03:04:05.000Z",
    workspace: temporaryFolder(),
    freight: [],
    freightRequests: [],
    targetFreight: undefined,
    targetFreightAlias: "",
    outputs: {},
    vars: {},
    ...overrides,
  };
}

export function recordingIO(signal = new AbortController().signal): RunnerIO & { lines: string[] } {
  const lines: string[] = [];
  return { signal, lines, log: ({ text }) => lines.push(text) };
}

/** What the engine relies on, whatever a runner runs its steps in. */
export function describeRunner(
  name: string,
  open: () => Promise<{ runner: Runner; steps: ContractSteps }>,
): void {
  describe(`the ${name} runner`, () => {
    it("gives what a step puts out, and its log", async () => {
      const { runner, steps } = await open();
      const io = recordingIO();
      const outcome = await runner.run(invocation({ config: { say: "hello" }, ...steps.succeeds }), io);
      expect(outcome).toMatchObject({ status: "succeeded", output: { said: "hello" } });
      expect(io.lines).toContain("working");
    });

    it("throws a failure that says whether another attempt can help", async () => {
      const { runner, steps } = await open();
      await expect(runner.run(invocation(steps.fails), recordingIO())).rejects.toMatchObject({
        name: "StepFailure",
        terminal: false,
      });
    });

    it("ends the work when it is told to, before it settles", async () => {
      const { runner, steps } = await open();
      const abort = new AbortController();
      const running = runner.run(invocation(steps.hangs), recordingIO(abort.signal));
      setTimeout(() => abort.abort(new Error("enough")), 50);
      await expect(running).rejects.toThrow("enough");
    });

    it("does not begin when it was told to end before", async () => {
      const { runner, steps } = await open();
      const signal = AbortSignal.abort(new Error("enough"));
      await expect(runner.run(invocation(steps.succeeds), recordingIO(signal))).rejects.toThrow("enough");
    });

    it("lets the step work in the promotion's folder", async () => {
      const { runner, steps } = await open();
      const { readFile } = await import("node:fs/promises");
      const workspace = temporaryFolder();
      await runner.run(invocation({ workspace, ...steps.writes }), recordingIO());
      expect((await readFile(`${workspace}/made.txt`, "utf8")).trim()).toBe("here");
    });

    it("has nothing to take up of an invocation that it never began", async () => {
      const { runner, steps } = await open();
      const found = await runner.reattach?.(
        invocation({ ...steps.succeeds, promotionUid: "other" }),
        recordingIO(),
      );
      expect(found).toBeUndefined();
    });
  });
}
