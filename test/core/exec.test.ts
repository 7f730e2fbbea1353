import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createExec } from "#core/exec.ts";
import { temporaryFolder } from "#test/support/step-context.ts";

const cwd = temporaryFolder();
const exec = createExec({ cwd });
const node = (script: string, ...args: string[]) => ["-e", script, ...args];

describe("exec", () => {
  it("gives both streams and takes arguments as they are", async () => {
    const script = "console.log(process.argv[1]); console.error('oops')";
    expect(await exec(process.execPath, node(script, "$(id); `id` * '"))).toEqual({
      exitCode: 0,
      stdout: "$(id); `id` * '\n",
      stderr: "oops\n",
    });
  });

  it("runs in the folder given and feeds the input", async () => {
    const { stdout } = await exec("sh", ["-c", "pwd; cat"], { input: "hello" });
    expect(stdout).toBe(`${cwd}\nhello`);
  });

  it("passes on nothing of its own environment but the path", async () => {
    process.env.TOWPATH_TEST_SECRET = "secret";
    const { stdout } = await exec("env", [], { env: { MINE: "1" } });
    delete process.env.TOWPATH_TEST_SECRET;
    const names = stdout
      .trim()
      .split("\n")
      .map((line) => line.split("=")[0]);
    expect(names.sort()).toEqual(["LANG", "MINE", "PATH", "TMPDIR"]);
  });

  it.each([
    {
      what: "an exit code",
      program: "sh",
      args: ["-c", "echo why >&2; exit 3"],
      says: '"sh": exit code 3: why',
    },
    { what: "a signal", program: "sh", args: ["-c", "kill -9 $$"], says: '"sh": it was ended by SIGKILL' },
    { what: "a missing program", program: "no-such-program", args: [], says: 'program "no-such-program"' },
  ])("fails on $what", async ({ program, args, says }) => {
    await expect(exec(program, args)).rejects.toMatchObject({
      kind: "errored",
      message: expect.stringContaining(says),
    });
  });

  it("does not say more of the arguments than a subcommand", async () => {
    const failing = exec("git", ["clone", "https://user:secret@127.0.0.1:1/x"], {
      env: { GIT_TERMINAL_PROMPT: "0" },
    });
    await expect(failing).rejects.toThrow('Cannot run "git clone"');
  });

  it("takes the exit codes that are answers", async () => {
    expect(await exec("sh", ["-c", "exit 1"], { exitCodes: [0, 1] })).toMatchObject({ exitCode: 1 });
  });

  it("ends a program that takes too long, with its children", async () => {
    const marker = `sleep 98.${process.pid}`;
    await expect(exec("sh", ["-c", `${marker} & ${marker}`], { timeoutSeconds: 0.1 })).rejects.toThrow(
      "it took longer than 0.1 s",
    );
    expect(await isRunning(marker)).toBe(false);
  });

  it("ends children that a program leaves behind", async () => {
    const marker = `sleep 97.${process.pid}`;
    await exec("sh", ["-c", `${marker} >/dev/null 2>&1 & exit 0`]);
    await delay(50);
    expect(await isRunning(marker)).toBe(false);
  });

  it("ends on abort with the reason, and by force what ignores it", async () => {
    const controller = new AbortController();
    const stubborn = createExec({ cwd, signal: controller.signal, graceMilliseconds: 50 });
    const running = stubborn("sh", ["-c", "trap '' TERM; while :; do sleep 0.01; done"]);
    setTimeout(() => controller.abort(new Error("stopped by hand")), 100);
    await expect(running).rejects.toThrow("stopped by hand");
    await expect(stubborn("true", [])).rejects.toThrow("stopped by hand");
  });

  it.each(["stdout", "stderr"])("ends a program that floods %s", async (stream) => {
    const flood = stream === "stdout" ? "yes" : "yes >&2";
    await expect(exec("sh", ["-c", flood], { maxOutputBytes: 10_000 })).rejects.toThrow(
      `it wrote more than 10000 bytes to ${stream}`,
    );
  });
});

async function isRunning(marker: string): Promise<boolean> {
  const { stdout } = await exec("ps", ["-eo", "args"]);
  return stdout.split("\n").includes(marker);
}
