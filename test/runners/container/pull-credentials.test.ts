import { describe, expect, it } from "vitest";
import type { Resource } from "#core/resources/resource.ts";
import { createPullCredentials, credentialsIn } from "#runners/container/pull-credentials.ts";

const auth = (text: string) => Buffer.from(text).toString("base64");
const dockerConfig = (auths: Record<string, unknown>) => ({ ".dockerconfigjson": JSON.stringify({ auths }) });

describe("a secret to pull images with", () => {
  it.each([
    {
      name: "an entry with auth",
      values: dockerConfig({ "registry.example.com:5000": { auth: auth("ann:a:b") } }),
      image: "registry.example.com:5000/acme/scan:1",
      gives: { username: "ann", password: "a:b" },
    },
    {
      name: "an entry with a scheme and a path",
      values: dockerConfig({ "https://ghcr.io/v2/": { username: "ann", password: "pw" } }),
      image: "ghcr.io/acme/scan@sha256:00",
      gives: { username: "ann", password: "pw" },
    },
    {
      name: "Docker Hub by its old address",
      values: dockerConfig({ "https://index.docker.io/v1/": { auth: auth("ann:pw") } }),
      image: "acme/scan",
      gives: { username: "ann", password: "pw" },
    },
    {
      name: "another registry's entry",
      values: dockerConfig({ "ghcr.io": { auth: auth("ann:pw") } }),
      image: "quay.io/acme/scan",
      gives: undefined,
    },
    {
      name: "user name and password",
      values: { username: "ann", password: "pw" },
      image: "acme/scan",
      gives: { username: "ann", password: "pw" },
    },
    { name: "no JSON", values: { ".dockerconfigjson": "{" }, image: "acme/scan", gives: undefined },
  ])("gives what it has: $name", ({ values, image, gives }) => {
    expect(credentialsIn(values as Record<string, string>, image)).toEqual(gives);
  });

  it("is looked for in the project and then among the shared ones, and is masked", async () => {
    const secrets: Record<string, Record<string, string>> = {
      "kargo-shared-resources/pull": { username: "ann", password: "hidden" },
    };
    const masked: string[] = [];
    const missing: string[] = [];
    const source = createPullCredentials(
      {
        get: async ({ project, name }) => {
          const stringData = secrets[`${project}/${name}`];
          return stringData && ({ kind: "Secret", metadata: { name }, stringData } as unknown as Resource);
        },
      },
      { add: (value) => masked.push(value) },
      () => ({ find: async () => ({ username: "own" }) }),
    );
    const found = await source.find("shop", "acme/scan", ["gone", "pull"], (name) => missing.push(name));
    expect(found).toEqual({ username: "ann", password: "hidden" });
    expect([masked, missing]).toEqual([["hidden"], ["gone"]]);
    expect(await source.find("shop", "acme/scan", [], () => undefined)).toEqual({ username: "own" });
  });

  it.each([
    { type: "image", repoURL: "registry.example.com/acme/scan", gives: true },
    { type: "image", repoURL: "registry.example.com/acme/other", gives: false },
    { type: "git", repoURL: "registry.example.com/acme/scan", gives: false },
    { type: "generic", repoURL: undefined, gives: true },
  ])("is not sent to a registry that it is not for: $type $repoURL", async ({ type, repoURL, gives }) => {
    const secret = {
      kind: "Secret",
      metadata: { name: "shared", labels: { "kargo.akuity.io/cred-type": type } },
      stringData: { username: "ann", password: "hidden", ...(repoURL && { repoURL }) },
    } as unknown as Resource;
    const missing: string[] = [];
    const source = createPullCredentials({ get: async () => secret }, { add() {} }, () => ({
      find: async () => undefined,
    }));
    const image = "registry.example.com/acme/scan:1";
    const found = await source.find("shop", image, ["shared"], (name) => missing.push(name));
    expect(found).toEqual(gives ? { username: "ann", password: "hidden" } : undefined);
    expect(missing).toEqual(gives ? [] : ["shared"]);
  });
});
