import type { Freight } from "#core/resources/freight.ts";
import type { Resource } from "#core/resources/resource.ts";
import type { Stage } from "#core/resources/stage.ts";

const apiVersion = "kargo.akuity.io/v1alpha1";

export function project(name = "shop"): Resource {
  return { apiVersion, kind: "Project", metadata: { name } };
}

export function warehouse(
  name = "app",
  subscriptions: unknown[] = [{ git: { repoURL: "https://git.example.com/app.git" } }],
): Resource {
  return { apiVersion, kind: "Warehouse", metadata: { name, namespace: "shop" }, spec: { subscriptions } };
}

export function stage(name: string, spec: Partial<Stage["spec"]> = {}, status?: Stage["status"]): Resource {
  return {
    apiVersion,
    kind: "Stage",
    metadata: { name, namespace: "shop" },
    spec: {
      requestedFreight: [{ origin: { kind: "Warehouse", name: "app" }, sources: { direct: true } }],
      promotionTemplate: { spec: { steps: [{ uses: "fail" }] } },
      ...spec,
    },
    ...(status ? { status } : {}),
  };
}

export function freight(name: string, rest: Partial<Freight> = {}): Resource {
  const { metadata, ...fields } = rest;
  const labels = rest.alias ? { "kargo.akuity.io/alias": rest.alias } : {};
  return {
    apiVersion,
    kind: "Freight",
    metadata: { name, namespace: "shop", labels, ...metadata },
    origin: { kind: "Warehouse", name: "app" },
    ...fields,
  } as Resource;
}

export function promotion(name: string, spec: object, status?: object): Resource {
  return {
    apiVersion,
    kind: "Promotion",
    metadata: { name, namespace: "shop" },
    spec,
    ...(status ? { status } : {}),
  };
}

export function secret(
  name: string,
  data: Record<string, string>,
  rest: Partial<Resource["metadata"]> = {},
): Resource {
  const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString("base64")]);
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace: "shop", ...rest },
    type: "Opaque",
    data: Object.fromEntries(encoded),
  } as Resource;
}
