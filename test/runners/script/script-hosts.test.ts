import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { parseHostList } from "#core/egress/host-list.ts";
import { createEgressPolicy } from "#core/egress/policy.ts";
import { ScriptStep } from "#core/script-step.ts";
import { hostsOfImports, openedFor, registryHost, toHostList } from "#runners/script/script-hosts.ts";
import { requirePart } from "#test/support/require-part.ts";

const hasDeno = await requirePart("deno");
const asked = [
  ...["example.com:443", "example.com:5432", "EXAMPLE.com:80", "example.com.:80", "badexample.com:443"],
  ...["a.example.com:443", "a.b.example.com:8443", "a.example.com:8080", "example.com.evil.test:443"],
  ...["8.8.8.8:53", "8.8.8.9:53", "[2001:db8::1]:443", "[2001:db8::2]:443", "[2001:db8::1]:80"],
];

describe("hosts of a script's permissions", () => {
  it
    .runIf(hasDeno)
    .each([
      ...["example.com", "Example.COM", "example.com:5432", "*.example.com", "*.example.com:8443"],
      ...["8.8.8.8", "8.8.8.8:54", "[2001:db8::1]", "[2001:DB8:0::1]:80"],
    ])("mean to the proxy what they mean to Deno: %s", (entry) => {
    const code = `console.log(JSON.stringify(${JSON.stringify(asked)}.filter((host) =>
      Deno.permissions.querySync({ name: "net", host }).state === "granted")))`;
    const args = ["run", "--no-prompt", "--no-config", `--allow-net=${entry}`, "-"];
    const toDeno = JSON.parse(execFileSync("deno", args, { input: code, encoding: "utf8" }));
    const list = parseHostList(toHostList([entry]));
    const toProxy = asked.filter((address) => {
      const { hostname, port } = new URL(`tcp://${address}`);
      return list(hostname, Number(port));
    });
    expect(toProxy).toEqual(toDeno);
  });

  it.each(["example.com:0", "example.com:65536", "[:::1]", "*", "https://example.com"])(
    "are not %s",
    (host) => {
      expect(ScriptStep.safeParse({ run: "1", permissions: { net: [host] } }).success).toBe(false);
    },
  );
});

describe("variables of a script", () => {
  it.each(["HTTP_PROXY", "https_proxy", "ALL_PROXY", "no_proxy"])(
    "are not %s, by which it could go round its hosts",
    (name) => {
      expect(ScriptStep.safeParse({ run: "1", permissions: { env: [name] } }).success).toBe(false);
    },
  );
});

describe("hosts that modules come from", () => {
  it.each([
    { imports: ["npm:semver@7.7.2"], hosts: [] },
    { imports: ["jsr:@std/csv@1.0.6", "jsr:@std/path@1.0.0"], hosts: ["jsr.io:443"] },
    {
      imports: ["https://example.com/a.ts", "https://example.com:8443/b.ts"],
      hosts: ["example.com:443", "example.com:8443"],
    },
  ])("are $hosts for $imports", ({ imports, hosts }) => {
    expect(hostsOfImports(imports)).toEqual(hosts);
  });

  it.each([
    { registry: undefined, host: "registry.npmjs.org:443" },
    { registry: "http://npm.internal/x/", host: "npm.internal:80" },
    { registry: "http://[::1]:4873/", host: "[::1]:4873" },
    { registry: "nothing", host: undefined },
  ])("have $host for the registry $registry", ({ registry, host }) => {
    expect(registryHost(registry)).toBe(host);
  });

  it("may be private where the operator named them, and nowhere else", async () => {
    const { addresses } = openedFor("127.0.0.1:4873", createEgressPolicy());
    await expect(addresses("127.0.0.1", 4873)).resolves.toHaveLength(1);
    await expect(addresses("127.0.0.1", 4874)).rejects.toThrow("which steps may not reach");
    await expect(addresses("10.0.0.1", 4873)).rejects.toThrow("which steps may not reach");
  });
});
