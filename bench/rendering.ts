import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseDocument } from "yaml";
import { median, milliseconds, report, timed } from "#bench/lib/figures.ts";
import { createExec } from "#core/exec.ts";
import type { StepContext, StepDefinition } from "#core/step.ts";
import { openWorkspace } from "#core/workspace-folder.ts";
import helmTemplate from "#steps/helm-template.ts";
import kustomizeBuild from "#steps/kustomize-build.ts";
import yamlUpdate from "#steps/yaml-update.ts";

const rounds = 15;
const resources = 100;
const megabyte = 1024 * 1024;

/** helm-template and kustomize-build beside the bare programs, and yaml-update of a large file. */
export async function benchRendering(): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "towpath-bench-"));
  try {
    const ctx = await contextIn(folder);
    await writeSources(ctx);
    const home = { HOME: folder };
    await compare(
      "helm-template",
      () => run(helmTemplate, { path: "chart", releaseName: "web", outPath: "out/helm.yaml" }, ctx),
      () => ctx.exec("helm", ["template", "web", "chart"], { env: home }),
    );
    await compare(
      "kustomize-build",
      () => run(kustomizeBuild, { path: "app", outPath: "out/kustomize.yaml" }, ctx),
      () => ctx.exec("kustomize", ["build", "app"], { env: home }),
    );
    await benchYamlUpdate(ctx);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Both in turns, so that what else the machine does falls on both. */
async function compare(
  name: string,
  step: () => Promise<unknown>,
  bare: () => Promise<unknown>,
): Promise<void> {
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = -3; round < rounds; round++) {
    const [a, b] = [await timed(step), await timed(bare)];
    if (round < 0) continue;
    ours.push(a);
    theirs.push(b);
  }
  const ratio = (median(ours) / median(theirs)).toFixed(2);
  report(
    `${name} of ${resources} resources`,
    milliseconds(median(ours)),
    `${ratio}x the bare program; aim: at most 1.1x`,
  );
  report("  the bare program (floor)", milliseconds(median(theirs)));
}

async function benchYamlUpdate(ctx: StepContext): Promise<void> {
  const text = largeYaml();
  const config = { path: "large.yaml", updates: [{ key: "service-500.image.tag", value: "v2" }] };
  const ours: number[] = [];
  const whole: number[] = [];
  for (let round = -1; round < 7; round++) {
    await ctx.workspace.write("large.yaml", text);
    const [a, b] = [
      await timed(() => run(yamlUpdate, config, ctx)),
      await timed(() => parseDocument(text, { uniqueKeys: false })),
    ];
    if (round < 0) continue;
    ours.push(a);
    whole.push(b);
  }
  const ratio = (median(ours) / median(whole)).toFixed(2);
  report("yaml-update of a 1 MB file", milliseconds(median(ours)), `${ratio}x parsing it into nodes`);
  report("  parsing it into nodes", milliseconds(median(whole)));
}

async function contextIn(folder: string): Promise<StepContext> {
  const workspace = await openWorkspace(folder);
  const { signal } = new AbortController();
  const exec = createExec({ cwd: workspace.root, signal });
  return {
    project: "shop",
    workspace,
    signal,
    exec,
    freight: [],
    freightRequests: [],
  } as unknown as StepContext;
}

async function run(step: StepDefinition, config: unknown, ctx: StepContext): Promise<void> {
  await step.run(step.config.parse(config), ctx);
}

async function writeSources({ workspace }: StepContext): Promise<void> {
  const manifest = (name: string) =>
    `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ${name}\nspec:\n  template:\n    spec:\n      containers:\n      - name: app\n        image: registry.example.com/team/app:v1\n`;
  await workspace.write("chart/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n");
  const names = Array.from({ length: resources }, (_, n) => `web-${n}`);
  for (const name of names) {
    await workspace.write(`chart/templates/${name}.yaml`, manifest(`{{ .Release.Name }}-${name}`));
    await workspace.write(`app/${name}.yaml`, manifest(name));
  }
  const list = names.map((name) => `- ${name}.yaml\n`).join("");
  await workspace.write("app/kustomization.yaml", `namespace: shop\nresources:\n${list}`);
}

function largeYaml(): string {
  let text = "";
  for (let n = 0; text.length < megabyte; n++) {
    text += `service-${n}:\n  image:\n    repository: registry.example.com/team/app # the app\n    tag: "v1.${n}"\n`;
    text += `  env:\n  - name: COLOR\n    value: blue\n  replicas: ${n % 7}\n`;
  }
  return text;
}
