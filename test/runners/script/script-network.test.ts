import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openScriptWorld, places, type ScriptWorld } from "#test/runners/script/script-world.ts";
import { type NpmRegistry, serveNpmRegistry } from "#test/support/npm-registry.ts";

const bridgeAddress = () =>
  execFileSync("docker", ["network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"])
    .toString()
    .trim();

describe.each(places)("the network of a script in $where", ({ where, runs, variables }) => {
  describe.skipIf(!runs)("as the step names it", () => {
    let server: Server;
    let registry: NpmRegistry;
    let machine: string;
    let port: number;
    const worlds: ScriptWorld[] = [];
    beforeAll(async () => {
      machine = where === "a container" ? bridgeAddress() : "127.0.0.1";
      server = createServer((_, response) => response.end("hello")).listen(0, "0.0.0.0");
      await once(server, "listening");
      port = (server.address() as AddressInfo).port;
      registry = await serveNpmRegistry({ shout: "export default (text) => text.toUpperCase();", other: "" });
    }, 60_000);
    afterAll(async () => {
      server.close();
      await registry[Symbol.asyncDispose]();
      for (const world of worlds) await world[Symbol.asyncDispose]();
    });
    async function open(allowNet: readonly string[], networks: readonly string[] = ["bridge"]) {
      const env = { ...(await variables()), NPM_CONFIG_REGISTRY: `http://${machine}:${registry.port}/` };
      const world = await openScriptWorld({ env, allowNet, networks });
      worlds.push(world);
      return world;
    }
    const ask = (address: string) => `return await (await fetch("http://${address}/")).text()`;

    it("lets it reach a host that it names and the operator has opened", async () => {
      const world = await open([`${machine}:${port}`]);
      const { outcome, failure } = await world.run({
        run: ask(`${machine}:${port}`),
        permissions: { net: [`${machine}:${port}`] },
      });
      expect(failure).toBeUndefined();
      expect(outcome).toMatchObject({ output: { output: "hello" } });
    });

    it("lets it reach no host beside that", async () => {
      const world = await open([machine]);
      const { failure } = await world.run({
        run: ask(`${machine}:${port}`),
        permissions: { net: [`${machine}:1`] },
      });
      expect(failure).toMatchObject({
        kind: "refused",
        message: expect.stringContaining(`${machine}:${port}`),
      });
    });

    it.each([
      { host: "169.254.169.254", why: "metadata" },
      { host: "[fd00:ec2::254]", why: "metadata" },
      { host: "127.0.0.1:8420", why: "loopback" },
      { host: "localhost", why: "loopback" },
      { host: "10.1.2.3", why: "private" },
    ])("refuses $host, which the operator has not opened", async ({ host, why }) => {
      const world = await open([]);
      const { failure } = await world.run({ run: ask(host), permissions: { net: [host] } });
      expect(failure).toMatchObject({ kind: "refused", message: expect.stringContaining(why) });
    });

    it("keeps it from a private address that a name leads to", async () => {
      const world = await open([]);
      const { failure, outcome } = await world.run({
        run: ask(`localhost:${port}`),
        permissions: { net: ["*.localhost"] },
      });
      expect(outcome).toBeUndefined();
      expect(failure?.message).toMatch(/fetch failed|may not reach/);
    });

    it("lets it load what import names, once, and nothing else", async () => {
      const world = await open([machine]);
      const run = 'import shout from "npm:shout@1.0.0";\nreturn shout("hi")';
      for (const _ of [1, 2]) {
        const { outcome, failure } = await world.run({ run, import: ["npm:shout@1.0.0"] });
        expect(failure).toBeUndefined();
        expect(outcome).toMatchObject({ output: { output: "HI" } });
      }
      expect(registry.asked.filter((path) => path.startsWith("/shout"))).toHaveLength(2);
      const other = await world.run({
        run: 'return await import("npm:other@1.0.0")',
        import: ["npm:shout@1.0.0"],
      });
      expect(other.failure).toMatchObject({
        kind: "refused",
        message: expect.stringMatching(/may not load "other": `import`/),
      });
      expect(registry.asked.some((path) => path.startsWith("/other"))).toBe(false);
    });

    it("says what it could not load", async () => {
      const world = await open([machine]);
      const { failure } = await world.run({ run: "return 1", import: ["npm:no-such-package@1.0.0"] });
      expect(failure?.message).toContain("no-such-package");
    });

    it.runIf(where === "a container")("is none at all without leave to use one", async () => {
      const world = await open([machine]);
      const list =
        'new TextDecoder().decode(new Deno.Command("ls", { args: ["/sys/class/net"] }).outputSync().stdout)';
      const { outcome } = await world.run({ run: `return ${list}`, permissions: { run: ["ls"] } });
      expect(outcome).toMatchObject({ output: { output: "lo\n" } });
    });

    it.runIf(where === "a container")("is refused where the operator allows no network", async () => {
      const world = await open([machine], []);
      const { failure } = await world.run({ run: "return 1", permissions: { net: ["example.com"] } });
      expect(failure).toMatchObject({
        kind: "refused",
        message: expect.stringContaining("TOWPATH_CONTAINER_NETWORKS"),
      });
    });
  });
});
