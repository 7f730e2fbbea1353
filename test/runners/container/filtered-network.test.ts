import { execFileSync } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DaemonStopping } from "#core/daemon-stopping.ts";
import { parseHostList } from "#core/egress/host-list.ts";
import { createEgressPolicy } from "#core/egress/policy.ts";
import type { RunnerLogLine } from "#core/runner.ts";
import { createInlineContainerRunner } from "#runners/container/inline-container.ts";
import { makeBusyboxImage } from "#test/support/busybox-image.ts";
import { type ContainerWorld, openContainerWorld, recordingIO } from "#test/support/containers.ts";
import { requirePart } from "#test/support/require-part.ts";

describe("a list of hosts", () => {
  it.each([
    { list: ["example.com"], host: "example.com", port: 443, is: true },
    { list: ["example.com"], host: "EXAMPLE.com.", port: 80, is: true },
    { list: ["example.com"], host: "example.com", port: 22, is: false },
    { list: ["example.com"], host: "a.example.com", port: 443, is: false },
    { list: ["example.com"], host: "badexample.com", port: 443, is: false },
    { list: ["*.example.com"], host: "a.b.example.com", port: 443, is: true },
    { list: ["*.example.com"], host: "example.com", port: 443, is: false },
    { list: ["*.example.com"], host: "badexample.com", port: 443, is: false },
    { list: ["example.com:8443"], host: "example.com", port: 8443, is: true },
    { list: ["example.com:8443"], host: "example.com", port: 443, is: false },
    { list: ["example.com:*"], host: "example.com", port: 5432, is: true },
    { list: ["*.example.com:*"], host: "a.example.com", port: 22, is: true },
    { list: ["example.com:*"], host: "example.org", port: 443, is: false },
    { list: ["[2001:db8::1]:80"], host: "2001:db8::1", port: 80, is: true },
    { list: [], host: "example.com", port: 443, is: false },
  ])("$list lets $host:$port through: $is", ({ list, host, port, is }) => {
    expect(parseHostList(list)(host, port)).toBe(is);
  });

  it.each([
    "",
    "https://example.com",
    "example.com/path",
    "a b",
    "*",
    "*.",
    "*:*",
    "example.com:**",
    "example.com:0",
    "example.com:99999",
    "10.0.0.0/8",
  ])('does not take "%s"', (entry) =>
    expect(() => parseHostList([entry])).toThrow(`Cannot read "${entry}" as a host`),
  );
});

describe.skipIf(!(await requirePart("docker")))("a step that may reach some hosts", () => {
  let world: ContainerWorld;
  let image: string;
  let port: number;
  // On all addresses of the machine, as a service that is not meant for steps may be.
  const server = createServer((request, response) =>
    response.end(`you asked ${request.headers.host}${request.url}`),
  );
  const addresses: Record<string, string> = {
    "open.test": "127.0.0.1",
    "closed.test": "127.0.0.1",
    "private.test": "127.0.0.1",
    "metadata.test": "169.254.169.254",
  };
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
    ({ port } = server.address() as AddressInfo);
    image = await makeBusyboxImage();
    const egress = createEgressPolicy({
      allow: [`open.test:${port}`],
      lookup: async (name) => [{ address: addresses[name] ?? "", family: 4 }],
    });
    world = await openContainerWorld({ egress });
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    server.close();
  });

  const own = (script: string, config: object = {}) => ({
    ...world.invocation(),
    config: {
      image,
      script,
      network: { allow: ["open.test", "private.test", "metadata.test"].map((name) => `${name}:${port}`) },
      ...config,
    },
  });
  async function run(script: string, config?: object) {
    const io = recordingIO();
    const invocation = own(script, config);
    const result = await createInlineContainerRunner(world.services)
      .run(invocation, io)
      .catch((error: Error) => error.message);
    return { result, said: io.lines.map(({ text }) => text).join("\n"), invocation };
  }
  const ask = (host: string) => `wget -q -O - http://${host}:${port}/x 2>&1 || echo "none"`;
  const tunnel = (target: string) =>
    `printf 'CONNECT ${target} HTTP/1.1\\r\\n\\r\\nGET /y HTTP/1.0\\r\\nHost: inside\\r\\n\\r\\n' | nc -w 3 127.0.0.1 3128`;

  it("reaches them, by plain HTTP and through a tunnel", async () => {
    const { said } = await run(`${ask("open.test")}; echo; ${tunnel(`open.test:${port}`)}`);
    expect(said).toContain(`you asked open.test:${port}/x`);
    expect(said).toContain("200 Connection Established");
    expect(said).toContain("you asked inside/y");
  });

  it("does not reach a host that is not listed, nor a listed name of a private or the metadata address, is told, and leaves nothing behind", async () => {
    const refused = {
      "closed.test": "is not among the hosts",
      "private.test": "which steps may not reach",
      "metadata.test": "which steps may not reach",
    };
    const tries = Object.keys(refused).map((host) => `${ask(host)}; ${tunnel(`${host}:${port}`)}`);
    const { said, invocation } = await run(tries.join("\n"));
    expect(said.match(/^HTTP\/1.1 403 Forbidden/gm)).toHaveLength(3);
    expect(said.match(/server returned error: HTTP\/1.1 403 Forbidden/g)).toHaveLength(3);
    expect(said).not.toContain("you asked");
    for (const [host, why] of Object.entries(refused)) {
      expect(said).toMatch(new RegExp(`not let through: .*${host}.*${why}`));
    }
    await world.services.pool.close();
    const label = [`dev.towpath.promotion-uid=${invocation.promotionUid}`];
    expect(await world.services.docker.listContainers({ all: true, filters: { label } })).toEqual([]);
  });

  it("reaches nothing by any other way: no gateway, no service of the machine, no name server, no socket", async () => {
    const hosts = execFileSync("hostname", ["-I"], { encoding: "utf8" }).trim().split(/\s+/);
    const all = [...hosts.filter((host) => host.includes(".")), "172.17.0.1", "169.254.169.254", "1.1.1.1"];
    const { said } = await run(
      `for host in ${all.join(" ")}; do echo GET / | nc -w 2 $host ${port} || true; done
      ls /sys/class/net; ls /run/towpath 2>&1 || true; nslookup open.test 2>&1 || true
      wget -q -Y off -O - http://127.0.0.1:${port}/ 2>&1 || true`,
    );
    expect(said.match(/Network is unreachable/g)?.length).toBeGreaterThanOrEqual(all.length);
    expect(said).not.toContain("you asked");
    expect(said).not.toContain("eth0");
    expect(said).toContain("/run/towpath: No such file");
  });

  it("reaches them again after the daemon was restarted", async () => {
    const until = `until (${ask("open.test")}) | grep asked; do sleep 0.2; done`;
    const invocation = own(`${until}; sleep 0.5; ${until}`);
    const runner = createInlineContainerRunner(world.services);
    const stop = new AbortController();
    const first = recordingIO(stop.signal);
    const log = (line: RunnerLogLine) => {
      first.log(line);
      if (line.text.startsWith("you asked")) stop.abort(new DaemonStopping());
    };
    await expect(runner.run(invocation, { ...first, log })).rejects.toBeInstanceOf(DaemonStopping);
    const second = recordingIO();
    expect(await runner.reattach?.(invocation, second)).toMatchObject({ status: "succeeded" });
    expect(second.lines.at(-1)?.text).toContain("you asked open.test");
  });

  it.each([
    { network: { mode: "bridge", allow: ["open.test"] }, says: "give network.mode or network.allow" },
    { network: { allow: ["https://open.test"] }, says: "invalid network.allow" },
  ])("is refused when it asks for $network", async ({ network, says }) => {
    expect((await run("true", { network })).result).toContain(says);
  });
});
