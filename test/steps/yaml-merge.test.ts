import { describe, expect, it } from "vitest";
import yamlMerge from "#steps/yaml-merge.ts";
import { contextWith } from "#test/support/files.ts";
import { runStep } from "#test/support/step-context.ts";

async function merge(texts: string[], extra: Record<string, unknown> = {}) {
  const names = texts.map((_, index) => `${index}.yaml`);
  const ctx = await contextWith(Object.fromEntries(texts.map((text, index) => [`${index}.yaml`, text])));
  const outcome = await runStep(yamlMerge, { inFiles: names, outFile: "out/merged.yaml", ...extra }, ctx);
  return { text: await ctx.workspace.readText("out/merged.yaml"), output: outcome.output };
}

describe("yaml-merge", () => {
  it.each([
    { what: "one file", texts: ["a: 1\n"], text: "a: 1\n" },
    { what: "values", texts: ["a: 1\nb: 2\n", "b: 3\n"], text: "a: 1\nb: 3\n" },
    { what: "maps", texts: ["a:\n  b: 1\n  c: 2\n", "a:\n  c: 3\n"], text: "a:\n  b: 1\n  c: 3\n" },
    { what: "lists, by replacing them", texts: ["a:\n- 1\n- 2\n", "a:\n- 3\n"], text: "a:\n- 3\n" },
    { what: "new keys in their order", texts: ["m: 1\n", "z: 1\na: 2\n"], text: "m: 1\na: 2\nz: 1\n" },
    {
      what: "null, by taking away",
      texts: ["a: 1\nb: {c: 1}\n", "a: null\nb:\n  c: ~\nd: null\n"],
      text: "b: {}\n",
    },
    {
      what: "comments of keys from the base and of values with the value",
      texts: ["# top\na: 1 # one\n\n# two\nb: 2 # old\n", "# gone\nb: 4 # four\n# gone too\nc: 5 # five\n"],
      text: "# top\na: 1 # one\n# two\nb: 4 # four\nc: 5 # five\n",
    },
    {
      what: "values in the quotes of those they replace",
      texts: ["a: 'x'\nb: y\nc: [1]\nd: 'z'\n", "a: v\nb: 'w'\nc:\n- 2\nd: 5\n"],
      text: "a: 'v'\nb: w\nc: [2]\nd: 5\n",
    },
    {
      what: "numbers as they are written",
      texts: ["a: 010\nb: 1.0\n", "c: 0x1F\n"],
      text: "a: 010\nb: 1.0\nc: 0x1F\n",
    },
    {
      what: "text that needs quotes",
      texts: ["a: x\nb: x\nc: x\n", "a: '5'\nb: 'k: v'\nc: yes\n"],
      text: 'a: "5"\nb: \'k: v\'\nc: "yes"\n',
    },
    {
      what: "blocks of text",
      texts: ["a: x\n", "a: |\n  y\n  z\nb: >-\n  v\n"],
      text: "a: |\n  y\n  z\nb: >-\n  v\n",
    },
    { what: "quotes", texts: ["a: '1'\n", 'b: "2"\n'], text: "a: '1'\nb: \"2\"\n" },
    { what: "empty files", texts: ["", "a: 1\n", "# nothing\n", "a: 2\n"], text: "a: 2\n" },
    { what: "three files", texts: ["a: 1\n", "b: 1\n", "a: 2\n"], text: "a: 2\nb: 1\n" },
    {
      what: "only the first document of each",
      texts: ["a: 1\n---\na: 5\n", "b: 2\n---\nb: 6\n"],
      text: "a: 1\nb: 2\n",
    },
  ])("merges $what", async ({ texts, text }) => {
    expect((await merge(texts)).text).toBe(text);
  });

  it("tells what it merged", async () => {
    expect((await merge(["a: 1\n"])).output).toEqual({ commitMessage: "Wrote 0.yaml to out/merged.yaml" });
    expect((await merge(["a: 1\n", "a: 2\n"])).output).toEqual({
      commitMessage: "Merged 2 YAML files to out/merged.yaml\n- 0.yaml\n- 1.yaml",
    });
  });

  it("goes on without missing files when told to", async () => {
    const inFiles = ["0.yaml", "none.yaml"];
    expect((await merge(["a: 1\n"], { inFiles, ignoreMissingFiles: true })).text).toBe("a: 1\n");
    expect(await merge([], { inFiles: ["none.yaml"], ignoreMissingFiles: true })).toEqual({
      text: "",
      output: undefined,
    });
    await expect(merge(["a: 1\n"], { inFiles })).rejects.toMatchObject({
      status: "Errored",
      message: 'Cannot merge file "none.yaml": there is no such file',
    });
  });

  it.each([
    ["a: 1\n", "a:\n  b: 2\n", '"a" is a map there and a single value before'],
    ["a:\n  b: [1]\n", "a:\n  b: 1\n", '"a.b" is a single value there and a list before'],
  ])("does not lay %j under %j", async (base, overlay, says) => {
    await expect(merge([base, overlay])).rejects.toMatchObject({
      status: "Errored",
      message: `Cannot merge file "1.yaml": ${says}`,
    });
  });

  it.each([":", "a: [b\n", "a:\n\tb: 1\n"])("fails on %j", async (text) => {
    await expect(merge([text])).rejects.toMatchObject({
      status: "Errored",
      message: expect.stringContaining("0.yaml"),
    });
  });

  it.each([{}, { inFiles: [] }, { inFiles: [], outFile: "a" }, { inFiles: ["a"], outFile: "" }])(
    "refuses the configuration %j",
    async (config) => {
      await expect(runStep(yamlMerge, config)).rejects.toMatchObject({ kind: "config" });
    },
  );
});
