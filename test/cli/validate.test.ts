import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { renderReport, validate } from "#cli/validate.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "towpath-validate-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, text: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, text);
  return path;
}
async function* stdin(text: string) {
  yield Buffer.from(text);
}

const project = (name: string) =>
  `apiVersion: kargo.akuity.io/v1alpha1\nkind: Project\nmetadata:\n  name: ${name}\n`;
const stage = (fields: string) =>
  `apiVersion: kargo.akuity.io/v1alpha1\nkind: Stage\nmetadata: {name: test, namespace: shop}\nspec:\n${fields}`;
const run = (paths: string[], options: Partial<Parameters<typeof validate>[0]> = {}) =>
  validate({ paths, steps: [], ...options });

describe("towpath validate", () => {
  it("finds nothing wrong with good files", async () => {
    const { report, sources } = await run([await file("good.yaml", project("shop"))]);
    expect(report).toEqual({ valid: true, problems: [] });
    expect(renderReport(report, sources)).toBe("No problems in 1 file.");
  });

  it("tells what is wrong with the steps of a stage that has a field too many, all at once", async () => {
    const text = stage(
      "  bogus: 1\n  requestedFreight: [{origin: {kind: Warehouse, name: app}, sources: {direct: true}}]\n  promotionTemplate: {spec: {steps: [{uses: git-clon, config: {}}]}}\n",
    );
    const { report } = await run([await file("many.yaml", text)]);
    const messages = report.problems.map(({ message }) => message);
    expect(messages).toContainEqual(expect.stringContaining('unknown field "bogus"'));
    expect(messages).toContainEqual(expect.stringContaining('unknown step kind "git-clon"'));
    expect(report.valid).toBe(false);
  });

  it("looks into folders, in the order of names, and leaves out what is not meant", async () => {
    await file("tree/b/two.yml", "kind: Two");
    await file("tree/a/one.yaml", "kind: One");
    await file("tree/c.json", '{"kind": "Three"}');
    await file("tree/readme.md", "kind: No");
    await file("tree/.hidden/x.yaml", "kind: No");
    await file("tree/node_modules/x.yaml", "kind: No");
    await file("tree/kustomization.yaml", "resources: [a]");
    await symlink(join(folder, "tree"), join(folder, "tree/again"));
    const { report } = await run([join(folder, "tree")]);
    expect(
      report.problems.map(({ file, message }) => [file.slice(folder.length), message.split(";")[0]]),
    ).toEqual([
      ["/tree/a/one.yaml", 'unknown kind "One"'],
      ["/tree/b/two.yml", 'unknown kind "Two"'],
      ["/tree/c.json", 'unknown kind "Three"'],
    ]);
  });

  it("reads the standard input", async () => {
    const { report } = await run(["-"], { stdin: stdin("kind: Nope\n") });
    expect(report).toMatchObject({ valid: false, problems: [{ file: "<stdin>", line: 1, column: 7 }] });
  });

  it("checks files together", async () => {
    const warehouse = await file(
      "warehouse.yaml",
      "apiVersion: kargo.akuity.io/v1alpha1\nkind: Warehouse\nmetadata: {name: main, namespace: shop}\nspec: {subscriptions: [{git: {repoURL: https://g.example/x}}]}",
    );
    const stages = await file(
      "stage.yaml",
      stage("  requestedFreight: [{origin: {kind: Warehouse, name: main}, sources: {direct: true}}]"),
    );
    expect((await run([stages])).report).toMatchObject({ valid: true, problems: [{ severity: "warning" }] });
    expect((await run([stages, warehouse])).report).toEqual({ valid: true, problems: [] });
  });

  it("takes warnings for errors when it is to be strict", async () => {
    const path = await file("strict.yaml", `${project("shop")}  surprise: yes\n`);
    expect((await run([path])).report).toMatchObject({ valid: true, problems: [{ severity: "warning" }] });
    expect((await run([path], { strict: true })).report).toMatchObject({
      valid: false,
      problems: [{ severity: "error" }],
    });
  });

  it.each([
    ["a file that is not there", async () => join(folder, "nowhere.yaml"), /no such file/, false],
    [
      "a folder without files",
      async () => {
        await mkdir(join(folder, "empty"));
        return join(folder, "empty");
      },
      /has no file/,
      false,
    ],
    [
      "a file that is no text",
      () => file("binary.yaml", new Uint8Array([0xff, 0xfe, 0x00])),
      /not UTF-8/,
      false,
    ],
    ["a file with nothing in it", () => file("nothing.yaml", "# nothing\n"), /no resource/, true],
  ])("says so of %s", async (_, path, message, valid) => {
    const { report } = await run([await path()]);
    expect(report).toMatchObject({ valid, problems: [{ line: 0, message: expect.stringMatching(message) }] });
  });

  it("reads the other files when one cannot be read", async () => {
    const good = await file("other.yaml", "kind: Nope");
    const { report } = await run([join(folder, "nowhere.yaml"), good]);
    expect(report.problems.map(({ message }) => message)).toEqual([
      expect.stringContaining("no such file"),
      expect.stringContaining("unknown kind"),
    ]);
  });
});

describe("the report for people", () => {
  it("shows place, field and the line with a caret, and counts", async () => {
    const text = `${project("shop")}  surprise: yes\n---\n${stage("  requestedFreight: []\n  promotionTemplat: {}\n")}`;
    const path = await file("frames.yaml", text);
    const { report, sources } = await run([path]);
    expect(renderReport(report, sources).replaceAll(path, "frames.yaml")).toBe(`\
frames.yaml:5:3: warning: unknown field "surprise" in metadata is left out (metadata.surprise)
  5 |   surprise: yes
    |   ^

frames.yaml:11:21: error: needs at least one entry (spec.requestedFreight)
  11 |   requestedFreight: []
     |                     ^

frames.yaml:12:3: error: unknown field "promotionTemplat" in spec, did you mean "promotionTemplate"? (spec.promotionTemplat)
  12 |   promotionTemplat: {}
     |   ^

2 errors, 1 warning in 1 file.`);
  });

  it("cuts long lines around the place", async () => {
    const path = await file("long.yaml", `{apiVersion: v1, ${"x".repeat(400)}: 1, kind: Nope}`);
    const { report, sources } = await run([path]);
    const [, line = "", caret = ""] = renderReport(report, sources).split("\n");
    expect(line.length).toBeLessThan(140);
    expect(line.slice(caret.indexOf("^"))).toMatch(/^Nope\}/);
  });

  it("never passes control characters on to the terminal", async () => {
    const path = await file("escape.yaml", 'kind: "\\u001b[2Jx"\n# \u001b[31m');
    const { report, sources } = await run([path]);
    expect(renderReport(report, sources).includes("\u001b")).toBe(false);
  });
});
