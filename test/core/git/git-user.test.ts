import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { createCipher } from "#core/credentials/cipher.ts";
import { createMasker } from "#core/credentials/masker.ts";
import { configuredGitUser } from "#core/git/configured-user.ts";
import { gitSettingsFrom } from "#core/git/git-settings.ts";
import { findRepositoryUser } from "#core/git/git-user.ts";
import type { Resource } from "#core/resources/resource.ts";
import { openSqliteStore } from "#core/store/sqlite.ts";
import { temporaryFolder } from "#test/support/step-context.ts";

const clusterConfig = (gitClient: object): Resource => ({
  apiVersion: "kargo.akuity.io/v1alpha1",
  kind: "ClusterConfig",
  metadata: { name: "cluster" },
  spec: { gitClient },
});

const secret = (key: string) =>
  ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "key", namespace: "kargo-system-resources" },
    stringData: { [key]: "PRIVATE KEY" },
  }) as Resource;

async function configured(...resources: Resource[]) {
  const store = await openSqliteStore({ file: ":memory:", cipher: createCipher(Buffer.alloc(32)) });
  await store.write(resources.map((resource) => ({ op: "create", resource })));
  return configuredGitUser(store, createMasker());
}

const named = { name: "Bot", email: "bot@example.com" };
const signing = { ...named, signingKeySecret: { name: "key" } };

describe("who commits when no step says so", () => {
  it("is whom the ClusterConfig names, with the key of its Secret", async () => {
    expect(await configured()).toBeUndefined();
    expect(await configured(clusterConfig(named))).toEqual(named);
    expect(await configured(clusterConfig(signing), secret("signingKey"))).toEqual({
      ...named,
      signingKey: "PRIVATE KEY",
    });
  });

  it("is nobody when the key that is to sign is missing", async () => {
    await expect(configured(clusterConfig(signing))).rejects.toMatchObject({ status: "Errored" });
    await expect(configured(clusterConfig(signing), secret("other"))).rejects.toThrow(/signingKey/);
    const settings = gitSettingsFrom({ GITCLIENT_SIGNING_KEY_PATH: "/nonexistent" });
    await expect(findRepositoryUser(settings, undefined)).rejects.toMatchObject({ status: "Errored" });
  });

  it("is whom the environment names where nothing else does", async () => {
    const file = path.join(temporaryFolder(), "key.asc");
    writeFileSync(file, "FILE KEY");
    const settings = gitSettingsFrom({ GITCLIENT_NAME: "Env", GITCLIENT_SIGNING_KEY_PATH: file });
    expect(await findRepositoryUser(settings, undefined)).toEqual({
      name: "Env",
      email: "no-reply@kargo.io",
      signingKey: "FILE KEY",
    });
    expect(await findRepositoryUser(settings, named)).toEqual({ ...named, signingKey: "FILE KEY" });
    expect(await findRepositoryUser(gitSettingsFrom({}), undefined)).toEqual({
      name: "Kargo",
      email: "no-reply@kargo.io",
    });
  });
});

describe("the settings of Git", () => {
  it("name the known push integration policies when another is asked for", () => {
    expect(() => gitSettingsFrom({ GIT_PUSH_INTEGRATION_POLICY: "Rebase" })).toThrow(
      /AlwaysRebase, RebaseOrMerge/,
    );
  });

  it("hold the protocols that the operator allows", () => {
    expect(gitSettingsFrom({ TOWPATH_GIT_PROTOCOLS: "https, ssh" }).protocols).toEqual(["https", "ssh"]);
  });
});
