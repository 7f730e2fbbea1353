import path from "node:path";
import { expect, it } from "vitest";
import { packagePath } from "#core/package.ts";
import { runCli } from "#test/support/cli.ts";
import { bareRepository, git } from "#test/support/git-fixture.ts";
import { chartFiles } from "#test/support/helm-charts.ts";
import { requirePart } from "#test/support/require-part.ts";

const examples = packagePath("examples", "rendering");
const image = "registry.example.com/shop/web";

it("has examples that are valid", async () => {
  const { stdout, stderr, code } = await runCli(["validate", "--strict", "-f", examples]);
  expect({ code, said: code === 0 ? "" : stdout + stderr }).toEqual({ code: 0, said: "" });
});

it.skipIf(!(await requirePart("helm")) || !(await requirePart("kustomize")))(
  "renders a chart and a kustomization to a stage's branch",
  async () => {
    const bare = bareRepository([
      {
        "web/base/kustomization.yaml": "resources: [deployment.yaml]\n",
        "web/base/deployment.yaml": `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  template:\n    spec:\n      containers:\n      - image: ${image}\n        name: web\n`,
        "web/stages/test/kustomization.yaml": "resources: [../../base]\nnamespace: test\n",
        ...chartFiles("db", "db", "1.0.0"),
        "db/test-values.yaml": "key: of-test\n",
      },
    ]);
    const { stdout, code } = await runCli([
      ...["run", path.join(examples, "rendered-branches.yaml"), "-o", "json"],
      ...["--var", `repoURL=file://${bare}`, "--var", "tag=v2"],
    ]);
    expect(code, stdout).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ phase: "Succeeded" });
    expect(git(bare, "ls-tree", "-r", "--name-only", "stage/test").split("\n")).toEqual([
      "db/configmap-db-db.yaml",
      "web/test-deployment-web.yaml",
    ]);
    expect(git(bare, "show", "stage/test:web/test-deployment-web.yaml")).toContain(`image: ${image}:v2`);
    expect(git(bare, "show", "stage/test:db/configmap-db-db.yaml")).toContain('value: "of-test"');
    expect(git(bare, "log", "-1", "--format=%B", "stage/test")).toContain(`- ${image}:v2`);
  },
);
