import { z } from "zod";
import { UserError } from "#core/failure.ts";
import { coreV1 } from "#core/resources/api-versions.ts";
import type { Resource } from "#core/resources/resource.ts";
import type { Secret } from "#core/resources/secret.ts";
import type { Api } from "#server/api/api.ts";
import { omit } from "#server/api/config-maps.ts";
import { credentialRoutes } from "#server/api/credentials.ts";
import { setNotes } from "#server/api/descriptions.ts";
import { keys } from "#server/api/keys.ts";
import { encodeAll } from "#server/api/manifests/secret-data.ts";
import { projectScope, sharedScope, systemScope } from "#server/api/scopes.ts";
import type { Route } from "#server/route.ts";

const values = z.record(z.string(), z.string());
const UpdateGenericCredentialsRequest = z.object({
  description: z.string().default("").describe("What they are for."),
  replicate: z.boolean().default(false).describe("Whether copies go to all projects."),
  data: values.default({}).describe("All values; an empty one keeps what is there."),
});
const CreateGenericCredentialsRequest = UpdateGenericCredentialsRequest.extend({
  name: z.string().default("").describe("Name of the Secret."),
  type: z.string().default("").describe("Kubernetes' type of the Secret; Opaque by default."),
});
const PatchGenericCredentialsRequest = z.object({
  description: z.string().optional().describe("What they are for; empty takes it away."),
  data: values.default({}).describe("Values that are added or changed."),
  removeKeys: z.array(z.string()).default([]).describe("Values that are dropped."),
});

/** Secrets of any content, which steps read by name. */
export const genericCredentialRoutes = (api: Api): Route[] =>
  [projectScope, sharedScope, systemScope].flatMap((scope) =>
    credentialRoutes(api, scope, {
      noun: "GenericCredentials",
      folder: "generic-credentials",
      types: ["generic"],
      create: CreateGenericCredentialsRequest,
      update: UpdateGenericCredentialsRequest,
      patch: PatchGenericCredentialsRequest,

      make({ name, type, data, ...notes }) {
        if (name === "") throw new UserError("name should not be empty");
        if (Object.keys(data).length === 0) throw new UserError("cannot create empty secret");
        const secret: Secret = {
          apiVersion: coreV1,
          kind: "Secret",
          metadata: { name, labels: { [keys.credentialType]: "generic" } },
          ...(type === "" ? {} : { type }),
          data: encodeAll(data),
        };
        setNotes(secret as Resource, notes);
        return secret;
      },

      replace(secret, { data, ...notes }) {
        if (Object.keys(data).length === 0) throw new UserError("cannot update to empty secret");
        const kept = Object.entries(secret.data ?? {}).filter(([key]) => key in data);
        const given = Object.entries(data).filter(([, value]) => value !== "");
        secret.data = { ...Object.fromEntries(kept), ...encodeAll(Object.fromEntries(given)) };
        setNotes(secret as Resource, notes);
      },

      merge(secret, { data, removeKeys, ...notes }) {
        secret.data = { ...omit(secret.data ?? {}, removeKeys), ...encodeAll(data) };
        if (Object.keys(secret.data).length === 0) throw new UserError("cannot have empty secret");
        setNotes(secret as Resource, notes);
      },
    }).map((route) => ({ ...route, owner: scope.owner })),
  );
