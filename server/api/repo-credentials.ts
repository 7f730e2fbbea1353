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
import { projectScope, sharedScope } from "#server/api/scopes.ts";
import type { Route } from "#server/route.ts";

const types = ["git", "helm", "image"] as const;

const UpdateRepoCredentialsRequest = z.object({
  description: z.string().default("").describe("What they are for."),
  type: z.string().default("").describe("git, helm or image."),
  repoUrl: z.string().default("").describe("Repository that they are for, or a pattern of several."),
  repoUrlIsRegex: z.boolean().default(false).describe("Whether repoUrl is a regular expression."),
  username: z.string().default(""),
  password: z.string().default(""),
});
type RepoCredentials = z.output<typeof UpdateRepoCredentialsRequest>;
const CreateRepoCredentialsRequest = UpdateRepoCredentialsRequest.extend({
  name: z.string().default("").describe("Name of the Secret."),
});
const PatchRepoCredentialsRequest = UpdateRepoCredentialsRequest.extend({
  description: z.string().optional().describe("What they are for; empty takes it away."),
});

/** Credentials for repositories, found by their URL. */
export const repoCredentialRoutes = (api: Api): Route[] =>
  [projectScope, sharedScope].flatMap((scope) =>
    credentialRoutes(api, scope, {
      noun: "RepoCredentials",
      folder: "repo-credentials",
      types,
      create: CreateRepoCredentialsRequest,
      update: UpdateRepoCredentialsRequest,
      patch: PatchRepoCredentialsRequest,

      make({ name, ...request }) {
        if (name === "") throw new UserError("name should not be empty");
        const secret: Secret = { apiVersion: coreV1, kind: "Secret", metadata: { name } };
        replace(secret, request);
        return secret;
      },

      replace,

      merge(secret, { description, type, repoUrl, repoUrlIsRegex, username, password }) {
        if (type !== "") setType(secret, type);
        const { data = {} } = secret;
        const named = repoUrl === "" ? data : omit(data, ["repoURLIsRegex"]);
        const given = { repoURL: repoUrl, username, password };
        const changed = Object.entries(given).filter(([, value]) => value !== "");
        if (repoUrl !== "" && repoUrlIsRegex) changed.push(["repoURLIsRegex", "true"]);
        secret.data = { ...named, ...encodeAll(Object.fromEntries(changed)) };
        setNotes(secret as Resource, { description });
      },
    }),
  );

function replace(secret: Secret, request: RepoCredentials): void {
  const { description, type, repoUrl, repoUrlIsRegex, username, password } = request;
  for (const field of ["type", "repoUrl", "username", "password"] as const) {
    if (request[field] === "") throw new UserError(`${field} should not be empty`);
  }
  setType(secret, type);
  const regex: Record<string, string> = repoUrlIsRegex ? { repoURLIsRegex: "true" } : {};
  secret.data = encodeAll({ repoURL: repoUrl, username, password, ...regex });
  setNotes(secret as Resource, { description });
}

function setType(secret: Secret, type: string): void {
  if (!(types as readonly string[]).includes(type)) {
    throw new UserError("type should be one of git, helm, or image");
  }
  secret.metadata.labels = { ...secret.metadata.labels, [keys.credentialType]: type };
}
