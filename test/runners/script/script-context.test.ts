import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ScriptContext } from "#core/script-context.ts";
import { planScript } from "#runners/script/script-plan.ts";
import { invocation } from "#test/runners/runners.contract.ts";
import { scriptDeclaration } from "../../../schemas/script-declaration.ts";

describe("what a script is called with", () => {
  it.each([
    { of: "the promotion", alias: "a", outputs: { b: { c: 1 } } },
    { of: "a task", alias: "t::a", outputs: { "t::b": { c: 1 } } },
  ])("is what editors are told of a step of $of", async ({ alias, outputs }) => {
    const freight = [
      { name: "f", origin: { kind: "Warehouse" as const, name: "w" }, images: [{ repoURL: "r", tag: "1" }] },
    ];
    const own = invocation({
      config: { run: "1", config: { d: 2 } },
      alias,
      outputs,
      vars: { v: 3 },
      freight,
    });
    const plan = await planScript(
      own,
      { folder: "/towpath", workspace: "/workspace" },
      { watchInput: false },
    );
    const { script, env, watchInput, ...given } = JSON.parse(plan.files["context.json"] ?? "");
    expect(ScriptContext.strict().parse(given)).toEqual(given);
    expect(given).toMatchObject({ config: { d: 2 }, vars: { v: 3 }, outputs });
  });

  it("is declared as `npm run schemas` writes it", () => {
    const file = new URL("../../../schemas/script.d.ts", import.meta.url);
    expect(readFileSync(file, "utf8")).toBe(scriptDeclaration());
  });
});
