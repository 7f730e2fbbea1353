import { chmodSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { createDockerConfigProvider } from "#core/credentials/docker-config.ts";
import { createExec } from "#core/exec.ts";
import { requestFor } from "#test/core/credentials/cloud/support.ts";
import { temporaryFolder } from "#test/support/step-context.ts";

const base64 = (text: string) => Buffer.from(text).toString("base64");

/** A machine with a configuration of Docker, and with helpers of the given shell scripts. */
function machine(config: unknown, helpers: Record<string, string> = {}) {
  const folder = temporaryFolder();
  if (config !== undefined) {
    writeFileSync(
      path.join(folder, "config.json"),
      typeof config === "string" ? config : JSON.stringify(config),
    );
  }
  for (const [name, script] of Object.entries(helpers)) {
    const file = path.join(folder, `docker-credential-${name}`);
    writeFileSync(file, `#!/bin/sh\nread server\n${script}\n`);
    chmodSync(file, 0o755);
  }
  const env = { DOCKER_CONFIG: folder, PATH: `${folder}:${process.env.PATH}`, TOWPATH_KEY: "s3cret" };
  return createDockerConfigProvider({ env, exec: createExec({ cwd: folder }) });
}

const echo = `echo "{\\"ServerURL\\":\\"$server\\",\\"Username\\":\\"$1\\",\\"Secret\\":\\"$server$TOWPATH_KEY\\"}"`;
const notFound = 'echo "credentials not found in native keychain"; exit 1';

describe("Docker's own logins", () => {
  it.each([
    { config: undefined, image: "registry.example.com/a", gives: undefined },
    { config: {}, image: "registry.example.com/a", gives: undefined },
    {
      config: { auths: { "registry.example.com": { auth: base64("ann:pass:word") } } },
      image: "registry.example.com/a",
      gives: { username: "ann", password: "pass:word" },
    },
    {
      config: { auths: { "https://registry.example.com:5000/v1/": { username: "ann", password: "x" } } },
      image: "registry.example.com:5000/a",
      gives: { username: "ann", password: "x" },
    },
    {
      config: { auths: { "https://index.docker.io/v1/": { auth: base64("ann:x") } } },
      image: "library/debian",
      gives: { username: "ann", password: "x" },
    },
    {
      config: { auths: { "registry.example.com": { identitytoken: "t0ken" } } },
      image: "registry.example.com/a",
      gives: { username: "<token>", password: "t0ken" },
    },
    {
      config: { auths: { "registry.example.com": { auth: base64("ann:x") } } },
      image: "other.example.com/a",
      gives: undefined,
    },
    {
      config: { credHelpers: { "registry.example.com": "echo" } },
      image: "registry.example.com/a",
      gives: { username: "get", password: "registry.example.com" },
    },
    {
      config: { credsStore: "echo" },
      image: "library/debian",
      gives: { username: "get", password: "https://index.docker.io/v1/" },
    },
    {
      config: { credsStore: "none", auths: { "registry.example.com": { auth: base64("ann:x") } } },
      image: "registry.example.com/a",
      gives: { username: "ann", password: "x" },
    },
  ])("of $config for $image", async ({ config, image, gives }) => {
    const provider = machine(config, { echo, none: notFound });
    expect(await provider.get(requestFor(image))).toEqual(gives);
  });

  it.each([
    { config: "{", helpers: {}, says: "it is not what Docker writes" },
    { config: '{"auths": "s3cret"}', helpers: {}, says: "it is not what Docker writes" },
    { config: { credsStore: "missing" }, helpers: {}, says: "docker-credential-missing" },
    { config: { credsStore: "broken" }, helpers: { broken: "echo s3cret; exit 1" }, says: "it failed" },
    { config: { credsStore: "odd" }, helpers: { odd: "echo s3cret" }, says: "its answer is not what" },
    { config: { credsStore: "../evil" }, helpers: {}, says: "no such name" },
  ])("that cannot be read say so, and no secret: $config", async ({ config, helpers, says }) => {
    const asking = machine(config, helpers as Record<string, string>).get(
      requestFor("registry.example.com/a"),
    );
    const error = await asking.catch((thrown: Error) => thrown);
    expect(String(error)).toContain(says);
    expect(String(error)).not.toContain("s3cret");
  });

  it("are asked for only for registries, and where no Secret matches", () => {
    const provider = machine({});
    expect(provider.supports(requestFor("a/b"))).toBe(true);
    expect(provider.supports(requestFor("a/b", { data: { password: "" } }))).toBe(false);
    expect(provider.supports(requestFor("a/b", { type: "git" }))).toBe(false);
    expect(provider.supports(requestFor("https://charts.example.com", { type: "helm" }))).toBe(false);
  });
});
