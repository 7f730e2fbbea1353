import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openScriptWorld, places, type ScriptWorld } from "#test/runners/script/script-world.ts";

describe.each(places)("a script in $where", ({ where, runs, variables }) => {
  describe.skipIf(!runs)("that may nothing", () => {
    let world: ScriptWorld;
    beforeAll(async () => {
      world = await openScriptWorld({ env: await variables() });
    }, 60_000);
    afterAll(() => world[Symbol.asyncDispose]());

    const returned = [
      { gives: "what its body returns", run: "return { sum: config.a + config.b }", output: { sum: 3 } },
      {
        gives: "a typed value",
        run: "const a: number = config.a;\nreturn { a } as const;",
        output: { a: 1 },
      },
      {
        gives: "a value behind imports",
        run: `import { join } from "node:path";\nimport {\n  basename,\n} from 'node:path';\n// both\nreturn join("x", basename("/y/z"));`,
        output: { output: "x/z" },
      },
      {
        gives: "what a module's function returns",
        run: "export default async ({ vars, outputs }) => ({ ...vars, ...outputs.before })",
        output: { v: 1, o: 2 },
      },
      { gives: "a module's value", run: "export default { a: [1] }", output: { a: [1] } },
      {
        gives: "a text with the word export in it",
        run: "const text = `\nexport A=1\n`;\nreturn text",
        output: { output: "\nexport A=1\n" },
      },
      { gives: "a list", run: "return [1, null]", output: { output: [1, null] } },
      { gives: "nothing", run: "console.log(1)", output: {} },
      {
        gives: "what others of its task put out",
        run: "return { own: task.outputs.one, all: Object.keys(outputs) }",
        alias: "t::two",
        output: { own: { x: 1 }, all: ["before", "t::one"] },
      },
      {
        gives: "what its context says",
        run: "return { project: ctx.project, alias: ctx.meta.step.alias, freight: freight.length }",
        output: { project: "shop", alias: "scan", freight: 0 },
      },
    ];
    // What a text is taken for is the same everywhere: in a container, where each run takes longer, a few show it.
    const some = where === "a process" ? returned : returned.filter((_, index) => index % 4 === 0);
    it.each(some)("gives $gives", async ({ run, alias = "scan", output }) => {
      const { outcome, failure } = await world.run(
        { run, config: { a: 1, b: 2 } },
        { invocation: { vars: { v: 1 }, alias, outputs: { before: { o: 2 }, "t::one": { x: 1 } } } },
      );
      expect(failure).toBeUndefined();
      expect(outcome).toEqual({ status: "succeeded", output });
    });

    it("logs what it prints, by stream and line", async () => {
      const { lines } = await world.run({ run: 'console.log("one\\ntwo"); console.error({ three: 3 });' });
      const said = lines.filter(({ stream }) => stream !== "system");
      expect(said.map(({ stream, text }) => `${stream} ${text}`).sort()).toEqual([
        "stderr { three: 3 }",
        "stdout one",
        "stdout two",
      ]);
    });

    const failures = [
      {
        what: "throws",
        run: "\n\nconst a: any = undefined;\na.b();",
        kind: "errored",
        message: /^The script failed: TypeError: .*reading 'b'.* \(step\.ts:4:3\)$/,
      },
      { what: "throws no error", run: "throw { a: 1 }", kind: "errored", message: /threw \{ a: 1 \}/ },
      {
        what: "fails behind its own back",
        run: 'setTimeout(() => { throw new Error("late"); }, 1); await new Promise((r) => setTimeout(r, 5000));',
        kind: "errored",
        message: /^The script failed: Error: late \(step\.ts:1:\d+\)$/,
      },
      {
        what: "leaves a rejection unhandled",
        run: 'Promise.reject(new Error("lost")); await new Promise((r) => setTimeout(r, 5000));',
        kind: "errored",
        message: /^The script failed: Error: lost \(step\.ts:1:\d+\)$/,
      },
      { what: "says that it failed", run: 'fail("not today")', kind: "failed", message: /^not today$/ },
      { what: "is no TypeScript", run: "return )", kind: "errored", message: /step\.ts:1:/ },
      { what: "ends by itself", run: "Deno.exit(0)", kind: "errored", message: /ended before it returned/ },
      { what: "ends badly", run: "Deno.exit(3)", kind: "errored", message: /exit code 3/ },
      {
        what: "returns what JSON cannot say",
        run: "return { a: 1n }",
        kind: "errored",
        message: /"a".*bigint/,
      },
      {
        what: "returns too much",
        run: 'return "x".repeat(300_000)',
        kind: "refused",
        message: /at most 262144 are allowed/,
      },
      {
        what: "wants too much memory",
        run: "const all = []; for (;;) all.push(new Array(1e6).fill(all));",
        kind: "errored",
        message: /memory/,
      },
    ];
    const few = failures.filter(({ what }) =>
      ["throws", "ends badly", "wants too much memory"].includes(what),
    );
    it.each(where === "a process" ? failures : few)("fails when it $what", async ({ run, kind, message }) => {
      const { failure } = await world.run({ run, resources: { limits: { memory: "96Mi" } } });
      expect(failure).toMatchObject({ kind, message: expect.stringMatching(message) });
    });
  });
});
