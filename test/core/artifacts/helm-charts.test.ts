import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { discoverCharts } from "#core/artifacts/discover-charts.ts";
import { createDiscoveryParts } from "#core/artifacts/discovery-parts.ts";
import type { Credentials } from "#core/credentials/credentials.ts";
import type { Git } from "#core/git/git.ts";
import { ChartSubscription } from "#core/resources/warehouse.ts";
import ociDownload from "#steps/oci-download.ts";
import ociPush from "#steps/oci-push.ts";
import { startDockerRegistry } from "#test/support/docker-registry.ts";
import { serve } from "#test/support/http-server.ts";
import { once } from "#test/support/once.ts";
import { requirePart } from "#test/support/require-part.ts";
import { fakeContext, runStep, temporaryFolder } from "#test/support/step-context.ts";

const newestFirst = ["2.0.0-rc.1", "1.1.1+build.7", "1.1.0", "1.0.0"];
const joe = { username: "joe", password: "s3cret" };
const versions = ["1.0.0", "1.1.0", "2.0.0-rc.1", "1.1.1+build.7"];

function helm(...args: string[]): string {
  const folder = temporaryFolder();
  const env = { PATH: process.env.PATH, HOME: folder };
  return execFileSync("helm", args, { env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** A folder with packages of a chart as helm makes them, and their index. */
const packages = once(async () => {
  const folder = temporaryFolder();
  const chart = path.join(folder, "web");
  mkdirSync(path.join(chart, "templates"), { recursive: true });
  for (const version of versions) {
    const lines = ["apiVersion: v2", "name: web", `version: ${version}`];
    writeFileSync(path.join(chart, "Chart.yaml"), `${lines.join("\n")}\n`);
    helm("package", chart, "--destination", folder);
  }
  helm("repo", "index", folder);
  return folder;
});

/** The packages in a registry with a password, where helm pushed them. */
const pushed = once(async () => {
  const registry = await startDockerRegistry({ password: true });
  const folder = await packages();
  for (const version of versions) {
    helm("push", path.join(folder, `web-${version}.tgz`), `oci://${registry.host}/charts`, ...login());
  }
  return registry;
});

function login(): string[] {
  return ["--plain-http", "--username", joe.username, "--password", joe.password];
}

async function discover(subscription: Record<string, unknown>, credentials?: Credentials) {
  const ctx = fakeContext({ credentials: { find: async () => credentials } });
  const noGit = undefined as unknown as Git;
  const deps = {
    ...createDiscoveryParts({ fetch: ctx.fetch }),
    git: noGit,
    credentials: ctx.credentials,
    matches: async () => true,
    signal: undefined,
  };
  const found = await discoverCharts(ChartSubscription.parse(subscription), undefined, deps, 0);
  return found.chosen;
}

const hasRegistry = await requirePart("registry");

describe.skipIf(!(await requirePart("helm")))("charts that helm has packaged", () => {
  it("are found in a repository over HTTP that wants a password", async () => {
    const folder = await packages();
    const basic = `Basic ${Buffer.from(`${joe.username}:${joe.password}`).toString("base64")}`;
    const { url } = await serve((request, response) => {
      if (request.headers.authorization !== basic) return response.writeHead(401).end();
      return response.end(readFileSync(path.join(folder, path.basename(request.url ?? ""))));
    });
    const subscription = { repoURL: url, name: "web" };
    expect(await discover(subscription, joe)).toEqual(newestFirst);
    expect(await discover({ ...subscription, semverConstraint: "^1.0.0, <1.1.0" }, joe)).toEqual(["1.0.0"]);
    await expect(discover(subscription)).rejects.toThrow("ALLOW_CREDENTIALS_OVER_HTTP=true");
  });

  describe.skipIf(!hasRegistry)("and pushed to a registry", () => {
    it("are found there", async () => {
      const { host } = await pushed();
      const subscription = { repoURL: `oci://${host}/charts/web` };
      expect(await discover(subscription, joe)).toEqual(newestFirst);
    });

    it("come down as they were packaged, and helm takes what was copied from there", async () => {
      const registry = await pushed();
      const ctx = fakeContext({ credentials: { find: async () => joe } });
      const imageRef = `oci://${registry.host}/charts/web:1.1.0`;
      await runStep(ociDownload, { imageRef, outPath: "web.tgz" }, ctx);
      const packaged = readFileSync(path.join(await packages(), "web-1.1.0.tgz"));
      expect(Buffer.from(await ctx.workspace.readBytes("web.tgz"))).toEqual(packaged);

      const destRef = `oci://${registry.host}/prod/web:1.1.0`;
      await runStep(ociPush, { srcRef: imageRef, destRef, annotations: { by: "a test" } }, ctx);
      const where = ["--version", "1.1.0", "--destination", ctx.workspace.root];
      helm("pull", `oci://${registry.host}/prod/web`, ...where, ...login());
      expect(Buffer.from(await ctx.workspace.readBytes("web-1.1.0.tgz"))).toEqual(packaged);
    });
  });
});
