import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { bareRepository, commitTo, git, subjectsOn } from "#test/support/git-fixture.ts";
import { temporaryFolder } from "#test/support/step-context.ts";

const script = fileURLToPath(new URL("git-crash-promotion.ts", import.meta.url));

interface Ending {
  code: number | null;
  output: string;
}

function start(args: readonly string[]): { child: ChildProcess; ended: Promise<Ending> } {
  const child = spawn(process.execPath, [script, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (text) => {
    output += text;
  });
  child.stderr.on("data", (text) => {
    output += text;
  });
  const ended = new Promise<Ending>((resolve) => child.on("close", (code) => resolve({ code, output })));
  return { child, ended };
}

describe("a promotion killed at random moments", () => {
  it("ends with exactly one commit and one tag pushed", { timeout: 300_000 }, async () => {
    const root = temporaryFolder();
    const repoURL = bareRepository([{ a: "1" }], root);
    const names = Array.from({ length: 4 }, (_, index) => `promotion-${index}`);
    for (const name of names) {
      const folder = path.join(root, name);
      mkdirSync(folder);
      const args = [folder, repoURL, name];
      for (let kill = 0; kill < 5; kill++) {
        const { child, ended } = start(args);
        // From before the first step to about the end of the last; where it hits does not matter.
        const timer = setTimeout(() => child.kill("SIGKILL"), 200 + Math.random() * 800);
        const { code, output } = await ended;
        clearTimeout(timer);
        expect([0, null], output).toContain(code);
      }
      // Somebody else's commit in between makes the push rebase.
      commitTo(repoURL, "env/test", { [`other-${name}`]: "" }, `other-${name}`);
      const { code, output } = await start(args).ended;
      expect(code, output).toBe(0);
      expect(output).not.toContain("skipped");
    }
    const expected = names.flatMap((name) => [name, `other-${name}`]);
    const found = subjectsOn(repoURL, "env/test").filter((subject) => /promotion/.test(subject));
    expect(found.sort()).toEqual(expected.sort());
    expect(git(repoURL, "tag").split("\n")).toEqual(names);
    expect(git(repoURL, "fsck", "--full")).toBe("");
  });
});
