import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { createServer as createSecureServer, type Server as SecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openScriptWorld, places, type ScriptWorld } from "#test/runners/script/script-world.ts";
import { type NpmRegistry, serveNpmRegistry } from "#test/support/npm-registry.ts";
import { once as shared } from "#test/support/once.ts";

const machine = "127.0.0.1";
const bridgeAddress = () =>
  execFileSync("docker", ["network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"])
    .toString()
    .trim();

/** Key and certificate of this machine's, in one text. */
const certificate = () =>
  execFileSync(
    "openssl",
    [
      ...[
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "1",
      ],
      ...["-subj", "/CN=test", "-addext", `subjectAltName=IP:${machine}`],
      ...["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", "-", "-out", "-"],
    ],
    { stdio: ["ignore", "pipe", "ignore"], encoding: "utf8" },
  );

describe.each(places)("the network of a script in $where", ({ where, runs, variables }) => {
  describe.skipIf(!runs)("as the step names it", () => {
    let server: Server;
    let secure: SecureServer;
    let pem: string;
    let registry: NpmRegistry;
    let port: number;
    const worlds: ScriptWorld[] = [];
    beforeAll(async () => {
      server = createServer((_, response) => response.end("hello")).listen(0, "0.0.0.0");
      pem = certificate();
      secure = createSecureServer({ key: pem, cert: pem }, (_, response) => response.end("safe"));
      await Promise.all([once(server, "listening"), once(secure.listen(0, machine), "listening")]);
      port = (server.address() as AddressInfo).port;
      registry = await serveNpmRegistry({ shout: "export default (text) => text.toUpperCase();", other: "" });
    }, 60_000);
    afterAll(async () => {
      server.close();
      secure.close();
      await registry[Symbol.asyncDispose]();
      for (const world of worlds) await world[Symbol.asyncDispose]();
    });
    async function open(allowNet: readonly string[], networks: readonly string[] = []) {
      const env = { ...(await variables()), NPM_CONFIG_REGISTRY: `http://${machine}:${registry.port}/` };
      const world = await openScriptWorld({ env, allowNet, networks });
      worlds.push(world);
      return world;
    }
    const closed = shared(() => open([]));
    const ask = (address: string) => `return await (await fetch("http://${address}/")).text()`;

    it("lets it reach hosts that it names and the operator has opened, by fetch and by Node's modules", async () => {
      const hosts = [port, (secure.address() as AddressInfo).port].map((each) => `${machine}:${each}`);
      const world = await open(hosts);
      const { outcome, failure } = await world.run({
        run: `import { get } from "node:http";
          const client = Deno.createHttpClient({ caCerts: [config.pem] });
          const answers = await Promise.all([fetch("http://${hosts[0]}/"), fetch("https://${hosts[1]}/", { client })]);
          const status = await new Promise((resolve, reject) =>
            get("http://${hosts[0]}/", ({ statusCode }) => resolve(statusCode)).on("error", reject));
          const refused = await fetch("http://${machine}:81/").catch(({ message }) => message);
          return [...(await Promise.all(answers.map((answer) => answer.text()))), status, refused];`,
        config: { pem: pem.slice(pem.indexOf("-----BEGIN CERTIFICATE")) },
        permissions: { net: hosts },
      });
      expect(failure).toBeUndefined();
      const noOther = expect.stringContaining(`Requires net access to "${machine}:81"`);
      expect(outcome).toMatchObject({ output: { output: ["hello", "safe", 200, noOther] } });
    });

    it.each([
      { host: "169.254.169.254", why: "metadata" },
      { host: "[fd00:ec2::254]", why: "metadata" },
      { host: "127.0.0.1:8420", why: "loopback" },
      { host: "localhost", why: "loopback" },
      { host: "10.1.2.3", why: "private" },
    ])("refuses $host, which the operator has not opened", async ({ host, why }) => {
      const world = await closed();
      const { failure } = await world.run({ run: ask(host), permissions: { net: [host] } });
      expect(failure).toMatchObject({ kind: "refused", message: expect.stringContaining(why) });
    });

    it("keeps it from a private address that a name leads to", async () => {
      const world = await closed();
      const { failure, outcome, lines } = await world.run({
        run: `const { status } = await fetch("http://localhost:${port}/"); return { status }`,
        permissions: { net: ["*.localhost"] },
      });
      if (where === "a process") {
        expect(failure?.message).toMatch(/fetch failed|may not reach/);
      } else {
        expect(outcome).toMatchObject({ output: { status: 403 } });
        expect(lines.at(-1)?.text).toMatch(/^not let through: .*"localhost".*which steps may not reach/);
      }
    });

    it("lets it load what import names, from where the operator says, once, and nothing else", async () => {
      const world = await closed();
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
      const world = await closed();
      const { failure } = await world.run({ run: "return 1", import: ["npm:no-such-package@1.0.0"] });
      expect(failure?.message).toContain("no-such-package");
    });

    describe.runIf(where === "a container")("without the machine's", () => {
      const connect = (hostname: string, to = 5432) =>
        `(await Deno.connect({ hostname: "${hostname}", port: ${to} })).close()`;
      const seen = `const seen = new TextDecoder().decode(
        new Deno.Command("ls", { args: ["/sys/class/net"] }).outputSync().stdout)`;

      it("is none at all without leave to use one", async () => {
        const world = await closed();
        const { outcome } = await world.run({ run: `${seen}; return seen`, permissions: { run: ["ls"] } });
        expect(outcome).toMatchObject({ output: { output: "lo\n" } });
      });

      it("has nothing past the proxy, and tells what such a connection needs", async () => {
        const world = await closed();
        const { failure } = await world.run({
          run: `import { connect } from "node:net";
            ${seen};
            const said = [];
            const tell = ({ message }) => said.push(message);
            try { ${connect("db.invalid")} } catch (error) { tell(error) }
            try { ${connect("8.8.8.8")} } catch (error) { tell(error) }
            await new Promise((_, reject) => connect(5432, "db.invalid").on("error", reject)).catch(tell);
            throw new Error([seen.trim(), ...said].join("; "));`,
          permissions: { net: ["db.invalid", "8.8.8.8"], run: ["ls"] },
        });
        expect(failure?.message).toMatch(
          /Error: lo; .*failed to lookup address information.*; .*unreachable.*; .*(ENOTFOUND|EAI_AGAIN).*give the step a `network` that the operator allows/,
        );
      });

      it("has any connection on a network that the step names and the operator allows", async () => {
        const gateway = bridgeAddress();
        const world = await open([`${gateway}:${port}`], ["bridge"]);
        const permissions = { net: [`${gateway}:${port}`] };
        const { outcome, failure } = await world.run({
          run: `${connect(gateway, port)}; return 1`,
          network: "bridge",
          permissions,
        });
        expect(failure).toBeUndefined();
        expect(outcome).toMatchObject({ output: { output: 1 } });
        const other = await world.run({ run: "return 1", network: "other", permissions });
        expect(other.failure).toMatchObject({
          kind: "refused",
          message: expect.stringContaining("TOWPATH_CONTAINER_NETWORKS"),
        });
      });

      it("loads modules on an allowed network where the operator has a proxy for them", async () => {
        const env = { ...(await variables()), HTTPS_PROXY: "http://proxy.example.com:3128" };
        const world = await openScriptWorld({ env });
        worlds.push(world);
        const { failure } = await world.run({ run: "return 1", import: ["npm:shout@1.0.0"] });
        expect(failure?.message).toMatch(/Cannot join network "bridge".*TOWPATH_CONTAINER_NETWORKS/);
      });
    });
  });
});
