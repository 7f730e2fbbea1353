import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli } from "#test/support/cli.ts";
import { serve } from "#test/support/http-server.ts";

const example = join(import.meta.dirname, "../../examples/plugin");
const folder = mkdtempSync(join(tmpdir(), "towpath-plugins-"));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const steps = (url: string) => `[{ uses: wait-for-url, as: wait, config: { url: "${url}" } }]`;

describe("local commands with a plugin", () => {
  it("explain its steps", async () => {
    const { code, stdout } = await runCli(["explain", "wait-for-url", "--plugin", example]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^wait-for-url: Waits until a URL answers/);
    expect(stdout).toMatch(/everySeconds +integer +default 10/);
  });

  it("take the name from the environment, too", async () => {
    const { stdout } = await runCli(["explain"], { env: { TOWPATH_PLUGINS: example } });
    expect(stdout).toContain("wait-for-url");
  });

  it.each([
    { with: "the plugin", plugins: ["--plugin", example], code: 0, says: /No problems/ },
    { with: "none", plugins: [], code: 1, says: /unknown step kind "wait-for-url"/ },
  ])("validate with $with", async ({ plugins, code, says }) => {
    const task = `apiVersion: kargo.akuity.io/v1alpha1
kind: ClusterPromotionTask
metadata: { name: wait }
spec: { steps: ${steps("https://example.com/")} }
`;
    const result = await runCli(["validate", "-f", file("task.yaml", task), ...plugins]);
    expect(result.stdout).toMatch(says);
    expect(result.code).toBe(code);
  });

  it("run and check its steps", async () => {
    const { url } = await serve((_, response) => response.end());
    const list = file("steps.yaml", steps(url));
    const ran = await runCli(["run", list, "--plugin", example, "--allow-net", "127.0.0.1", "-o", "json"]);
    expect(JSON.parse(ran.stdout)).toMatchObject({ phase: "Succeeded", steps: [{ uses: "wait-for-url" }] });
    const config = file("config.json", "{}");
    const checked = await runCli([
      "step",
      "wait-for-url",
      "--check",
      "--config",
      config,
      "--plugin",
      example,
    ]);
    expect(JSON.parse(checked.stdout)).toEqual({ valid: false, problems: ["(root): url is required"] });
  });

  it("tell of a broken one, and go on without it", async () => {
    const { code, stderr, stdout } = await runCli(["explain", "copy", "--plugin", "./nowhere"]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^Plugin "\.\/nowhere" is left out: there is no folder/);
    expect(stdout).toContain("copy:");
  });
});
