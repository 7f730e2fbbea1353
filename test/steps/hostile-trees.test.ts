import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { link, mkdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { StepContext } from "#core/step.ts";
import { openWorkspace } from "#core/workspace-folder.ts";
import { builtinSteps } from "#steps/index.ts";
import { serve } from "#test/support/http-server.ts";
import { fakeContext, runStep, temporaryFolder } from "#test/support/step-context.ts";
import { listTree } from "#test/support/tree.ts";

/** A folder with a secret, and in it a workspace full of ways to the secret. */
async function hostileTree(): Promise<{ outer: string; ctx: StepContext }> {
  const outer = temporaryFolder();
  const root = path.join(outer, "workspace");
  await mkdir(path.join(root, "folder/deep"), { recursive: true });
  await mkdir(path.join(outer, "vault"));
  await writeFile(path.join(outer, "secret"), secret);
  await writeFile(path.join(outer, "vault/secret"), secret);
  await writeFile(path.join(root, "good"), '{"a": 1}');
  await writeFile(path.join(root, "folder/good"), '{"a": 1}');
  const links = {
    "link-to-file": "../secret",
    "link-to-folder": "../vault",
    "link-to-parent": "..",
    "link-absolute": path.join(outer, "vault"),
    "link-dangling": "../not-there",
    "chain-1": "chain-2",
    "chain-2": "folder/chain-3",
    "folder/chain-3": "deep/chain-4",
    "folder/deep/chain-4": "../../../vault",
    "link-inside": "folder",
    "link-loop": "link-loop",
  };
  for (const [at, target] of Object.entries(links)) await symlink(target, path.join(root, at));
  return { outer, ctx: fakeContext({ workspace: await openWorkspace(root) }) };
}

const secret = '{"a": "TOP-SECRET"}';

const waysOut = [
  "link-to-file",
  "link-to-folder/secret",
  "link-to-parent/secret",
  "link-to-parent/new",
  "link-absolute/secret",
  "link-absolute/new",
  "link-dangling",
  "link-dangling/new",
  "chain-1/secret",
  "link-inside/../../secret",
  "../secret",
  "../new",
  "folder/../../secret",
  "/../secret",
  "link-loop",
  "link-loop/secret",
  "nul\0/secret",
];

type Config = Record<string, unknown>;
let tarball: string;
let url: string;

/** Every step that touches files, with the path at each place where its configuration takes one. */
const uses: Record<string, readonly ((way: string) => Config)[]> = {
  copy: [(way) => ({ inPath: way, outPath: "copied" }), (way) => ({ inPath: "good", outPath: way })],
  delete: [
    // A link itself may be deleted; what is behind it may not.
    (way) => ({ path: `${way}/x`, strict: true }),
    (way) => ({ path: `${way}/*`, pathsAreGlobs: true, strict: true }),
  ],
  "file-write": [(way) => ({ path: way, contents: "x", overwrite: true })],
  "git-clear": [(way) => ({ path: way })],
  "git-clone": [(way) => ({ repoURL: "/no/such/repository", checkout: [{ path: way }] })],
  "git-commit": [(way) => ({ path: way, message: "x" })],
  "git-push": [(way) => ({ path: way })],
  "git-tag": [(way) => ({ path: way, tag: "v1", message: "x" })],
  "helm-template": [
    (way) => ({ path: way, releaseName: "a", outPath: "rendered" }),
    (way) => ({ path: "good", releaseName: "a", outPath: way }),
    (way) => ({ path: "good", releaseName: "a", outPath: "rendered", valuesFiles: [way] }),
  ],
  "helm-update-chart": [(way) => ({ path: way })],
  http: [(way) => ({ url, method: "POST", bodyFromFile: way })],
  "http-download": [(way) => ({ url, outPath: way, allowOverwrite: true })],
  "json-parse": [(way) => ({ path: way, outputs: [{ name: "a", fromExpression: "a" }] })],
  "json-update": [(way) => ({ path: way, updates: [{ key: "a", value: "x" }] })],
  "kustomize-build": [
    (way) => ({ path: way, outPath: "rendered" }),
    (way) => ({ path: "good", outPath: way }),
  ],
  "kustomize-set-image": [(way) => ({ path: way, images: [{ image: "a", tag: "1" }] })],
  "oci-download": [
    (way) => ({ imageRef: `${new URL(url).host}/shop/web:1`, outPath: way, allowOverwrite: true }),
  ],
  tar: [(way) => ({ inPath: way, outPath: "packed" }), (way) => ({ inPath: "good", outPath: way })],
  "toml-parse": [(way) => ({ path: way, outputs: [{ name: "a", fromExpression: "a" }] })],
  "toml-update": [(way) => ({ path: way, updates: [{ key: "a", value: "x" }] })],
  untar: [(way) => ({ inPath: way, outPath: "unpacked" }), (way) => ({ inPath: "good.tar", outPath: way })],
  "yaml-merge": [
    (way) => ({ inFiles: [way], outFile: "merged" }),
    (way) => ({ inFiles: ["good"], outFile: way }),
    (way) => ({ inFiles: ["good", way], outFile: "merged" }),
  ],
  "yaml-parse": [(way) => ({ path: way, outputs: [{ name: "a", fromExpression: "a" }] })],
  "yaml-update": [(way) => ({ path: way, updates: [{ key: "a", value: "x" }] })],
};

/** Of an artifact whose only layer is what the server answers to everything else. */
const manifest = JSON.stringify({
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  config: { digest: "sha256:0" },
  layers: [{ digest: `sha256:${createHash("sha256").update("downloaded").digest("hex")}`, size: 10 }],
});

const touchNoFiles = [
  "answer-gate",
  "argocd-update",
  "argocd-wait",
  "compose-output",
  // Touches them in its container alone, which has nothing else to reach.
  "container",
  "fail",
  "gate",
  "get-user-input",
  "git-merge-pr",
  "git-open-pr",
  "git-wait-for-pr",
  "github-push",
  "oci-push",
  // May use them only where its permissions say so, which test/runners/script holds.
  "script",
  "send-message",
  "set-freight-alias",
  "set-metadata",
  "wait-for-approval",
];

beforeAll(async () => {
  const folder = temporaryFolder();
  await writeFile(path.join(folder, "good"), "1");
  tarball = path.join(folder, "good.tar");
  execFileSync("tar", ["-cf", tarball, "-C", folder, "good"]);
});

it("knows of every step whether it touches files", () => {
  expect([...Object.keys(uses), ...touchNoFiles].sort()).toEqual(builtinSteps.map(({ name }) => name).sort());
});

describe.each(
  Object.entries(uses).flatMap(([name, configs]) =>
    configs.map((config, index) => ({ name, config, index })),
  ),
)("$name, path $index", ({ name, config }) => {
  const step = builtinSteps.find((one) => one.name === name);

  it("does not get out of the workspace on any way", async () => {
    const bodies: string[] = [];
    ({ url } = await serve(async (request, response) => {
      for await (const chunk of request) bodies.push(String(chunk));
      response.end(request.url?.includes("/manifests/") ? manifest : "downloaded");
    }));
    const { outer, ctx } = await hostileTree();
    execFileSync("cp", [tarball, path.join(ctx.workspace.root, "good.tar")]);
    const before = await outsideOf(outer);
    for (const way of waysOut) {
      if (step === undefined) throw new Error(`There is no step ${name}`);
      const running = runStep(step, config(way), ctx);
      await expect(running, way).rejects.toMatchObject({
        message: expect.stringMatching(
          /workspace|relative|symbolic link|NUL|\.git|does not exist|no paths match|has no kustomization|not a regular file|not a valid directory|a part of its path/,
        ),
      });
      expect(await outsideOf(outer), way).toEqual(before);
    }
    expect(JSON.stringify(Object.values(await listTree(ctx.workspace.root)))).not.toContain("TOP-SECRET");
    expect(bodies.join()).not.toContain("TOP-SECRET");
  });
});

describe("hard links", () => {
  it.each([
    { name: "copy", config: { inPath: "good", outPath: "hard" } },
    { name: "file-write", config: { path: "hard", contents: "x", overwrite: true } },
    { name: "json-update", config: { path: "hard", updates: [{ key: "a", value: "x" }] } },
    { name: "yaml-update", config: { path: "hard", updates: [{ key: "a", value: "x" }] } },
    { name: "yaml-merge", config: { inFiles: ["good"], outFile: "hard" } },
    { name: "tar", config: { inPath: "good", outPath: "hard" } },
    { name: "delete", config: { path: "hard" } },
  ])("$name leaves the content under its other names alone", async ({ name, config }) => {
    const { outer, ctx } = await hostileTree();
    await link(path.join(outer, "secret"), path.join(ctx.workspace.root, "hard"));
    const before = await outsideOf(outer);
    const step = builtinSteps.find((one) => one.name === name);
    if (step === undefined) throw new Error(`There is no step ${name}`);
    expect(await runStep(step, config, ctx)).toMatchObject({ status: "succeeded" });
    expect(await outsideOf(outer)).toEqual(before);
  });
});

async function outsideOf(outer: string): Promise<Record<string, string>> {
  const tree = await listTree(outer);
  return Object.fromEntries(Object.entries(tree).filter(([name]) => !name.startsWith("workspace/")));
}
