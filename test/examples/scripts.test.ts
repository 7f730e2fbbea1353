import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCli } from "#test/support/cli.ts";
import { requirePart } from "#test/support/require-part.ts";

const example = join(import.meta.dirname, "../../examples/scripts/release-notes.yaml");

describe.skipIf(!(await requirePart("deno")))("the example of scripts", () => {
  beforeEach(() => {
    process.env.TOWPATH_SCRIPT_LOCAL = "always";
  });
  afterEach(() => {
    delete process.env.TOWPATH_SCRIPT_LOCAL;
  });

  it("is valid", async () => {
    expect(await runCli(["validate", "-f", example])).toMatchObject({ code: 0 });
  });

  it("hands on what its scripts found", async () => {
    const { stdout } = await runCli(["run", example, "--var", "version=v2.0.0", "-o", "json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      phase: "Succeeded",
      steps: [
        { output: { major: 2, minor: 0, patch: 0, isBreaking: true } },
        { output: {} },
        { output: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) } },
      ],
    });
  });

  it("fails for good where the version is none", async () => {
    const { stdout } = await runCli(["run", example, "--var", "version=latest", "-o", "json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      phase: "Failed",
      message: expect.stringContaining("is no version"),
    });
  });
});
