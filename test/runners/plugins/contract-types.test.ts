import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../../..");
const tsc = join(root, "node_modules/.bin/tsc");

const plugin = `import { defineStep, type StepContext, succeeded, z } from "towpath/step";
import type { Script } from "towpath/script";

export const script: Script<{ level: number }> = ({ config, fail }) => (config.level > 1 ? fail("high") : config);
export default defineStep({
  name: "typed",
  summary: "Is typed.",
  config: z.strictObject({ name: z.string() }),
  output: z.object({ said: z.string() }),
  examples: [],
  async run({ NAME }, ctx: StepContext) {
    const { stdout } = await ctx.exec("echo", [NAME]);
    return succeeded({ said: stdout });
  },
});
`;

describe("what authors of plugins and scripts import", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "towpath-types-"));
    // As an installed package has it: made by the build, beside its package.json.
    const own = join(folder, "node_modules/towpath");
    mkdirSync(join(own, "dist"), { recursive: true });
    execFileSync(tsc, ["-p", join(root, "tsconfig.types.json"), "--outDir", join(own, "dist")]);
    const imports = { "#core/*.ts": "./core/*.js" };
    writeFileSync(join(own, "dist/package.json"), JSON.stringify({ type: "module", imports }));
    for (const path of ["package.json", "schemas"])
      cpSync(join(root, path), join(own, path), { recursive: true });
    for (const name of ["zod", "@types", "undici-types"]) {
      symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
    }
    const compilerOptions = { module: "nodenext", target: "es2024", lib: ["esnext", "dom"], strict: true };
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({ compilerOptions: { ...compilerOptions, noEmit: true, types: ["node"] } }),
    );
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const check = (text: string) => {
    writeFileSync(join(folder, "plugin.ts"), text);
    try {
      return execFileSync(tsc, ["-p", folder], { encoding: "utf8" });
    } catch (error) {
      return (error as { stdout: string }).stdout;
    }
  };

  it("is typed, and a wrong field is an error", () => {
    expect(check(plugin.replaceAll("NAME", "name"))).toBe("");
    expect(check(plugin.replaceAll("NAME", "nmae"))).toMatch(/Property 'nmae' does not exist/);
  });
});
