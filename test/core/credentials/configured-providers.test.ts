import { describe, expect, it } from "vitest";
import { credentialSettingsFrom } from "#core/credentials/configured-providers.ts";
import { requestFor } from "#test/core/credentials/cloud/support.ts";

function settings(env: Record<string, string>) {
  const fetch = () => Promise.reject(new Error("no network here"));
  return credentialSettingsFrom({ fetch, now: () => new Date(), env });
}

const ecr = "123456789012.dkr.ecr.us-west-2.amazonaws.com/a";
const gar = "europe-docker.pkg.dev/a/b";
const acr = "acme.azurecr.io/a";
const own = "registry.example.com/a";

describe("the operator's settings for credentials", () => {
  it.each([
    { value: "", allows: [] },
    { value: "aws", allows: [ecr] },
    { value: "gcp, azure", allows: [gar, acr] },
    { value: "docker", allows: [ecr, gar, acr, own] },
  ])("TOWPATH_HOST_CREDENTIALS=$value lets the machine answer for $allows", ({ value, allows }) => {
    const { providers } = settings({ TOWPATH_HOST_CREDENTIALS: value });
    const answered = [ecr, gar, acr, own].filter((repoURL) =>
      providers.some((provider) => provider.supports(requestFor(repoURL))),
    );
    expect(answered).toEqual(allows);
  });

  it.each([
    { env: { TOWPATH_HOST_CREDENTIALS: "aws,azur" }, says: '"azur" is none of aws, gcp, azure, docker' },
    { env: { TOWPATH_HOST_CREDENTIALS: "constructor" }, says: '"constructor" is none of' },
    { env: { ALLOW_CREDENTIALS_OVER_HTTP: "yes please" }, says: "expected true or false" },
  ])("$env is refused", ({ env, says }) => {
    expect(() => settings(env as never)).toThrow(says);
  });

  it.each([
    { value: "", allowed: false },
    { value: "false", allowed: false },
    { value: "true", allowed: true },
  ])("ALLOW_CREDENTIALS_OVER_HTTP=$value allows plain HTTP: $allowed", ({ value, allowed }) => {
    expect(settings({ ALLOW_CREDENTIALS_OVER_HTTP: value }).allowHttp).toBe(allowed);
  });
});
