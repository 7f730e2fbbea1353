import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadPlugins } from "#runners/plugins/load-plugins.ts";
import { pluginNamesFrom } from "#runners/plugins/plugin-source.ts";
import { serve } from "#test/support/http-server.ts";
import { fakeContext, runStep } from "#test/support/step-context.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "towpath-plugins-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function plugin(name: string, files: Record<string, string>, manifest: object = { contract: 1 }) {
  const root = join(folder, name);
  const all = { "package.json": JSON.stringify({ name, type: "module", towpath: manifest }), ...files };
  for (const [file, text] of Object.entries(all)) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), text);
  }
}

const load = (...names: string[]) => loadPlugins(names, { folder, taken: ["git-clone"] });

/** A step's module; the parts that are given take the place of good ones. */
function stepModule(name: string, parts: Record<string, string> = {}): string {
  const all: Record<string, string> = {
    name: JSON.stringify(name),
    summary: '"Does a thing."',
    config: "z.strictObject({ a: z.string().optional().describe('A text.') })",
    output: "z.looseObject({})",
    examples: "[]",
    run: "async () => succeeded({ done: true })",
    ...parts,
  };
  const fields = Object.entries(all).map(([field, value]) => `${field}: ${value}`);
  return `import { defineStep, StepFailure, succeeded, z } from "towpath/step";\nexport default defineStep({ ${fields.join(", ")} });`;
}

describe("plugins", () => {
  it("bring the step of the example, which then runs like any other", async () => {
    const example = join(import.meta.dirname, "../../../examples/plugin");
    const { steps, loaded, problems } = await loadPlugins([example], { folder, taken: [] });
    expect(problems).toEqual([]);
    expect(loaded).toEqual([{ name: "towpath-steps-example", version: "1.0.0", steps: ["wait-for-url"] }]);
    const { url } = await serve(({ url: path }, response) => {
      response.statusCode = path === "/ready" ? 200 : path === "/closed" ? 403 : 503;
      response.end();
    });
    const [step] = steps;
    if (!step) throw new Error("no step");
    expect(await runStep(step, { url: `${url}/ready` })).toMatchObject({ status: "succeeded" });
    expect(await runStep(step, { url: `${url}/busy` })).toMatchObject({
      status: "waiting",
      retryInSeconds: 10,
    });
    await expect(runStep(step, { url: `${url}/closed` })).rejects.toMatchObject({ kind: "refused" });
    await expect(runStep(step, { url: "x" })).rejects.toMatchObject({ kind: "config" });
  });

  it("are folders, with modules in JavaScript and TypeScript, and packages that are installed", async () => {
    await plugin("both", {
      "one.js": stepModule("one"),
      "two.ts": `${stepModule("two")}\nexport const typed: number = 2;`,
      "two.test.ts": "throw new Error('a test is no step')",
      "two.d.ts": "export {}",
    });
    await plugin("node_modules/@acme/steps", {
      "index.js": `${stepModule("three").replace("export default", "const three =")}\nexport default [three, { ...three, name: "four" }];`,
    });
    const { loaded, problems, steps } = await load("./both", "@acme/steps");
    expect(problems).toEqual([]);
    expect(loaded.map(({ steps: own }) => own)).toEqual([
      ["one", "two"],
      ["three", "four"],
    ]);
    expect(steps.map(({ name }) => name)).toEqual(["one", "two", "three", "four"]);
  });

  const broken: {
    what: string;
    name: string;
    manifest?: object;
    files?: Record<string, string>;
    message: RegExp;
  }[] = [
    { what: "is not there", name: "./nowhere", message: /there is no folder ".*nowhere"/ },
    {
      what: "is not installed",
      name: "no-such-package",
      message: /no package "no-such-package" is installed/,
    },
    {
      what: "has no package.json",
      name: "./bare",
      files: { "package.json": "" },
      message: /package\.json cannot be read/,
    },
    {
      what: "declares no contract",
      name: "./undeclared",
      files: { "package.json": "{}", "a.js": stepModule("a") },
      message: /declares no version of the step contract/,
    },
    {
      what: "is made for another contract, and none of its code runs",
      name: "./newer",
      manifest: { contract: 2 },
      files: { "a.js": "globalThis.pluginRan = true" },
      message: /made for version 2 of the step contract, and this Towpath keeps version 1/,
    },
    {
      what: "names a module outside of it",
      name: "./outside",
      manifest: { contract: 1, steps: ["../both/one.js"] },
      message: /"\.\.\/both\/one\.js" is outside of it/,
    },
    { what: "has no module", name: "./empty", message: /no module in it/ },
    {
      what: "throws",
      name: "./throws",
      files: { "a.js": "throw new Error('boom')" },
      message: /^a\.js: boom$/,
    },
    {
      what: "is no JavaScript",
      name: "./broken",
      files: { "a.js": "export default {" },
      message: /^a\.js: /,
    },
    {
      what: "imports what is not there",
      name: "./needy",
      files: { "a.js": "import 'no-such-package'" },
      message: /^a\.js: .*no-such-package/,
    },
    {
      what: "exports nothing",
      name: "./silent",
      files: { "a.js": "export const a = 1" },
      message: /^a\.js: it has no default export/,
    },
    {
      what: "exports no step",
      name: "./shapeless",
      files: { "a.js": "export default { name: 'A B', run: 1 }" },
      message:
        /^a\.js: it is no step: name: expected a name such as.*summary.*config: expected a schema.*run: expected a function/,
    },
    {
      what: "takes the name of a step that comes with Towpath",
      name: "./shadow",
      files: { "a.js": stepModule("git-clone") },
      message: /^a\.js: step "git-clone" comes with Towpath/,
    },
    {
      what: "has a name twice",
      name: "./twice",
      files: { "a.js": stepModule("same"), "b.js": stepModule("same") },
      message: /^b\.js: step "same" was brought by another module already$/,
    },
  ];
  it.each(broken)(
    "are told of and left out when one $what",
    async ({ name, files = {}, manifest, message }) => {
      await plugin("good", { "good.js": stepModule("good") });
      if (name.startsWith("./") && name !== "./nowhere") await plugin(name, files, manifest);
      const { steps, problems } = await load(name, "./good");
      expect(problems).toEqual([{ plugin: name, message: expect.stringMatching(message) }]);
      expect(steps.map((step) => step.name)).toContain("good");
      expect(globalThis).not.toHaveProperty("pluginRan");
    },
  );

  it("fail their step, and nothing else, by what they throw and return", async () => {
    await plugin("unruly", {
      "a.js": stepModule("a", { run: "async () => { throw new StepFailure('failed', 'no') }" }),
      "b.js": stepModule("b", { run: "async () => undefined" }),
      "c.js": stepModule("c", { run: "() => { throw new TypeError('oops') }" }),
    });
    const { steps } = await load("./unruly");
    const [a, b, c] = steps;
    if (!a || !b || !c) throw new Error("missing");
    await expect(runStep(a, {})).rejects.toMatchObject({ kind: "failed", message: "no" });
    await expect(runStep(b, {}, fakeContext())).rejects.toThrow("step b returned no outcome");
    await expect(runStep(c, {})).rejects.toThrow("oops");
  });

  it("are named by the settings, and by flags beside them", () => {
    expect(pluginNamesFrom({ TOWPATH_PLUGINS: "./a, b,,./a" }, ["c"])).toEqual(["./a", "b", "c"]);
    expect(pluginNamesFrom({})).toEqual([]);
  });
});
