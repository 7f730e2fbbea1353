import { describe, expect, it } from "vitest";
import fail from "#steps/fail.ts";
import { runStep } from "#test/support/step-context.ts";

describe("fail", () => {
  it.each([
    { config: {}, message: "failed" },
    { config: { message: "not today" }, message: "failed: not today" },
  ])("with $config ends the promotion with $message", async ({ config, message }) => {
    await expect(runStep(fail, config)).rejects.toMatchObject({ status: "Failed", terminal: true, message });
  });

  it.each([{ message: "" }, { message: 1 }, { reason: "x" }])(
    "refuses the configuration %j",
    async (config) => {
      await expect(runStep(fail, config)).rejects.toMatchObject({ kind: "config" });
    },
  );
});
