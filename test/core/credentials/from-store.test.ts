import { describe, expect, it } from "vitest";
import { createCipher } from "#core/credentials/cipher.ts";
import type { CredentialType } from "#core/credentials/credentials.ts";
import { type CredentialSettings, credentialsFromStore } from "#core/credentials/from-store.ts";
import { createMasker } from "#core/credentials/masker.ts";
import type { Resource } from "#core/resources/resource.ts";
import { openSqliteStore } from "#core/store/sqlite.ts";

interface SecretSketch {
  name: string;
  project?: string;
  type?: string;
  values: Record<string, string>;
}

function secret({ name, project = "shop", type = "git", values }: SecretSketch): Resource {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace: project, labels: { "kargo.akuity.io/cred-type": type } },
    data: Object.fromEntries(Object.entries(values).map(([key, value]) => [key, btoa(value)])),
  } as Resource;
}

const login = (repoURL: string, username: string, extra = {}) => ({
  repoURL,
  username,
  password: "pa55word",
  ...extra,
});
const pattern = { repoURLIsRegex: "true" };

async function find(
  secrets: readonly SecretSketch[],
  type: CredentialType,
  repoURL: string,
  settings?: CredentialSettings,
) {
  const store = await openSqliteStore({ file: ":memory:", cipher: createCipher(Buffer.alloc(32)) });
  await store.write(secrets.map((sketch) => ({ op: "create", resource: secret(sketch) })));
  const masker = createMasker();
  const credentials = await credentialsFromStore(store, "shop", masker, settings).find(type, repoURL);
  return { credentials, masker };
}

const repo = "https://git.example.com/team/app";

describe("finding credentials", () => {
  it.each<{
    rule: string;
    secrets: SecretSketch[];
    type?: CredentialType;
    url?: string;
    finds: string | undefined;
  }>([
    { rule: "the address matches", secrets: [{ name: "a", values: login(repo, "ann") }], finds: "ann" },
    {
      rule: "the address matches but for form",
      secrets: [{ name: "a", values: login("https://GIT.example.com/team/app.git/", "ann") }],
      finds: "ann",
    },
    {
      rule: "the address is another",
      secrets: [{ name: "a", values: login(`${repo}2`, "ann") }],
      finds: undefined,
    },
    {
      rule: "the type is another",
      secrets: [{ name: "a", type: "image", values: login(repo, "ann") }],
      finds: undefined,
    },
    {
      rule: "the secret is generic",
      secrets: [{ name: "a", type: "generic", values: login(repo, "ann") }],
      finds: undefined,
    },
    {
      rule: "the project is another",
      secrets: [{ name: "a", project: "bakery", values: login(repo, "ann") }],
      finds: undefined,
    },
    {
      rule: "it is shared",
      secrets: [{ name: "a", project: "kargo-shared-resources", values: login(repo, "ann") }],
      finds: "ann",
    },
    {
      rule: "the project's pattern wins over a shared exact one",
      secrets: [
        { name: "a", project: "kargo-shared-resources", values: login(repo, "shared") },
        { name: "z", values: login("^https://git\\.example\\.com/", "own", pattern) },
      ],
      finds: "own",
    },
    {
      rule: "an exact address wins over a pattern of an earlier name",
      secrets: [
        { name: "a", values: login("git\\.example", "pattern", pattern) },
        { name: "b", values: login(repo, "exact") },
      ],
      finds: "exact",
    },
    {
      rule: "the first name wins",
      secrets: [
        { name: "b", values: login(repo, "second") },
        { name: "a", values: login(repo, "first") },
      ],
      finds: "first",
    },
    {
      rule: "a pattern is written for the address as it is",
      secrets: [{ name: "a", values: login("team/app\\.git$", "ann", pattern) }],
      url: `${repo}.git`,
      finds: "ann",
    },
    {
      rule: "a pattern is written for the canonical address",
      secrets: [{ name: "a", values: login("team/app$", "ann", pattern) }],
      url: `${repo}.git`,
      finds: "ann",
    },
    {
      rule: "a pattern that cannot be read is passed over",
      secrets: [
        { name: "a", values: login("(", "bad", pattern) },
        { name: "b", values: login("example", "good", pattern) },
      ],
      finds: "good",
    },
    {
      rule: "an image is at Docker Hub",
      secrets: [{ name: "a", type: "image", values: login("docker.io/library/nginx", "ann") }],
      type: "image",
      url: "nginx",
      finds: "ann",
    },
    {
      rule: "a chart is in a registry",
      secrets: [{ name: "a", type: "helm", values: login("oci://charts.example.com/app", "ann") }],
      type: "helm",
      url: "oci://charts.example.com/app",
      finds: "ann",
    },
    {
      rule: "there is no password",
      secrets: [{ name: "a", values: { repoURL: repo, username: "ann" } }],
      finds: undefined,
    },
    {
      rule: "the password is empty",
      secrets: [{ name: "a", values: login(repo, "ann", { password: "" }) }],
      finds: undefined,
    },
    {
      rule: "http is not safe",
      secrets: [{ name: "a", values: login("http://x/app", "ann") }],
      url: "http://x/app",
      finds: undefined,
    },
    {
      rule: "HTTP is not safer",
      secrets: [{ name: "a", type: "helm", values: login("http://x/app", "ann") }],
      type: "helm",
      url: "HTTP://x/app",
      finds: undefined,
    },
  ])("when $rule: $finds", async ({ secrets, type = "git", url = repo, finds }) => {
    const { credentials } = await find(secrets, type, url);
    expect(credentials?.username).toBe(finds);
  });

  it("hands out credentials for http where that is allowed", async () => {
    const secrets = [{ name: "a", values: login("http://x/app", "ann") }];
    expect((await find(secrets, "git", "http://x/app", { allowHttp: true })).credentials).toEqual({
      username: "ann",
      password: "pa55word",
      overPlainHttp: true,
    });
  });

  it("looks for shared credentials in the project that the settings name", async () => {
    const secrets = [{ name: "a", project: "common", values: login(repo, "ann") }];
    expect((await find(secrets, "git", repo, { sharedProject: "common" })).credentials).toBeDefined();
  });

  it("finds an SSH key", async () => {
    const values = { repoURL: "git@git.example.com:team/app.git", sshPrivateKey: "PEM of a key" };
    const { credentials } = await find([{ name: "a", values }], "git", "ssh://git@git.example.com/team/app");
    expect(credentials).toEqual({ sshPrivateKey: "PEM of a key" });
  });

  it("lets the masker know what it hands out", async () => {
    const { masker } = await find(
      [{ name: "a", values: login(repo, "token-in-place-of-a-name") }],
      "git",
      repo,
    );
    expect(masker.mask("pa55word token-in-place-of-a-name")).toBe("*** ***");
  });
});
