import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type DaemonProcess, startDaemon } from "#cli/daemon-process.ts";
import { templateNames } from "#cli/step-templates.ts";
import { packagePath } from "#core/package.ts";
import { readStepDescription } from "#core/resources/step-description.ts";
import { makeBusyboxImage } from "#test/support/busybox-image.ts";
import { runCli } from "#test/support/cli.ts";
import { requirePart } from "#test/support/require-part.ts";
import { temporaryFolder } from "#test/support/step-context.ts";

const good = "name: scan\nsummary: Scans.\n";

describe("what an image says of the step in it", () => {
  it.each([
    { label: undefined, says: 'it has no label "dev.towpath.step"' },
    { label: "{", says: "is no YAML" },
    { label: "[]", says: "(all): Invalid input" },
    { label: "summary: Scans.", says: "name: Invalid input" },
    { label: "name: Scan It\nsummary: Scans.", says: "name: must be small letters, digits and dashes" },
    { label: "name: scan", says: "summary: Invalid input" },
    { label: `${good}image: other`, says: '"image"' },
    { label: `${good}devices: [/dev/sda]`, says: '"devices"' },
    { label: `${good}output: { source: { type: Mail } }`, says: "output.source.type" },
  ])("is refused when it is wrong: $label", ({ label, says }) => {
    expect(() => readStepDescription("acme/scan:1", label)).toThrow(says);
  });
});

describe("towpath steps init", () => {
  it.each(templateNames)("makes a step in %s whose description is right", async (template) => {
    const folder = join(temporaryFolder(), "count-files");
    const { code, stdout } = await runCli([
      "steps",
      "init",
      "count-files",
      "--template",
      template,
      "--folder",
      folder,
    ]);
    expect([code, stdout.match(/^made /gm)?.length]).toEqual([0, 5]);
    const description = readStepDescription("x", readFileSync(join(folder, "step.yaml"), "utf8"));
    const program = description.command?.at(-1)?.replace("/step/", "") ?? "";
    expect(readFileSync(join(folder, "Dockerfile"), "utf8")).toContain(`COPY ${program} /step/${program}`);
    expect(readFileSync(join(folder, program), "utf8")).toContain("TOWPATH_OUTPUT");
    const again = await runCli(["steps", "init", "count-files", "--folder", folder]);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining("--folder") });
  });

  it.each([
    { name: "Scan", says: "small letters" },
    { name: "../scan", says: "small letters" },
    { name: "git-clone", says: "has a step of that name" },
  ])("refuses the name $name", async ({ name, says }) => {
    const folder = join(temporaryFolder(), "x");
    expect((await runCli(["steps", "init", name, "--folder", folder])).stderr).toContain(says);
  });
});

describe.skipIf(!(await requirePart("docker")))("a step image", () => {
  const folder = join(temporaryFolder(), "count-files");
  let daemon: DaemonProcess;
  let env: NodeJS.ProcessEnv;
  beforeAll(async () => {
    const base = await makeBusyboxImage();
    await runCli(["steps", "init", "count-files", "--folder", folder]);
    daemon = await startDaemon({ data: join(temporaryFolder(), "data") });
    env = { TOWPATH_SERVER: daemon.server, TOWPATH_TOKEN: daemon.token };
    // The command as a shell finds it, for the test that comes with the template.
    const bin = join(temporaryFolder(), "bin");
    mkdirSync(bin);
    writeFileSync(
      join(bin, "towpath"),
      `#!/bin/sh\nexec "${process.execPath}" "${packagePath("bin", "towpath.cjs")}" "$@"\n`,
    );
    chmodSync(join(bin, "towpath"), 0o755);
    execFileSync(join(folder, "test.sh"), ["--build-arg", `BASE=${base}`], {
      env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
      stdio: "pipe",
    });
  }, 60_000);
  afterAll(() => daemon.stop());

  it("is registered, pinned, explained, checked by its schema, and removed", async () => {
    const image = "towpath-step/count-files:test";
    const added = await runCli(["steps", "add", image], { env });
    expect(added).toMatchObject({ code: 0, stdout: expect.stringContaining("pinned to sha256:") });
    expect((await runCli(["steps", "list"], { env })).stdout).toContain("count-files");

    const { stdout: explained } = await runCli(["explain", "count-files"], { env });
    expect(explained).toContain("count-files: Counts the files with a name.");
    expect(explained).toMatch(/pattern +string +required +Name to look for/);
    expect(explained).toContain("EXAMPLE: Count the manifests\n  uses: count-files");
    const mistaken = await runCli(["explain", "count-filse"], { env });
    expect(mistaken.stderr).toContain('did you mean "count-files"?');

    const task = (config: object) =>
      JSON.stringify({
        apiVersion: "kargo.akuity.io/v1alpha1",
        kind: "ClusterPromotionTask",
        metadata: { name: "counting" },
        spec: { steps: [{ uses: "count-files", config }] },
      });
    const refused = await runCli(["apply", "-f", "-"], { env, stdin: task({ patern: "*" }) });
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("patern") });
    expect(await runCli(["apply", "-f", "-"], { env, stdin: task({ pattern: "*" }) })).toMatchObject({
      code: 0,
    });

    const schemas = temporaryFolder();
    await runCli(["steps", "schemas", schemas], { env });
    const schema = readFileSync(join(schemas, "step.schema.json"), "utf8");
    expect(JSON.parse(schema).properties.uses.anyOf[0].enum).toContain("count-files");
    expect(schema).toContain("Name to look for");

    await runCli(["delete", "clusterpromotiontask", "counting"], { env });
    expect(await runCli(["steps", "remove", "count-files"], { env })).toMatchObject({ code: 0 });
    expect((await runCli(["explain", "count-files"], { env })).code).toBe(1);
  });

  it.each([
    { label: good.replace("scan", "git-clone"), says: "a CustomPromotionStep cannot take its name" },
    { label: `${good}configSchema: { type: 7 }`, says: "Cannot read the JSON Schema" },
    {
      label: `${good}configSchema: { required: [a] }\nexamples: [{ title: Bare, config: {} }]`,
      says: `example "Bare": (root): must have required property 'a'`,
    },
    { label: "", says: "(all): Invalid input" },
  ])("is refused with a reason, and nothing is registered: $label", async ({ label, says }) => {
    const build = ["build", "-q", "-t", "towpath-step/bad:test", "--label", `dev.towpath.step=${label}`, "-"];
    execFileSync("docker", build, { input: "FROM towpath-test/busybox:1\n", stdio: "pipe" });
    const added = await runCli(["steps", "add", "towpath-step/bad:test"], { env });
    expect(added).toMatchObject({ code: 1, stderr: expect.stringContaining(says) });
    expect((await runCli(["steps", "list"], { env })).stdout).not.toContain("scan");
  });

  it("can be shown before it is registered", async () => {
    const { stdout } = await runCli(["steps", "add", "towpath-step/count-files:test", "--dry-run"], { env });
    expect(parse(stdout)).toMatchObject({ kind: "CustomPromotionStep", metadata: { name: "count-files" } });
  });
});
