import { mkdir, symlink } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { createFetch } from "#core/egress/fetch.ts";
import { createEgressPolicy } from "#core/egress/policy.ts";
import type { StepContext } from "#core/step.ts";
import { openWorkspace } from "#core/workspace-folder.ts";
import kustomizeBuild from "#steps/kustomize-build.ts";
import { bareRepository, git } from "#test/support/git-fixture.ts";
import { serveOverHttp } from "#test/support/git-server.ts";
import { chartFiles } from "#test/support/helm-charts.ts";
import { serve } from "#test/support/http-server.ts";
import { requirePart } from "#test/support/require-part.ts";
import { fakeContext, runStep, temporaryFolder } from "#test/support/step-context.ts";

const configMap = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`;

async function build(files: Record<string, string>, ctx = fakeContext()): Promise<string> {
  for (const [name, text] of Object.entries(files)) await ctx.workspace.write(name, text);
  await runStep(kustomizeBuild, { path: "app", outPath: "all.yaml" }, ctx);
  return await ctx.workspace.readText("all.yaml");
}

async function repository(files: Record<string, string>) {
  const folder = temporaryFolder();
  const bare = bareRepository([files], folder);
  const server = await serveOverHttp(folder);
  return { bare, folder, server, url: `${server.url}/repo.git` };
}

/** A context in which nothing of this machine is open but one port. */
function opening(port: string): StepContext {
  const policy = createEgressPolicy({ allow: [`127.0.0.1:${port}`] });
  return fakeContext({ fetch: createFetch({ policy }) });
}

const hasParts = (await requirePart("kustomize")) && (await requirePart("helm"));

describe.skipIf(!hasParts)("kustomize-build with what is to be fetched", () => {
  const base = {
    "config/kustomization.yaml": "resources: [map.yaml, ../shared]\nnamePrefix: far-\n",
    "config/map.yaml": configMap("one"),
    "shared/kustomization.yaml": "resources: [map.yaml]\n",
    "shared/map.yaml": configMap("two"),
  };

  it.each([
    { how: "a branch", query: "?ref=main", folder: "//config" },
    { how: "a tag", query: "?version=v1", folder: "/config" },
    { how: "a commit", query: "?ref=COMMIT&timeout=10s", folder: "//config" },
    { how: "its default branch", query: "", folder: "/config/" },
  ])("builds on a repository's folder at $how", async ({ query, folder }) => {
    const { url, bare } = await repository(base);
    git(bare, "tag", "v1", "main");
    git(bare, "config", "uploadpack.allowAnySHA1InWant", "true");
    const ref = query.replace("COMMIT", git(bare, "rev-parse", "main"));
    const all = await build({
      "app/kustomization.yaml": `# kept\nresources:\n- "../near" # beside\n- ${url}${folder}${ref}\n`,
      "near/kustomization.yaml": `resources: [map.yaml]\nnamePrefix: near-\n`,
      "near/map.yaml": configMap("three"),
    });
    for (const name of ["far-one", "far-two", "near-three"]) expect(all).toContain(`name: ${name}\n`);
  });

  it("builds on files of a server, wherever Kustomize takes them, and leaves the workspace as it was", async () => {
    const { url } = await serve((request, response) => {
      if (request.url === "/moved.yaml") response.writeHead(302, { location: "/map.yaml?x=1" }).end();
      else if (request.url === "/color.txt") response.end("blue");
      else if (request.url === "/patch.yaml") response.end(`${configMap("one")}data: {patched: "yes"}\n`);
      else response.end(configMap("one"));
    });
    const kustomization = [
      `commonAnnotations: {from: "${url}/moved.yaml"}`,
      `resources: ['${url}/moved.yaml']`,
      `patches: [{path: ${url}/patch.yaml}]`,
      `configMapGenerator: [{name: made, literals: ["c=${url}/color.txt"], files: ["d=${url}/color.txt", ${url}/color.txt]}]`,
      "",
    ].join("\n");
    const ctx = fakeContext();
    const all = await build({ "app/kustomization.yaml": kustomization }, ctx);
    expect(all).toContain('patched: "yes"');
    expect(all).toContain("d: blue");
    expect(all).toContain("color.txt: blue");
    expect(all).toContain(`c: ${url}/color.txt`);
    expect(all).toContain(`from: ${url}/moved.yaml`);
    expect(await ctx.workspace.readText("app/kustomization.yaml")).toBe(kustomization);
  });

  it("walks through bases and components of bases, in other repositories and over links of the workspace", async () => {
    const far = await repository({
      ...base,
      "c/kustomization.yaml":
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnameSuffix: -c\n",
    });
    const near = await repository({
      "kustomization.yaml": `resources: ["${far.url}//config"]\ncomponents: ["${far.url}//c?ref=main"]\n`,
    });
    const ctx = fakeContext();
    await mkdir(path.join(ctx.workspace.root, "real"), { recursive: true });
    await symlink("real", path.join(ctx.workspace.root, "link"));
    const all = await build(
      {
        "app/kustomization.yaml": "resources: [../link]\n",
        "real/kustomization.yaml": `resources: ["git::${near.url}"]\n`,
      },
      ctx,
    );
    expect(all).toContain("name: far-one-c\n");
  });

  it.each(["github.com/org/repo//config?ref=main", "https://github.com/org/repo.git/config?ref=main"])(
    "builds on %s over https",
    async (entry) => {
      const { server } = await repository(base);
      const asked: string[] = [];
      const { fetch } = fakeContext();
      const ctx = fakeContext({
        fetch: (url, init) => {
          asked.push(String(url));
          const here = String(url).replace(
            /^https:\/\/github\.com\/org\/repo(?:\.git)?/,
            `${server.url}/repo.git`,
          );
          return fetch(here, init);
        },
      });
      const all = await build({ "app/kustomization.yaml": `resources: ["${entry}"]\n` }, ctx);
      expect(all).toContain("name: far-one\n");
      expect(asked[0]).toMatch(/^https:\/\/github\.com\/org\/repo/);
    },
  );

  it("asks for no address in patches in line", async () => {
    const patch = JSON.stringify({
      ...JSON.parse('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"one"}}'),
      data: { to: "--u=http://127.0.0.1:1/" },
    });
    const kustomization = `resources: [map.yaml]\npatchesStrategicMerge:\n- '${patch}'\n- |-\n  ${configMap("one").trim().replaceAll("\n", "\n  ")}\n  data:\n    too: a=http://127.0.0.1:1/\n`;
    const all = await build({ "app/kustomization.yaml": kustomization, "app/map.yaml": configMap("one") });
    expect(all).toContain("to: --u=http://127.0.0.1:1/");
    expect(all).toContain("too: a=http://127.0.0.1:1/");
  });

  it("fetches submodules on the same way", async () => {
    const inner = await repository({
      "kustomization.yaml": "resources: [map.yaml]\n",
      "map.yaml": configMap("sub"),
    });
    const outer = await repository({ "readme.txt": "outer" });
    const work = temporaryFolder();
    git(work, "clone", "--quiet", outer.bare, "w");
    const tree = path.join(work, "w");
    git(tree, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner.bare, "sub");
    git(tree, "config", "-f", ".gitmodules", "submodule.sub.url", inner.url);
    git(tree, "commit", "--quiet", "-am", "Add");
    git(tree, "push", "--quiet", "origin", "HEAD:main");
    const files = { "app/kustomization.yaml": `resources: ["${outer.url}//sub?ref=main"]\n` };
    expect(await build(files)).toContain("name: sub\n");
    expect(inner.server.requests.length).toBeGreaterThan(0);
    const port = new URL(outer.server.url).port;
    await expect(build(files, opening(port))).rejects.toMatchObject({ kind: "refused" });
  });

  it("inflates charts of the workspace beside bases that were fetched, and none of a base", async () => {
    const charts = "helmCharts: [{name: db, releaseName: demo, valuesFile: values.yaml}]\n";
    const there = { ...chartFiles("app/charts/db", "db", "1.0.0"), "app/values.yaml": "key: mine\n" };
    const { url } = await repository(base);
    const all = await build({
      "app/kustomization.yaml": `resources: ["${url}//config"]\n${charts}`,
      ...there,
    });
    expect(all).toContain("name: demo-db");
    expect(all).toContain("name: far-one");
    const hostile = await repository({
      "kustomization.yaml": charts,
      ...chartFiles("charts/db", "db", "1.0.0"),
    });
    await expect(
      build({ "app/kustomization.yaml": `resources: ["${hostile.url}//."]\n` }),
    ).rejects.toMatchObject({ kind: "refused", message: expect.stringContaining("Helm charts") });
  });

  it.each<[string, string, Record<string, string>?]>([
    ["a file", "resources: [/etc/hostname]"],
    ["a file above", "resources: [../../../../../../../etc/hostname]"],
    ["a file of a ConfigMap", "configMapGenerator: [{name: a, files: [k=/etc/hostname]}]"],
    [
      "a generator",
      "generators: [g.yaml]",
      {
        "g.yaml":
          "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: a}\nfiles: [k=/etc/hostname]\n",
      },
    ],
    ["a generator that is fetched", "generators: ['http://127.0.0.1:1/g.yaml']"],
    ["a repository over ssh", "resources: ['git@example.com:a/b']"],
    ["a repository on disk", "resources: ['file:///etc']"],
    ["a closed port", "resources: ['http://127.0.0.1:1/a.yaml']"],
    ["a closed port behind a key", "configMapGenerator: [{name: a, files: ['k=http://127.0.0.1:1/a']}]"],
    ["a metadata service", "resources: ['http://169.254.169.254/latest//x?ref=main']"],
    [
      "an alias",
      "namePrefix: a-\ncommonLabels: {a: &a 'http://127.0.0.1:PORT/repo.git//.'}\nresources: [*a]",
    ],
    ["an option as ref", "resources: ['http://127.0.0.1:PORT/repo.git//x?ref=--upload-pack=a']"],
    ["a way up", "resources: ['http://127.0.0.1:PORT/repo.git//../../etc']"],
    ["a password", "resources: ['http://me:secret@127.0.0.1:PORT/repo.git//x']"],
  ])("does not let a base that is fetched get out by %s", async (_, kustomization, more = {}) => {
    const folder = temporaryFolder();
    const server = await serveOverHttp(folder);
    const { port } = new URL(server.url);
    const text = kustomization.replaceAll("PORT", port);
    bareRepository([{ "base/kustomization.yaml": text, "kustomization.yaml": "", ...rooted(more) }], folder);
    const ctx = opening(port);
    const files = { "app/kustomization.yaml": `resources: ["${server.url}/repo.git//base"]\n` };
    await expect(build(files, ctx)).rejects.toMatchObject({ kind: "refused" });
    expect(await ctx.workspace.exists("all.yaml")).toBe(false);
  });

  it("lets no way lead out that leads nowhere from where the workspace is", async () => {
    const { url } = await repository(base);
    const root = path.join(temporaryFolder(), "a/deeper/workspace/than/others");
    await mkdir(root, { recursive: true });
    for (const up of [1, 2, 3, 4, 5]) {
      const away = `${"../".repeat(up)}etc/hostname`;
      const ctx = fakeContext({ workspace: await openWorkspace(root) });
      const files = {
        "app/kustomization.yaml": `resources: ["${url}//config"]\nconfigMapGenerator: [{name: a, files: ["${away}"]}]\n`,
      };
      await expect(build(files, ctx)).rejects.toThrow(up === 4 ? "is outside of the workspace" : "hostname");
    }
  });

  it("does not let a base that is fetched see the workspace", async () => {
    const { url } = await repository({
      "base/kustomization.yaml": "resources: [../../../.staged/app/own.yaml]\n",
    });
    const files = {
      "app/kustomization.yaml": `resources: ["${url}//base"]\n`,
      "app/own.yaml": configMap("own"),
    };
    await expect(build(files)).rejects.toThrow("is outside of its repository");
  });

  it("refuses links out of a repository", async () => {
    const { url, bare } = await repository({ "kustomization.yaml": "resources: [away/hostname]\n" });
    const work = temporaryFolder();
    git(work, "clone", "--quiet", bare, "w");
    await symlink("/etc", path.join(work, "w/away"));
    git(path.join(work, "w"), "add", ".");
    git(path.join(work, "w"), "commit", "--quiet", "-m", "Link");
    git(path.join(work, "w"), "push", "--quiet", "origin", "HEAD:main");
    for (const at of [`${url}//.`, `${url}//away`]) {
      await expect(build({ "app/kustomization.yaml": `resources: ["${at}"]\n` })).rejects.toMatchObject({
        kind: "refused",
      });
    }
  });

  it.each(["/a.yaml", "/org/repo//config?ref=main"])(
    "follows no redirect of %s to a closed address",
    async (at) => {
      let wasAsked = false;
      const closed = await serve((_, response) => {
        wasAsked = true;
        response.end(configMap("secret"));
      });
      const open = await serve((request, response) => {
        if (request.url?.includes("config")) response.writeHead(404).end();
        else response.writeHead(302, { location: `${closed.url}/${request.url}` }).end();
      });
      const files = { "app/kustomization.yaml": `resources: ["${open.url}${at}"]\n` };
      const running = build(files, opening(String(open.port)));
      await expect(running).rejects.toMatchObject({
        kind: "refused",
        message: expect.stringContaining("127.0.0.1"),
      });
      expect(wasAsked).toBe(false);
    },
  );

  it.each([
    { what: "a file that is not there", at: "/a.yaml", says: "answered 404" },
    { what: "a repository that is not there", at: "/a/b//c", says: "only public repositories" },
    { what: "a branch that is not there", at: "/repo.git//config?ref=none", says: "none" },
    { what: "a folder that is not there", at: "/repo.git//none", says: 'no folder "none"' },
  ])("says what is wrong with $what", async ({ at, says }) => {
    const { server } = await repository(base);
    await expect(build({ "app/kustomization.yaml": `resources: ["${server.url}${at}"]\n` })).rejects.toThrow(
      says,
    );
  });
});

function rooted(files: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [`base/${name}`, text]));
}
