import { expect } from "vitest";
import { type ApiClient, apiPath } from "#cli/api-client.ts";

export const kargo = "kargo.akuity.io/v1alpha1";

const origin = { kind: "Warehouse", name: "app" };

/** A project with a Warehouse that finds nothing by itself, one piece of freight made by hand, and stages that take it. */
export function manualPipeline(
  project: string,
  repoURL: string,
  stages: readonly { name: string; steps: readonly unknown[] }[],
): unknown[] {
  const metadata = (name: string) => ({ name, namespace: project });
  return [
    { apiVersion: kargo, kind: "Project", metadata: { name: project } },
    {
      apiVersion: kargo,
      kind: "Warehouse",
      metadata: metadata("app"),
      spec: {
        freightCreationPolicy: "Manual",
        interval: "24h",
        subscriptions: [{ git: { repoURL, branch: "main" } }],
      },
    },
    ...stages.map(({ name, steps }) => ({
      apiVersion: kargo,
      kind: "Stage",
      metadata: metadata(name),
      spec: {
        requestedFreight: [{ origin, sources: { direct: true } }],
        promotionTemplate: { spec: { steps } },
      },
    })),
    {
      apiVersion: kargo,
      kind: "Freight",
      metadata: metadata("any"),
      origin,
      commits: [{ repoURL, id: "1".repeat(40) }],
    },
  ];
}

/** Applies resources, none of which may be refused. */
export async function applyAll(client: ApiClient, resources: readonly unknown[]): Promise<void> {
  const manifest = resources.map((each) => JSON.stringify(each)).join("\n---\n");
  const { results } = await client.request<{ results: { error?: string }[] }>("/v1beta1/resources", {
    method: "PUT",
    manifest,
    query: { upsert: "true" },
  });
  expect(results.flatMap(({ error }) => error ?? [])).toEqual([]);
}

/** The name that the daemon gave the project's one piece of freight. */
export async function onlyFreight(client: ApiClient, project: string): Promise<string> {
  const { groups } = await client.request<{
    groups: Record<string, { items: { metadata: { name: string } }[] }>;
  }>(apiPath("projects", project, "freight"));
  return Object.values(groups)[0]?.items[0]?.metadata.name ?? "";
}
