import { randomBytes } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { findArgoConnection } from "#core/argocd/from-store.ts";
import { createCipher } from "#core/credentials/cipher.ts";
import { createMasker, type Masker } from "#core/credentials/masker.ts";
import { confidentialValues, connectionLabel } from "#core/credentials/secret-values.ts";
import type { Resource } from "#core/resources/resource.ts";
import { openSqliteStore } from "#core/store/sqlite.ts";
import type { Store } from "#core/store/store.ts";

let store: Store;
let masker: Masker;
beforeEach(async () => {
  store = await openSqliteStore({ file: ":memory:", cipher: createCipher(randomBytes(32)) });
  masker = createMasker();
  return () => store.close();
});

const shared = "kargo-shared-resources";

async function give(
  namespace: string,
  name: string,
  values: Record<string, string>,
  labels: Record<string, string> = {},
): Promise<void> {
  const stringData = { server: `https://${name}.example.com`, token: `token-of-${name}`, ...values };
  const data = Object.fromEntries(
    Object.entries(stringData).map(([key, value]) => [key, Buffer.from(value).toString("base64")]),
  );
  const metadata = { namespace, name, labels: { [connectionLabel]: "argocd", ...labels } };
  const resource = { apiVersion: "v1", kind: "Secret", metadata, data } as unknown as Resource;
  await store.write([{ op: "create", resource }]);
}

const find = (stage = "test") => findArgoConnection(store, masker, "shop", stage);

describe("the connection to Argo CD", () => {
  it("comes from a Secret with the label, the project's own before the shared one", async () => {
    expect(await find()).toBeUndefined();
    await give("other", "foreign", {});
    await give("shop", "unlabelled", {}, { [connectionLabel]: "registry" });
    expect(await find()).toBeUndefined();
    await give(shared, "common", { namespace: "deploy" });
    expect(await find()).toMatchObject({ server: "https://common.example.com", namespace: "deploy" });
    await give("shop", "own", { server: "https://own.example.com/argo/\n", token: "own-secret\n" });
    expect(await find()).toEqual({
      server: "https://own.example.com/argo",
      token: "own-secret",
      namespace: "argocd",
      insecureSkipTLSVerify: false,
    });
    expect(masker.mask("the own-secret of it")).toBe("the *** of it");
  });

  it("follows the shard of the stage, where a Secret names it", async () => {
    await give("shop", "a-europe", {}, { "kargo.akuity.io/shard": "europe" });
    await give("shop", "b-common", {});
    const spec = { shard: "europe", requestedFreight: [] };
    const metadata = { namespace: "shop", name: "eu" };
    const stage = { apiVersion: "kargo.akuity.io/v1alpha1", kind: "Stage", metadata, spec };
    await store.write([{ op: "create", resource: stage as unknown as Resource }]);
    expect(await find("eu")).toMatchObject({ server: "https://a-europe.example.com" });
    expect(await find("test")).toMatchObject({ server: "https://b-common.example.com" });
  });

  it.each<{ values: Record<string, string>; told: RegExp }>([
    { values: { server: "" }, told: /"server" must be an address/ },
    { values: { server: "argocd.example.com" }, told: /"server" must be an address/ },
    { values: { server: "file:///etc/passwd" }, told: /"server" must be an address/ },
    { values: { server: "http://argocd.example.com" }, told: /no TLS/ },
    { values: { token: "" }, told: /no "token"/ },
  ])("cannot be made of $values", async ({ values, told }) => {
    await give("shop", "argo", values);
    await expect(find()).rejects.toThrow(told);
  });

  it("takes certificates, and leaves them unchecked only when told so", async () => {
    await give("shop", "argo", {
      server: "http://10.0.0.7:8080",
      allowHttp: "true",
      caData: "PEM",
      insecureSkipTLSVerify: "true",
    });
    expect(await find()).toMatchObject({
      server: "http://10.0.0.7:8080",
      caCertificates: "PEM",
      insecureSkipTLSVerify: true,
    });
  });
});

it("of a connection's Secret the token is confidential, and of any Secret no switch", () => {
  const secret = (labels: Record<string, string>, stringData: Record<string, string>) =>
    ({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "a", labels },
      stringData,
    }) as unknown as Resource;
  const values = {
    server: "https://argocd.example.com",
    token: "s3cr3t",
    namespace: "argocd",
    allowHttp: "true",
  };
  expect(confidentialValues(secret({ [connectionLabel]: "argocd" }, values))).toEqual(["s3cr3t"]);
  const others = { password: "s3cr3t", repoURL: "https://x", repoURLIsRegex: "false" };
  expect(confidentialValues(secret({}, others))).toEqual(["s3cr3t", "https://x"]);
});
