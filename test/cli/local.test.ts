import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import type { CliIO } from "#cli/io.ts";
import { evaluate, run, step } from "#cli/local.ts";
import { ExitCode } from "#cli/report-error.ts";
import { temporaryFolder } from "#test/support/step-context.ts";

/** Runs a command as the program does, and returns what it left. */
async function call(
  command: (io: CliIO) => Promise<void>,
  { stdin = "", signal = new AbortController().signal } = {},
) {
  const streams = { stdout: new PassThrough(), stderr: new PassThrough() };
  const io: CliIO = { stdin: Readable.from([stdin]), ...streams, env: {}, signal };
  let code = 0;
  await command(io).catch((error: unknown) => {
    if (!(error instanceof ExitCode)) throw error;
    code = error.code;
  });
  const read = (stream: PassThrough) => {
    const chunks: Buffer[] = [];
    for (let chunk = stream.read() as Buffer | null; chunk !== null; chunk = stream.read())
      chunks.push(chunk);
    return Buffer.concat(chunks).toString("utf8");
  };
  return { code, out: read(streams.stdout), err: read(streams.stderr) };
}

async function fileWith(content: unknown, name = "file.json"): Promise<string> {
  const file = join(temporaryFolder(), name);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
}

const lines = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("towpath step", () => {
  const one = async (name: string, config: unknown, context?: unknown, workdir = temporaryFolder()) => {
    const flags = {
      config: await fileWith(config),
      workdir,
      context: context === undefined ? undefined : await fileWith(context),
    };
    const { out, code } = await call((io) => step(name, flags, io));
    return { result: JSON.parse(out) as Record<string, unknown>, code };
  };

  it.each([
    {
      title: "runs one step and prints what came of it",
      name: "compose-output",
      config: { a: 1 },
      gives: { status: "Succeeded", output: { a: 1 }, message: "" },
      code: 0,
    },
    {
      title: "tells no output where a step gives none",
      name: "delete",
      config: { path: "none" },
      gives: { status: "Succeeded", output: null },
      code: 0,
    },
    {
      title: "tells that a step failed",
      name: "fail",
      config: { message: "no way" },
      gives: { status: "Failed", message: expect.stringContaining("no way") },
      code: 1,
    },
    {
      title: "tells what is wrong with the configuration",
      name: "copy",
      config: { inPath: "a" },
      gives: { status: "Failed", output: null, message: "invalid copy config: (root): outPath is required" },
      code: 1,
    },
    {
      title: "tells that an expression cannot be evaluated",
      name: "compose-output",
      config: { a: "${{ outputs.nobody.x }}" },
      gives: { status: "Errored", output: null },
      code: 1,
    },
    {
      title: "waits for nobody",
      name: "gate",
      config: { message: "Go?" },
      gives: { status: "Running", output: null, message: "Go?" },
      code: 0,
    },
    {
      title: "knows the nearest name of a step that is none",
      name: "compos-output",
      config: {},
      gives: {
        status: "Errored",
        message: 'step kind "compos-output" is not registered; did you mean "compose-output"?',
      },
      code: 1,
    },
  ])("$title", async ({ name, config, gives, code }) => {
    const done = await one(name, config);
    expect(done.result).toMatchObject(gives);
    expect(done.code).toBe(code);
  });

  it("takes from the context what a promotion would know", async () => {
    const { result } = await one(
      "compose-output",
      {
        where: "${{ ctx.project }}/${{ ctx.stage }}/${{ ctx.promotion }}/${{ ctx.meta.step.alias }}",
        freight:
          "${{ ctx.targetFreight.name }} from ${{ ctx.targetFreight.origin.name }}, ${{ ctx.targetFreight.alias }}",
        var: "${{ vars.list[1] }}",
        output: "${{ outputs.clone.commit }}",
        task: "${{ task.outputs.own.x }}",
      },
      {
        project: "shop",
        stage: "prod",
        promotion: "prod.1",
        alias: "task-1::compose",
        vars: { list: [1, 2] },
        outputs: { clone: { commit: "c0ffee" }, "task-1::own": { x: true } },
        freight: [
          { metadata: { name: "abc" }, alias: "wild-otter", origin: { kind: "Warehouse", name: "main" } },
        ],
      },
    );
    expect(result.output).toEqual({
      where: "shop/prod/prod.1/task-1::compose",
      freight: "abc from main, wild-otter",
      var: 2,
      output: "c0ffee",
      task: true,
    });
  });

  it.each([
    {
      given: "a collection whose keys alone tell the origins",
      freight: {
        items: {
          "Warehouse/web": { origin: { kind: "", name: "" }, images: [{ repoURL: "web", tag: "v1" }] },
          "Warehouse/db": { images: [{ repoURL: "db", tag: "v2" }] },
        },
      },
    },
    {
      given: "a list without names or origins",
      freight: [{ images: [{ repoURL: "web", tag: "v1" }] }, { images: [{ repoURL: "db", tag: "v2" }] }],
    },
  ])("keeps all freight of $given", async ({ freight }) => {
    const config = { web: '${{ imageFrom("web").Tag }}', db: '${{ imageFrom("db").Tag }}' };
    const { result } = await one("compose-output", config, { freight });
    expect(result.output).toEqual({ web: "v1", db: "v2" });
  });

  it("evaluates variables that are given as a list, in order", async () => {
    const vars = [
      { name: "a", value: "x" },
      { name: "b", value: "${{ vars.a }}${{ ctx.stage }}" },
    ];
    const { result } = await one("compose-output", { b: "${{ vars.b }}" }, { vars, stage: "test" });
    expect(result.output).toEqual({ b: "xtest" });
  });

  it("works in the folder that it is given", async () => {
    const workdir = temporaryFolder();
    await writeFile(join(workdir, "a.txt"), "hello");
    const { result } = await one("copy", { inPath: "a.txt", outPath: "b/c.txt" }, undefined, workdir);
    expect(result.status).toBe("Succeeded");
    expect(await readFile(join(workdir, "b/c.txt"), "utf8")).toBe("hello");
  });

  it.each([
    { config: { inPath: "a", outPath: "b" }, valid: true, problems: [] },
    { config: { inPath: "${{ vars.in }}", outPath: "b" }, valid: true, problems: [] },
    {
      config: { inPath: 1, outPath: "b" },
      valid: false,
      problems: ["inPath: Invalid type. Expected: string, given: integer"],
    },
  ])("only checks $config when asked to", async ({ config, valid, problems }) => {
    const file = await fileWith(config);
    const { out, code } = await call((io) => step("copy", { config: file, check: true }, io));
    expect(JSON.parse(out)).toEqual({ valid, problems });
    expect(code).toBe(valid ? 0 : 1);
  });

  it("answers many cases in order, whatever each of them is", async () => {
    const workdir = temporaryFolder();
    const cases = [
      { id: 1, step: "compose-output", config: { a: "${{ vars.a }}" }, workdir, context: { vars: { a: 1 } } },
      { id: "two", step: "copy", config: {}, check: true },
      { id: 3, step: "fail", config: {}, workdir },
      { id: 4, config: {} },
      { id: 5, step: "compose-output", config: { a: 1 }, workdir, context: { freight: "none" } },
    ];
    const stdin = `${cases.map((line) => JSON.stringify(line)).join("\n")}\nno json\n`;
    const { out, code } = await call((io) => step(undefined, { ndjson: true }, io), { stdin });
    expect(code).toBe(0);
    expect(lines(out)).toEqual([
      { id: 1, status: "Succeeded", output: { a: 1 }, message: "" },
      { id: "two", valid: false, problems: ["(root): inPath is required", "(root): outPath is required"] },
      { id: 3, status: "Failed", output: null, message: expect.anything() },
      { id: 4, error: "Cannot run a step: none is named" },
      { id: 5, error: expect.stringMatching(/^Cannot use the context at "freight/) },
      { id: null, error: expect.anything() },
    ]);
  });
});

describe("towpath eval", () => {
  it.each([
    { template: "v${{ 1 + 1 }}", env: {}, prints: '"v2"' },
    { template: "${{ a.b }}", env: { a: { b: [1, "x"] } }, prints: '[1,"x"]' },
    { template: "plain", env: {}, prints: '"plain"' },
  ])("prints the value of $template", async ({ template, env, prints }) => {
    const file = await fileWith(env);
    const { out } = await call((io) => evaluate(template, { env: file }, io));
    expect(out.trim()).toBe(prints);
  });

  it("answers many cases in order", async () => {
    const cases = [
      { id: 1, expr: "a + 1", env: { a: 1 } },
      { id: 2, template: { x: ["${{ a }}"] }, env: { a: true } },
      { id: 3, expr: "ctx.stage + vars.v", context: { stage: "prod", vars: { v: "1" } } },
      { id: 4, expr: "1 +" },
      { id: 5 },
    ];
    const { out } = await call((io) => evaluate(undefined, { ndjson: true }, io), {
      stdin: cases.map((line) => JSON.stringify(line)).join("\n"),
    });
    expect(lines(out)).toEqual([
      { id: 1, value: 2 },
      { id: 2, value: { x: [true] } },
      { id: 3, value: "prod1" },
      { id: 4, error: expect.anything() },
      { id: 5, error: expect.stringMatching(/neither `expr` nor `template`/) },
    ]);
  });
});

const task = `
apiVersion: kargo.akuity.io/v1alpha1
kind: PromotionTask
metadata: { name: greet, namespace: shop }
spec:
  vars: [{ name: whom }, { name: greeting, value: hello }]
  steps:
    - { uses: compose-output, as: words, config: { text: "\${{ vars.greeting }} \${{ vars.whom }}" } }
    - { uses: compose-output, as: out, config: { said: "\${{ task.outputs.words.text }}" } }
`;

describe("towpath run", () => {
  const record = async (content: string, flags: object = {}) => {
    const file = await fileWith(content, "main.yaml");
    const { out, code } = await call((io) => run(file, { output: "json", ...flags }, io));
    return {
      record: JSON.parse(out) as { phase: string; message: string; steps: Record<string, unknown>[] },
      code,
    };
  };

  it("runs a task with its variables and prints the record", async () => {
    const { record: done, code } = await record(task, { var: ["whom=world"] });
    expect(code).toBe(0);
    expect(done).toMatchObject({
      phase: "Succeeded",
      message: "",
      startedAt: expect.any(String),
      finishedAt: expect.any(String),
      steps: [
        {
          alias: "greet::words",
          uses: "compose-output",
          status: "Succeeded",
          output: { text: "hello world" },
        },
        {
          alias: "greet::out",
          status: "Succeeded",
          output: { said: "hello world" },
          startedAt: expect.any(String),
        },
      ],
    });
  });

  it.each([
    { steps: "[{ uses: fail }]", phase: "Failed", code: 1 },
    { steps: "[{ uses: compose-output, config: { a: '${{ outputs.x.y }}' } }]", phase: "Errored", code: 2 },
    {
      steps:
        "{ vars: [{ name: a, value: b }], steps: [{ uses: compose-output, config: { a: '${{ vars.a }}' } }] }",
      phase: "Succeeded",
      code: 0,
    },
  ])("runs a list of steps: $steps is $phase", async ({ steps, phase, code }) => {
    const done = await record(steps);
    expect({ phase: done.record.phase, code: done.code }).toEqual({ phase, code });
  });

  it("finds tasks and other resources in the files beside", async () => {
    const more = await fileWith(task, "more.yaml");
    const { record: done } = await record(
      "[{ task: { name: greet }, as: it, vars: [{ name: whom, value: you }] }]",
      {
        filename: [more],
      },
    );
    expect(done.steps.map(({ alias }) => alias)).toEqual(["it::words", "it::out"]);
  });

  it("shows each step as it ends, in columns", async () => {
    const file = await fileWith(
      "[{ uses: compose-output, as: first, config: { a: 1 } }, { uses: fail, as: second }]",
      "steps.yaml",
    );
    const { out } = await call((io) => run(file, { output: "text" }, io));
    const [first, second, , last] = out.split("\n");
    expect(first).toMatch(/^✓ first {3}compose-output +\d+\.\ds$/);
    expect(second).toMatch(/^✗ second {2}fail +\d+\.\ds {2}step "second": failed/);
    expect(last).toMatch(/^Failed in \d+\.\ds: step "second": failed/);
  });

  it("ends a step that waits when it is interrupted", async () => {
    const file = await fileWith("[{ uses: gate, as: ask }]", "steps.yaml");
    const interrupt = new AbortController();
    setTimeout(() => interrupt.abort(), 300);
    const { out, code } = await call((io) => run(file, { output: "json" }, io), { signal: interrupt.signal });
    expect(code).toBe(130);
    expect(JSON.parse(out)).toMatchObject({ phase: "Aborted", steps: [{ alias: "ask", status: "Aborted" }] });
  });

  it.each([
    { content: task, says: /missing value for variable "whom"/ },
    { content: "[{ use: copy }]", says: /main.yaml:1:\d+: / },
    {
      content: "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x, namespace: shop }",
      says: /neither a PromotionTask nor a list of steps/,
    },
    { content: "a: [", says: /main.yaml/ },
    { content: "[{ task: { name: gone } }]", says: /PromotionTask "gone" not found/ },
  ])("refuses $content", async ({ content, says }) => {
    const file = await fileWith(content, "main.yaml");
    await expect(call((io) => run(file, { output: "json" }, io))).rejects.toThrow(says);
  });

  it("refuses a variable that the task does not have, and names the nearest", async () => {
    await expect(record(task, { var: ["whom=you", "greetign=bye"] })).rejects.toThrow(
      'Cannot set variable "greetign": the task "greet" has no such one, did you mean "greeting"?',
    );
  });

  it("refuses a folder with several tasks, since it cannot tell which is meant", async () => {
    const folder = dirname(await fileWith(task, "one.yaml"));
    await writeFile(join(folder, "two.yaml"), task.replace("name: greet,", "name: part,"));
    await expect(call((io) => run(folder, { output: "json" }, io))).rejects.toThrow(
      /holds several tasks: greet, part/,
    );
  });

  it("refuses a variable without a value", async () => {
    const file = await fileWith(task, "main.yaml");
    await expect(call((io) => run(file, { output: "json", var: ["whom"] }, io))).rejects.toThrow(
      /Cannot set variable "whom"/,
    );
  });
});
