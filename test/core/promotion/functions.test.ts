import { describe, expect, it } from "vitest";
import { createMasker } from "#core/credentials/masker.ts";
import { createExpressions } from "#core/expressions/expressions.ts";
import { evaluateStep } from "#core/promotion/evaluate.ts";
import { createLookupFunctions } from "#core/promotion/functions.ts";
import { openRun } from "#core/promotion/open-run.ts";
import type { Promotion, StepExecutionMetadata } from "#core/resources/promotion.ts";
import type { Resource } from "#core/resources/resource.ts";
import { openTestStore, storePromotion, testServices } from "./support.ts";

const origin = { kind: "Warehouse" as const, name: "main" };
const freight = {
  name: "abc",
  origin,
  images: [{ repoURL: "example.com/shop", tag: "1.2.3" }],
  commits: [{ repoURL: "https://example.com/shop.git", id: "c0ffee" }],
};

async function stocked() {
  const store = await openTestStore();
  const data = (text: string) => Buffer.from(text).toString("base64");
  const resources = [
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "settings", namespace: "shop" },
      data: { url: "https://x" },
    },
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "token", namespace: "shop" },
      data: { value: data("s3cr3t-value") },
    },
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "token", namespace: "other" },
      data: { value: data("foreign") },
    },
  ];
  await store.write(resources.map((resource) => ({ op: "create", resource: resource as Resource })));
  return store;
}

/** Evaluates the configuration of one step in a promotion that has come this far. */
async function evaluate(
  template: string,
  {
    as = "last",
    records = [] as StepExecutionMetadata[],
    vars = [] as { name: string; value: string }[],
  } = {},
) {
  const store = await stocked();
  const services = await testServices(store, {});
  const promotion: Promotion = await storePromotion(store, [], {
    vars,
    status: {
      freight,
      freightCollection: { id: "1", items: { "Warehouse/main": freight } },
      stepExecutionMetadata: records,
    },
  });
  const run = await openRun(store, services.masker, {
    promotion,
    freight: undefined,
    freightRequests: [{ origin, sources: { direct: true } }],
    workspace: "/",
    uiBaseUrl: "",
  });
  const step = { uses: "x", as, config: { value: template } };
  const config = await evaluateStep(
    services.expressions,
    services.functionsFor(run, step),
    run,
    step,
  ).config();
  return { value: config.value, mask: services.masker.mask };
}

describe("Kargo's functions in a step", () => {
  it.each([
    { template: "${{ configMap('settings').url }}", gives: "https://x" },
    { template: "${{ configMap('none') }}", gives: {} },
    { template: "${{ secret('token').value }}", gives: "s3cr3t-value" },
    { template: "${{ imageFrom('example.com/shop').Tag }}", gives: "1.2.3" },
    { template: "${{ imageFrom('example.com/shop', warehouse('main')).Tag }}", gives: "1.2.3" },
    { template: "${{ commitFrom('https://example.com/shop.git').ID }}", gives: "c0ffee" },
    { template: "${{ semverDiff('1.2.3', '1.3.0') }}", gives: "Minor" },
    {
      template: "${{ vars.tag }}",
      gives: "1.2.3",
      vars: [{ name: "tag", value: "${{ imageFrom('example.com/shop').Tag }}" }],
    },
  ])("$template gives $gives", async ({ template, gives, vars }) => {
    expect((await evaluate(template, { vars })).value).toEqual(gives);
  });

  it("that read a secret have it masked from then on", async () => {
    const { mask } = await evaluate("${{ secret('token').value }}");
    expect(mask("Authorization: s3cr3t-value")).toBe("Authorization: ***");
  });

  it("that tell a status are not there for variables", async () => {
    await expect(
      evaluate("${{ vars.a }}", { vars: [{ name: "a", value: "${{ always() }}" }] }),
    ).rejects.toThrow(/error pre-processing promotion variable "a"/);
  });

  const records: StepExecutionMetadata[] = [
    { alias: "clone", status: "Succeeded" },
    { alias: "task-1::clone", status: "Failed", continueOnError: true },
    { alias: "task-1::push", status: "Skipped" },
  ];
  it.each([
    { as: "last", template: "${{ status('clone') }}", gives: "Succeeded" },
    { as: "task-1::last", template: "${{ status('clone') }}", gives: "Failed" },
    { as: "task-1::last", template: "${{ status('push') }}", gives: "Skipped" },
    { as: "last", template: "${{ status('push') }}", gives: "" },
    { as: "task-2::last", template: "${{ status('clone') }}", gives: "" },
    { as: "last", template: "${{ success() }} ${{ failure() }} ${{ always() }}", gives: "true false true" },
  ])("$template in $as gives $gives", async ({ as, template, gives }) => {
    expect((await evaluate(template, { as, records })).value).toBe(gives);
  });
});

describe("looking up", () => {
  it("asks once for what several expressions of a step need", async () => {
    let asked = 0;
    const lookup = {
      get: async () => {
        asked += 1;
        return { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x" }, data: { a: "1" } } as Resource;
      },
    };
    const functions = createLookupFunctions(
      lookup,
      createMasker(),
    )({ project: "shop", freightRequests: [], freight: [] });
    const expressions = await createExpressions();
    await expressions.evaluate("configMap('x').a", { env: {}, functions });
    await expressions.evaluate("configMap('x').a + configMap('x').a", { env: {}, functions });
    expressions.dispose();
    expect(asked).toBe(1);
  });
});
