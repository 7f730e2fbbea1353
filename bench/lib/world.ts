import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ApiClient, apiPath, createApiClient } from "#cli/api-client.ts";
import { type DaemonProcess, startDaemon } from "#cli/daemon-process.ts";
import type { Freight } from "#core/resources/freight.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import type { Resource } from "#core/resources/resource.ts";

export const project = "bench";

/** A daemon of its own on a folder of its own. */
export interface World extends AsyncDisposable {
  folder: string;
  daemon: DaemonProcess;
  client: ApiClient;
  apply(...resources: unknown[]): Promise<void>;
}

export async function startWorld(): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "towpath-bench-"));
  const daemon = await startDaemon({ data: join(folder, "data") });
  const client = createApiClient(daemon);
  return {
    folder,
    daemon,
    client,
    apply: (...resources) => apply(client, resources),
    async [Symbol.asyncDispose]() {
      await daemon.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Throws when one of them is refused. */
export async function apply(client: ApiClient, resources: readonly unknown[]): Promise<void> {
  for (let from = 0; from < resources.length; from += 200) {
    const manifest = resources
      .slice(from, from + 200)
      .map((each) => JSON.stringify(each))
      .join("\n---\n");
    const { results } = await client.request<{ results: { error?: string }[] }>("/v1beta1/resources", {
      method: "PUT",
      manifest,
      query: { upsert: "true" },
    });
    const refused = results.find(({ error }) => error)?.error;
    if (refused) throw new Error(refused);
  }
}

export const kargo = "kargo.akuity.io/v1alpha1";

export function projectResource(): unknown {
  return { apiVersion: kargo, kind: "Project", metadata: { name: project } };
}

/** A Warehouse that finds nothing by itself: its freight is made by hand. */
export function warehouse(repoURL: string, name = "app"): unknown {
  return {
    apiVersion: kargo,
    kind: "Warehouse",
    metadata: { name, namespace: project },
    spec: { freightCreationPolicy: "Manual", interval: "24h", subscriptions: [{ git: { repoURL } }] },
  };
}

export function stage(name: string, steps: unknown[]): unknown {
  return {
    apiVersion: kargo,
    kind: "Stage",
    metadata: { name, namespace: project },
    spec: {
      requestedFreight: [{ origin: { kind: "Warehouse", name: "app" }, sources: { direct: true } }],
      promotionTemplate: { spec: { steps } },
    },
  };
}

export function freight(repoURL: string, id: string): unknown {
  return {
    apiVersion: kargo,
    kind: "Freight",
    metadata: { namespace: project, name: id },
    origin: { kind: "Warehouse", name: "app" },
    commits: [{ repoURL, id }],
  };
}

export async function listFreight(client: ApiClient): Promise<Freight[]> {
  const { groups } = await client.request<{ groups: Record<string, { items: Freight[] }> }>(
    apiPath("projects", project, "freight"),
  );
  return Object.values(groups).flatMap(({ items }) => items);
}

export function promote(client: ApiClient, stageName: string, freightName: string): Promise<Promotion> {
  return client.request<Promotion>(apiPath("projects", project, "stages", stageName, "promotions"), {
    method: "POST",
    body: { freight: freightName },
  });
}

const finals = ["Succeeded", "Failed", "Errored", "Aborted"];

/** Waits until as many promotions are over; throws when one did not succeed. */
export async function untilOver(client: ApiClient, count: number): Promise<Promotion[]> {
  const path = apiPath("projects", project, "promotions");
  for (;;) {
    const { items } = await client.request<{ items: (Promotion & Resource)[] }>(path);
    const over = items.filter(({ status }) => finals.includes(status?.phase ?? ""));
    const wrong = over.find(({ status }) => status?.phase !== "Succeeded");
    if (wrong) throw new Error(`${wrong.metadata.name} ${wrong.status?.phase}: ${wrong.status?.message}`);
    if (over.length >= count) return over;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
