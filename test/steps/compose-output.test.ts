import { describe, expect, it } from "vitest";
import composeOutput from "#steps/compose-output.ts";
import { runStep } from "#test/support/step-context.ts";

describe("compose-output", () => {
  it("gives its configuration out", async () => {
    const config = { url: "https://example.com/pull/1", nested: { list: [1, "two", null] }, flag: false };
    expect(await runStep(composeOutput, config)).toEqual({ status: "succeeded", output: config });
  });

  it("makes its output the task's", () => {
    expect(composeOutput.taskOutput).toBe(true);
  });

  it("refuses an empty configuration", async () => {
    await expect(runStep(composeOutput, {})).rejects.toMatchObject({ kind: "config" });
  });
});
