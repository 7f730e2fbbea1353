import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startDaemon } from "#server/daemon.ts";

const token = "a-token-for-tests-only";
const example = join(import.meta.dirname, "../../examples/plugin");

describe("a daemon with plugins", () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "towpath-plugins-"));
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  it("starts with those that are whole, tells of the others, and knows their steps", async () => {
    let said = "";
    const logTo = new PassThrough().on("data", (chunk) => {
      said += chunk;
    });
    const daemon = await startDaemon({
      data: join(root, "data"),
      host: "127.0.0.1",
      port: 0,
      allowNet: [],
      plugins: [example],
      env: { TOWPATH_TOKEN: token, TOWPATH_PLUGINS: join(root, "nowhere") },
      logTo,
    });
    try {
      const ask = async (path: string, init: RequestInit = {}) => {
        const answer = await fetch(`${daemon.url}${path}`, {
          headers: { Authorization: `Bearer ${token}` },
          ...init,
        });
        return (await answer.json()) as Record<string, unknown>;
      };
      expect(await ask("/v1beta1/system/plugins")).toEqual({
        loaded: [{ name: "towpath-steps-example", version: "1.0.0", steps: ["wait-for-url"] }],
        problems: [{ plugin: join(root, "nowhere"), message: expect.stringContaining("there is no folder") }],
      });
      expect(await ask("/readyz", { headers: {} })).toEqual({ ready: true, stuck: [], pluginProblems: 1 });
      expect(said.split("\n").find((line) => line.includes("plugin left out"))).toContain("nowhere");

      const apply = (uses: string) =>
        ask("/v1beta1/resources", {
          method: "POST",
          headers: { Authorization: `Bearer ${token}`, "Content-Type": "text/plain" },
          body: `apiVersion: kargo.akuity.io/v1alpha1
kind: ClusterPromotionTask
metadata: { name: ${uses} }
spec: { steps: [{ uses: ${uses}, config: { url: "https://example.com/" } }] }
`,
        });
      expect(JSON.stringify(await apply("wait-for-url"))).not.toContain("unknown step kind");
      expect(JSON.stringify(await apply("wait-for-urls"))).toContain('did you mean \\"wait-for-url\\"');
    } finally {
      await daemon.stop();
    }
  });
});
