import { z } from "zod";
import { UserError } from "#core/failure.ts";
import { coreV1 } from "#core/resources/api-versions.ts";
import type { ConfigMap } from "#core/resources/config-map.ts";
import type { Resource, ResourceRef } from "#core/resources/resource.ts";
import { type Api, changeResource, getResource } from "#server/api/api.ts";
import { setNotes } from "#server/api/descriptions.ts";
import { listByName, resourceList } from "#server/api/lists.ts";
import { createResource } from "#server/api/manifests/create.ts";
import { deleteResource } from "#server/api/manifests/delete.ts";
import { projectScope, type Scope, sharedScope, systemScope } from "#server/api/scopes.ts";
import { readJson } from "#server/body.ts";
import type { Route, ServerContext } from "#server/route.ts";

const values = z.record(z.string(), z.string());
const UpdateConfigMapRequest = z.object({
  description: z.string().default("").describe("What it is for."),
  replicate: z.boolean().default(false).describe("Whether copies go to all projects."),
  data: values.default({}).describe("All values; others are dropped."),
});
const CreateConfigMapRequest = UpdateConfigMapRequest.extend({
  name: z.string().default("").describe("Name of the ConfigMap."),
});
const PatchConfigMapRequest = z.object({
  description: z.string().optional().describe("What it is for; empty takes it away."),
  data: values.default({}).describe("Values that are added or changed."),
  removeKeys: z.array(z.string()).default([]).describe("Values that are dropped."),
});

export const configMapRoutes = (api: Api): Route[] =>
  [projectScope, sharedScope, systemScope].flatMap((scope) =>
    routesIn(api, scope).map((route) => ({ ...route, owner: scope.owner })),
  );

function routesIn(api: Api, scope: Scope): Route[] {
  const folder = `${scope.path}/configmaps`;
  const one = `${folder}/:configmap`;
  const refFrom = (c: ServerContext): ResourceRef => ({
    kind: "ConfigMap",
    project: scope.namespace(c),
    name: c.req.param("configmap") as string,
  });
  const id = (verb: string, plural = "") => `${verb}${scope.name}ConfigMap${plural}`;
  return [
    {
      method: "GET",
      path: folder,
      id: id("List", "s"),
      summary: "List ConfigMaps",
      needs: "view",
      answers: { 200: "A ConfigMapList, by name." },
      handle: async (c) => {
        const items = await listByName(api.store, { kind: "ConfigMap", project: scope.namespace(c) });
        return c.json(resourceList("ConfigMap", coreV1, items));
      },
    },
    {
      method: "POST",
      path: folder,
      id: id("Create"),
      summary: "Create a ConfigMap",
      needs: scope.edit,
      body: CreateConfigMapRequest,
      answers: { 201: "The ConfigMap." },
      handle: async (c) => {
        const { name, data, ...notes } = await readJson(c, CreateConfigMapRequest);
        if (name === "") throw new UserError("name should not be empty");
        requireData(data);
        const metadata = { name, namespace: scope.namespace(c) };
        const configMap: ConfigMap = { apiVersion: coreV1, kind: "ConfigMap", metadata, data };
        setNotes(configMap as Resource, notes);
        return c.json(await createResource(api, configMap as Resource, c.get("identity")), 201);
      },
    },
    {
      method: "GET",
      path: one,
      id: id("Get"),
      summary: "Get a ConfigMap",
      needs: "view",
      answers: { 200: "The ConfigMap." },
      handle: async (c) => c.json(await getResource(api.store, refFrom(c))),
    },
    {
      method: "PUT",
      path: one,
      id: id("Update"),
      summary: "Replace the values of a ConfigMap",
      needs: scope.edit,
      body: UpdateConfigMapRequest,
      answers: { 200: "The ConfigMap." },
      handle: async (c) => {
        const { data, ...notes } = await readJson(c, UpdateConfigMapRequest);
        requireData(data);
        const changed = await changeResource(api.store, refFrom(c), (resource) => {
          Object.assign(resource, { data });
          setNotes(resource, notes);
        });
        return c.json(changed);
      },
    },
    {
      method: "PATCH",
      path: one,
      id: id("Patch"),
      summary: "Change some values of a ConfigMap",
      needs: scope.edit,
      body: PatchConfigMapRequest,
      answers: { 200: "The ConfigMap." },
      handle: async (c) => {
        const { data, removeKeys, ...notes } = await readJson(c, PatchConfigMapRequest);
        const changed = await changeResource(api.store, refFrom(c), (resource) => {
          const configMap = resource as ConfigMap;
          configMap.data = { ...omit(configMap.data ?? {}, removeKeys), ...data };
          requireData(configMap.data, " after patch");
          setNotes(resource, notes);
        });
        return c.json(changed);
      },
    },
    {
      method: "DELETE",
      path: one,
      id: id("Delete"),
      summary: "Delete a ConfigMap",
      needs: scope.edit,
      answers: { 204: "It is gone." },
      handle: async (c) => {
        await deleteResource(api, refFrom(c));
        return c.body(null, 204);
      },
    },
  ];
}

function requireData(data: Record<string, string>, when = ""): void {
  if (Object.keys(data).length === 0) throw new UserError(`ConfigMap data cannot be empty${when}`);
}

/** A record without some of its keys. */
export function omit<T>(record: Record<string, T>, without: readonly string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !without.includes(key)));
}
