import type { ClusterConfig } from "#core/resources/cluster-config.ts";
import type { ProjectConfig } from "#core/resources/project-config.ts";
import type { DeepLink } from "#core/resources/promotion-window.ts";
import type { Resource } from "#core/resources/resource.ts";
import { type Api, getResource } from "#server/api/api.ts";
import { getFreight } from "#server/api/freight-lookup.ts";
import type { Route } from "#server/route.ts";

interface Links {
  links: { title: string; url: string; description?: string }[];
  errors?: string[];
}

/** Links to other systems that ProjectConfigs and the ClusterConfig give stages and freight. */
export const linkRoutes = (api: Api): Route[] => [
  {
    method: "GET",
    path: "/v1beta1/projects/:project/stages/:stage/links",
    id: "GetStageLinks",
    summary: "Get the links of a stage",
    needs: "view",
    answers: { 200: "The links, and what is wrong with others." },
    handle: async (c) => {
      const project = c.req.param("project") as string;
      const name = c.req.param("stage") as string;
      const stage = await getResource(api.store, { kind: "Stage", project, name });
      return c.json(await evaluateLinks(api, project, "stageLinks", { stage }));
    },
  },
  {
    method: "GET",
    path: "/v1beta1/projects/:project/freight/:freight-name-or-alias/links",
    id: "GetFreightLinks",
    summary: "Get the links of freight",
    needs: "view",
    answers: { 200: "The links, and what is wrong with others." },
    handle: async (c) => {
      const project = c.req.param("project") as string;
      const freight = await getFreight(api, project, c.req.param("freight-name-or-alias") as string);
      return c.json(await evaluateLinks(api, project, "freightLinks", { freight }));
    },
  },
];

/** A link that cannot be made keeps no other from being made. */
async function evaluateLinks(
  { store, expressions }: Api,
  project: string,
  field: "stageLinks" | "freightLinks",
  env: Record<string, unknown>,
): Promise<Links> {
  const cluster = (await store.get({ kind: "ClusterConfig", name: "cluster" })) as ClusterConfig | undefined;
  const ref = { kind: "ProjectConfig", project, name: project };
  const own = (await store.get(ref)) as ProjectConfig | undefined;
  const links: Links["links"] = [];
  const errors: string[] = [];
  for (const link of [...(cluster?.spec?.[field] ?? []), ...(own?.spec?.[field] ?? [])]) {
    try {
      if (link.if && !requireBoolean(await expressions.evaluate(link.if, { env, functions: {} }))) continue;
      const { title, description } = link;
      links.push({ title, url: fillIn(link, env), ...(description ? { description } : {}) });
    } catch (error) {
      errors.push(`link "${link.title}": ${(error as Error).message}`);
    }
  }
  return errors.length > 0 ? { links, errors } : { links };
}

function requireBoolean(value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw new Error(`its condition gave ${JSON.stringify(value)}, not a boolean`);
}

/** Kargo's URLs are Go templates; of those, fields such as `{{ .stage.metadata.name }}` are understood. */
function fillIn({ url }: DeepLink, env: Record<string, unknown>): string {
  return url.replace(/\{\{-?(.*?)-?\}\}/gs, (_, expression: string) => {
    const path = /^(?:\.[\p{L}_][\p{L}\p{N}_]*)+$/u.exec(expression.trim())?.[0];
    if (path === undefined)
      throw new Error(`"{{${expression}}}" is not understood: expected {{ .field.of.it }}`);
    const value = path
      .slice(1)
      .split(".")
      .reduce(member, env as unknown);
    return value === undefined || value === null ? "<no value>" : String(value);
  });
}

function member(object: unknown, key: string): unknown {
  const isObject = typeof object === "object" && object !== null;
  return isObject && Object.hasOwn(object, key)
    ? (object as Resource & Record<string, unknown>)[key]
    : undefined;
}
