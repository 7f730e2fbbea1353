import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Docker from "dockerode";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DaemonStopping } from "#core/daemon-stopping.ts";
import { createEgressPolicy } from "#core/egress/policy.ts";
import { createImages } from "#runners/container/images.ts";
import { denoArguments, denoEnvironment } from "#runners/script/deno-arguments.ts";
import { planScript } from "#runners/script/script-plan.ts";
import { createScriptRunner } from "#runners/script/script-runner.ts";
import { scriptSettingsFrom } from "#runners/script/script-settings.ts";
import { describeRunner } from "#test/runners/runners.contract.ts";
import { openScriptWorld, places, type ScriptWorld } from "#test/runners/script/script-world.ts";
import { openContainerWorld, recordingIO } from "#test/support/containers.ts";

const [asProcess, inContainer] = places;

const worlds: ScriptWorld[] = [];
afterAll(async () => {
  for (const world of worlds) await world[Symbol.asyncDispose]();
});
async function open(env: Record<string, string>): Promise<ScriptWorld> {
  const world = await openScriptWorld({ env });
  worlds.push(world);
  return world;
}

for (const { where, runs, variables } of places) {
  describe.skipIf(!runs)(where, () => {
    describeRunner(`script (${where})`, async () => {
      const step = (run: string, permissions = {}) => ({ kind: "script", config: { run, permissions } });
      const { runner } = await open(await variables());
      return {
        runner,
        steps: {
          succeeds: step('console.log("working"); return { said: "hello" };'),
          fails: step('throw new Error("broken")'),
          hangs: step("for (;;);"),
          writes: step('Deno.writeTextFileSync("made.txt", "here")', { write: ["."] }),
        },
      };
    });
  });
}

describe.skipIf(!asProcess?.runs)("a script as a process", () => {
  let world: ScriptWorld;
  beforeAll(async () => {
    world = await open({ TOWPATH_SCRIPT_LOCAL: "always" });
  });

  it("leaves nothing of itself behind but what it wrote to the workspace", async () => {
    await world.run(
      { run: "return 1", config: { password: "hunter2" } },
      { invocation: { promotionUid: "gone" } },
    );
    expect(await readdir(join(world.root, "outputs", "gone"))).toEqual([]);
  });

  it("sees nothing of the daemon's environment in a program that it starts", async () => {
    const open = await openScriptWorld({
      env: { TOWPATH_SCRIPT_LOCAL: "always", TOWPATH_SCRIPT_PROGRAMS: "env" },
    });
    worlds.push(open);
    process.env.TOWPATH_TEST_SECRET = "hunter2";
    const run = 'return new TextDecoder().decode(new Deno.Command("env").outputSync().stdout)';
    const { outcome } = await open.run({ run, permissions: { run: ["env"] } });
    delete process.env.TOWPATH_TEST_SECRET;
    expect(JSON.stringify(outcome)).toContain("LANG=C.UTF-8");
    expect(JSON.stringify(outcome)).not.toContain("hunter2");
  });

  it("starts no program that the operator did not allow", async () => {
    const { failure } = await world.run({ run: "return 1", permissions: { run: ["git"] } });
    expect(failure).toMatchObject({
      kind: "refused",
      message: expect.stringContaining("TOWPATH_SCRIPT_PROGRAMS"),
    });
  });

  it("ends by itself when the daemon is gone", async () => {
    const folder = await mkdtemp(join(world.root, "script-"));
    const own = world.invocation({ kind: "script", config: { run: "await new Promise(() => {})" } });
    const place = { folder, workspace: own.workspace };
    const plan = await planScript(own, place, { watchInput: true });
    for (const [name, text] of Object.entries(plan.files)) await writeFile(join(folder, name), text);
    await writeFile(join(folder, "output"), "");
    const child = spawn("deno", denoArguments(plan, place, { closed: [], heapMegabytes: 64 }), {
      cwd: own.workspace,
      env: { PATH: process.env.PATH, ...denoEnvironment(join(folder, "deno"), {}) },
      stdio: ["pipe", "ignore", "inherit"],
    });
    await sleep(300);
    expect(child.exitCode).toBeNull();
    child.stdin.end();
    const [code] = await once(child, "exit");
    expect(code).toBe(143);
  });

  it("is chosen where no engine answers and the operator allows it, and named as a way where not", async () => {
    const docker = new Docker({ socketPath: "/nonexistent.sock" });
    await using base = await openContainerWorld({ docker, images: createImages(docker) });
    const runWith = (local: string) =>
      createScriptRunner({
        ...base.services,
        settings: scriptSettingsFrom({ TOWPATH_SCRIPT_LOCAL: local }),
        egress: createEgressPolicy(),
      }).run(base.invocation({ kind: "script", config: { run: "return 1" } }), recordingIO());
    expect(await runWith("fallback")).toMatchObject({ output: { output: 1 } });
    await expect(runWith("never")).rejects.toThrow(/no Docker Engine answers.*TOWPATH_SCRIPT_LOCAL/);
  });
});

describe.skipIf(!inContainer?.runs)("a script in a container", () => {
  let world: ScriptWorld;
  beforeAll(async () => {
    world = await open((await inContainer?.variables()) ?? {});
  }, 60_000);

  it("has no workspace without leave to read or write", async () => {
    const run = "return [...Deno.readDirSync(Deno.cwd())].map(({ name }) => name)";
    const { failure } = await world.run({ run });
    expect(failure?.message).toMatch(/may not read/);
  });

  it.each([
    { write: [], code: 1 },
    { write: ["out"], code: 0 },
  ])(
    "sees the workspace, and with leave to write $write a program of its own writes there: exit code $code",
    async ({ write, code }) => {
      const prepare = (workspace: string) => writeFile(join(workspace, "here"), "");
      const run = `const names = [...Deno.readDirSync(Deno.cwd())].map(({ name }) => name);
      const { code } = new Deno.Command("touch", { args: ["/workspace/new"] }).outputSync();
      return { names, code };`;
      const { outcome } = await world.run(
        { run, permissions: { read: ["."], write, run: ["touch"] } },
        { prepare },
      );
      expect(outcome).toMatchObject({ output: { names: ["here"], code } });
    },
  );

  it("is taken up by the next daemon, and its result counts", async () => {
    const run = `console.log("begun");
      const isThere = () => Deno.stat("go").then(() => true, () => false);
      while (!(await isThere())) await new Promise((resolve) => setTimeout(resolve, 50));
      return { done: 1 };`;
    const own = world.invocation({ kind: "script", config: { run, permissions: { read: ["."] } } });
    await mkdir(own.workspace, { recursive: true });
    const stopping = new AbortController();
    const io = recordingIO(stopping.signal);
    const first = world.runner.run(own, {
      ...io,
      log(line) {
        io.log(line);
        if (line.text === "begun") stopping.abort(new DaemonStopping());
      },
    });
    await expect(first).rejects.toThrow("the daemon stops");
    await writeFile(join(own.workspace, "go"), "");
    const outcome = await world.runner.reattach?.(own, recordingIO());
    expect(outcome).toEqual({ status: "succeeded", output: { done: 1 } });
  });
});
