import { getQuickJS } from "quickjs-emscripten";
import { median, report } from "#bench/lib/figures.ts";
import { createExpressions, type Expressions, type Scope } from "#core/expressions/expressions.ts";
import { ProgramCache } from "#core/expressions/programs.ts";

const template = "${{ ctx.stage }}/${{ vars.image }}:${{ outputs.build.tag }}";
const scope: Scope = {
  env: {
    ctx: { project: "shop", stage: "test", promotion: "test.01", meta: { promotion: { actor: "me" } } },
    vars: { image: "ghcr.io/example/shop", region: "north" },
    outputs: { build: { tag: "v1.2.3", digest: "sha256:0" }, clone: { commit: "c0ffee" } },
  },
  functions: {},
};
const rounds = 5_000;

/** A template with three look-ups, cached and new, beside the same JavaScript in a bare QuickJS. */
export async function benchExpressions(): Promise<void> {
  const expressions = await createExpressions();
  const bare = await bareQuickJS();
  // Both are measured in turns, so that what else the machine does falls on both.
  const cached: number[] = [];
  const floor: number[] = [];
  for (let round = 0; round < rounds * 2; round++) {
    const [a, b] = [
      await microseconds(() => expressions.evaluateTemplate(template, scope)),
      await microseconds(bare),
    ];
    if (round < rounds) continue;
    cached.push(a);
    floor.push(b);
  }
  const [ours, theirs] = [median(cached), median(floor)];
  report("a cached template with three look-ups", `${ours.toFixed(1)} µs`, "aim: at most 20 µs");
  report(
    "  the same JavaScript in bare QuickJS",
    `${theirs.toFixed(1)} µs`,
    `aim: at most 2x; ${(ours / theirs).toFixed(2)}x`,
  );
  report(
    "  a template seen for the first time",
    `${((await firstSeen(expressions)) / 1000).toFixed(2)} ms`,
    "aim: under 1 ms",
  );
  expressions.dispose();
}

async function firstSeen(expressions: Expressions): Promise<number> {
  const figures: number[] = [];
  for (let round = 0; round < 500; round++) {
    figures.push(await microseconds(() => expressions.evaluateTemplate(`${template} ${round}`, scope)));
  }
  return median(figures);
}

/** Calls the compiled program with nothing around it but the two functions that it needs. */
async function bareQuickJS(): Promise<() => void> {
  const program = new ProgramCache(() => {}).template(template, scope.functions);
  const context = (await getQuickJS()).newContext();
  const fetch = "(o, k) => Object.hasOwn(o, k) ? o[k] : null";
  const library = `{ own: ${fetch}, fetch: ${fetch}, show: (v) => typeof v === "string" ? v : JSON.stringify(v) }`;
  const source = `((env) => { const run = ((($) => { ${program.code} })(${library})); return (env) => run(JSON.parse(env)) })()`;
  const run = context.unwrapResult(context.evalCode(source));
  return () => {
    const env = context.newString(JSON.stringify(scope.env));
    const result = context.unwrapResult(context.callFunction(run, context.undefined, env));
    context.getString(result);
    result.dispose();
    env.dispose();
  };
}

async function microseconds(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) * 1000;
}
