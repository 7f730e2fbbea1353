import { mkdir, symlink } from "node:fs/promises";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import type { FreightReference } from "#core/resources/freight.ts";
import type { Resource } from "#core/resources/resource.ts";
import type { FreightRequest } from "#core/resources/stage.ts";
import kustomizeSetImage from "#steps/kustomize-set-image.ts";
import { kustomizeImage, setImages as setImagesOf } from "#steps/lib/kustomization-images.ts";
import { fakeContext, runStep } from "#test/support/step-context.ts";

const head = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n";

async function setImages(before: string, images: unknown, context = {}) {
  const ctx = fakeContext(context);
  await ctx.workspace.write("app/kustomization.yaml", before);
  const outcome = await runStep(kustomizeSetImage, { path: "app", images }, ctx);
  return { after: await ctx.workspace.readText("app/kustomization.yaml"), output: outcome.output };
}

const nginx = { image: "nginx", tag: "1.21.0" };

describe("kustomize-set-image", () => {
  it.each([
    {
      what: "adds images to a file that has none",
      before: head,
      images: [nginx],
      after: `${head}images:\n- name: nginx\n  newTag: 1.21.0\n`,
    },
    {
      what: "replaces a tag and leaves the rest of the file as it is",
      before: `${head}# mine\nimages:\n- name: nginx # why\n  newTag: 1.19.0 # old\n\nresources:  [ a ]\n`,
      images: [nginx],
      after: `${head}# mine\nimages:\n- name: nginx # why\n  newTag: 1.21.0\n\nresources:  [ a ]\n`,
    },
    {
      what: "keeps what an asterisk stands for",
      before: "images:\n  - name: nginx\n    newName: custom\n    newTag: 1.19.0\n",
      images: [{ ...nginx, newName: "*" }],
      after: "images:\n  - name: nginx\n    newName: custom\n    newTag: 1.21.0\n",
    },
    {
      what: "leaves out what an asterisk stands for where there is nothing",
      before: "images:\n",
      images: [{ image: "nginx", newName: "*", tag: "1" }],
      after: 'images:\n- name: nginx\n  newTag: "1"\n',
    },
    {
      what: "puts a digest in the place of a tag",
      before: "images:\n- name: nginx\n  newTag: 1.19.0\n",
      images: [{ image: "nginx", digest: "sha256:123", tag: "" }],
      after: "images:\n- name: nginx\n  digest: sha256:123\n",
    },
    {
      what: "sorts images by name",
      before: "images:\n- name: nginx\n  newTag: v1\n- name: mysql\n  newTag: 8.0.0\nz: 1\n",
      images: [{ image: "redis", tag: "6.2.5" }],
      after:
        "images:\n- name: mysql\n  newTag: 8.0.0\n- name: nginx\n  newTag: v1\n- name: redis\n  newTag: 6.2.5\nz: 1\n",
    },
    {
      what: "finds an image by its name in the file",
      before: "images:\n- name: web\n  newTag: v1\n",
      images: [{ image: "ghcr.io/shop/web", name: "web", newName: "mirror/web", tag: "v2" }],
      after: "images:\n- name: web\n  newName: mirror/web\n  newTag: v2\n",
    },
    {
      what: "keeps lists in brackets, CRLF and a byte order mark",
      before: "\ufeffkind: Kustomization\r\nimages: [{name: nginx, newTag: v1}] # all\r\n",
      images: [{ image: "nginx", tag: "v2" }],
      after: "\ufeffkind: Kustomization\r\nimages: [{name: nginx, newTag: v2}] # all\r\n",
    },
    {
      what: "quotes tags that YAML would take for something else",
      before: "images: []\n",
      images: [{ image: "a", tag: "1.10" }],
      after: 'images: [{name: a, newTag: "1.10"}]\n',
    },
  ])("$what", async ({ before, images, after }) => {
    const result = await setImages(before, images);
    expect(result.after).toBe(after);
    expect(parse(result.after.replace("\ufeff", ""))).toHaveProperty("images");
  });

  it("tells of all images of the file", async () => {
    const before = "images:\n- name: redis\n  newTag: 6.2.5\n- name: nginx\n  newTag: v1\n";
    const { output } = await setImages(before, [{ image: "nginx", newName: "custom", digest: "sha256:1" }]);
    expect(output).toEqual({
      commitMessage: "Updated app to use new images\n\n- custom@sha256:1\n- redis:6.2.5",
    });
    expect((await setImages(head, [nginx])).output).toEqual({
      commitMessage: "Updated app to use new image\n\n- nginx:1.21.0",
    });
  });

  const origin = (name: string) => ({ kind: "Warehouse" as const, name });
  const freight = [
    { name: "f1", origin: origin("one"), images: [{ repoURL: "nginx", digest: "sha256:123" }] },
    { name: "f2", origin: origin("two"), images: [{ repoURL: "redis", tag: "6.2.5", digest: "sha256:4" }] },
  ] as FreightReference[];
  const freightRequests = [{ origin: origin("one") }, { origin: origin("two") }] as FreightRequest[];

  it("sets all images of the freight when none are named", async () => {
    const { after, output } = await setImages(head, undefined, { freight });
    expect(parse(after).images).toEqual([
      { name: "nginx", digest: "sha256:123" },
      { name: "redis", newTag: "6.2.5", digest: "sha256:4" },
    ]);
    expect(output).toEqual({
      commitMessage: "Updated app to use new images\n\n- nginx@sha256:123\n- redis:6.2.5@sha256:4",
    });
  });

  it("says nothing when there is nothing to set", async () => {
    expect(await setImages(head, undefined)).toEqual({ after: `${head}images: []\n`, output: undefined });
  });

  it("asks which image is meant when two Warehouses subscribe to it", async () => {
    const warehouse = { spec: { subscriptions: [{ image: { repoURL: "nginx" } }] } } as unknown as Resource;
    const resources = { ...fakeContext().resources, get: async () => warehouse };
    const running = setImages(head, undefined, { freight, freightRequests, resources });
    await expect(running).rejects.toMatchObject({
      status: "Errored",
      message: expect.stringContaining("ambiguous"),
    });
  });

  it.each([
    { files: {}, says: "has no kustomization.yaml or" },
    { files: { "kustomization.yaml": "", Kustomization: "" }, says: "has several" },
    { files: { "kustomization.yml": "" }, says: "not a kustomization" },
    { files: { "kustomization.yml": "a: [" }, says: "not valid YAML" },
    { files: { "kustomization.yml": "images: {}" }, says: "not a list" },
  ])("fails when the folder holds $files", async ({ files, says }) => {
    const ctx = fakeContext();
    for (const [name, text] of Object.entries(files)) await ctx.workspace.write(name, text);
    await expect(runStep(kustomizeSetImage, { path: ".", images: [nginx] }, ctx)).rejects.toMatchObject({
      status: "Errored",
      message: expect.stringContaining(says),
    });
  });

  it("does not take a symbolic link for a kustomization", async () => {
    const ctx = fakeContext();
    await mkdir(path.join(ctx.workspace.root, "app"));
    await symlink("/etc/passwd", path.join(ctx.workspace.root, "app/kustomization.yaml"));
    await expect(runStep(kustomizeSetImage, { path: "app" }, ctx)).rejects.toThrow("has no kustomization");
  });

  const odd = fc.constantFrom(
    "v1",
    "1.10",
    "yes",
    "a: b",
    "# no",
    "*x",
    "é",
    "0x1",
    "null",
    "{a",
    "2030-01-01",
    "-",
  );
  const anyImage = fc
    .record({ newName: odd, tagSuffix: odd, newTag: odd, digest: odd }, { requiredKeys: [] })
    .map((fields) => kustomizeImage(fields));
  const anyImages = fc
    .dictionary(fc.constantFrom("nginx", "redis", "a/b", "c:1", "z"), anyImage, { maxKeys: 4 })
    .map((images) => Object.entries(images).map(([name, image]) => ({ ...image, name })));

  it("gives the images back when the file is read, and leaves the rest of it alone", () => {
    const written = ({ ...image }: Record<string, string>) =>
      Object.fromEntries(Object.entries(image).filter(([, value]) => value !== ""));
    fc.assert(
      fc.property(
        anyImages,
        anyImages,
        fc.record({
          head: fc.constantFrom("", "# note\n", "kind: K # c\n\n# images\n", "images2: [a]\n"),
          tail: fc.constantFrom("", "# tail\n", "\n# tail\nz: 1\n", "resources:\n- a # b\n"),
          indentSeq: fc.boolean(),
          flow: fc.boolean(),
          lineEnd: fc.constantFrom("\n", "\r\n"),
          mark: fc.constantFrom("", "\ufeff"),
        }),
        (current, wanted, { head, tail, indentSeq, flow, lineEnd, mark }) => {
          const old = current.map(written);
          const list = flow ? `images: ${JSON.stringify(old)}\n` : stringify({ images: old }, { indentSeq });
          const ends = (text: string) => text.replaceAll("\n", lineEnd);
          const before = mark + ends(head + list + tail);

          const { text } = setImagesOf(before, wanted);
          const merged = new Map([...current, ...wanted].map((image) => [image.name, written(image)]));
          const expected = [...merged.keys()].sort().map((name) => merged.get(name));
          expect(parse(text.slice(mark.length)).images).toEqual(expected);
          expect(text.startsWith(mark + ends(head))).toBe(true);
          expect(text.endsWith(ends(tail))).toBe(true);
          expect(text.replaceAll("\r\n", "").includes("\n")).toBe(lineEnd === "\n");
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each([
    {},
    { path: "" },
    { path: "app", images: [{}] },
    { path: "app", images: [{ image: "" }] },
    { path: "app", images: [{ image: "nginx" }] },
    { path: "app", images: [{ image: "nginx", tag: "a", digest: "b" }] },
    { path: "app", images: [{ image: "nginx", tag: "", digest: "" }] },
  ])("refuses the configuration %j", async (config) => {
    await expect(runStep(kustomizeSetImage, config)).rejects.toMatchObject({ kind: "config" });
  });
});
