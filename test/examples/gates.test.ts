import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import { packagePath } from "#core/package.ts";
import { runCli } from "#test/support/cli.ts";
import { bareRepository, git } from "#test/support/git-fixture.ts";
import { temporaryFolder } from "#test/support/step-context.ts";

const examples = packagePath("examples", "gates");

/** Waits until the process has said something that fits, and returns what did. */
async function untilSaid(child: ChildProcess, pattern: RegExp): Promise<string> {
  let said = "";
  child.stdout?.on("data", (chunk) => (said += chunk));
  while (!pattern.test(said)) {
    if (child.exitCode !== null) throw new Error(`The gate ended: ${said}`);
    await sleep(20);
  }
  return pattern.exec(said)?.[0] ?? "";
}

it("has examples that are valid", async () => {
  const { stdout, stderr, code } = await runCli(["validate", "--strict", "-f", examples]);
  expect({ code, said: code === 0 ? "" : stdout + stderr }).toEqual({ code: 0, said: "" });
});

it("pushes a held release on top of a branch that somebody rebased meanwhile", async () => {
  const bare = bareRepository([{ "a.txt": "a" }, { "b.txt": "b" }]);
  const gate = spawn(
    process.execPath,
    [packagePath("cli", "main.ts"), "gate", "--addr", "127.0.0.1", "--port", "0"],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  onTestFinished(() => void gate.kill("SIGKILL"));
  const gateUrl = await untilSaid(gate, /http:\S+/);

  const running = runCli([
    ...["run", path.join(examples, "held-release.yaml"), "-o", "json"],
    ...["--var", `repoURL=file://${bare}`, "--var", `gateURL=${gateUrl}`],
    ...["--allow-net", new URL(gateUrl).host],
  ]);
  await untilSaid(gate, /POST \/v2 waits/);
  rebaseRemote(bare);
  gate.stdin.write("\n");

  const { stdout, code } = await running;
  expect(code, stdout).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ phase: "Succeeded" });
  const subjects = git(bare, "log", "--format=%s", "main").split("\n");
  expect(subjects).toEqual(["Release v2", "Commit 2", "Something urgent", "Commit 1"]);
  expect(git(bare, "show", "main:release.txt")).toBe("v2");
  if (gate.exitCode === null) await once(gate, "exit");
  expect(gate.exitCode).toBe(0);
});

/** Puts a commit beneath the last one and pushes that by force, as a colleague would. */
function rebaseRemote(bare: string): void {
  const clone = path.join(temporaryFolder(), "clone");
  git(path.dirname(clone), "clone", "--quiet", bare, clone);
  git(clone, "checkout", "--quiet", "-b", "urgent", "HEAD~1");
  git(clone, "commit", "--quiet", "--allow-empty", "-m", "Something urgent");
  git(clone, "rebase", "--quiet", "urgent", "main");
  git(clone, "push", "--quiet", "--force", "origin", "main");
}
