import { describe, expect, it } from "vitest";
import { readChartIndex } from "#core/artifacts/chart-index.ts";
import { createChartMemory } from "#core/artifacts/chart-memory.ts";
import { couldTakeVersion, selectVersions, versionsOfTags } from "#core/artifacts/chart-selection.ts";
import { createFetch } from "#core/egress/fetch.ts";
import { createEgressPolicy } from "#core/egress/policy.ts";
import { ChartSubscription } from "#core/resources/warehouse.ts";
import { serve } from "#test/support/http-server.ts";

const index = `apiVersion: v1
entries:
  api:
  - apiVersion: v2
    dependencies:
    - name: common
      repository: https://charts.example.com
      version: 9.9.9
    description: |
      Installs the api.
      version: 8.8.8
    name: api
    version: 1.0.0
  web:
  - annotations:
      version: "7.7.7"
    name: web
    version: 1.10.0+build
  - name: web
    version: "1.9.0"
  - name: web
    version: 2.0.0-rc.1
generated: "2030-01-01T00:00:00Z"
`;

const webVersions = ["1.10.0+build", "1.9.0", "2.0.0-rc.1"];

describe("the index of a chart repository", () => {
  it("is read as helm writes it", () => {
    expect(Object.fromEntries(readChartIndex(index))).toEqual({ api: ["1.0.0"], web: webVersions });
  });

  it.each([
    ["JSON", '{"entries":{"web":[{"version":"1.10.0+build"},{"version":"1.9.0"},{"version":"2.0.0-rc.1"}]}}'],
    ["flow style", 'entries: {web: [{version: 1.10.0+build}, {version: "1.9.0"}, {version: 2.0.0-rc.1}]}'],
    [
      "deeper indentation and comments",
      'entries:\n    web:\n        # newest\n        - version: 1.10.0+build\n        - version: "1.9.0"\n        - {version: 2.0.0-rc.1}\n',
    ],
    [
      "anchors",
      "entries:\n  web:\n  - version: &v 1.10.0+build\n  - version: 1.9.0\n  - version: 2.0.0-rc.1\n",
    ],
    ["Windows' line ends", index.replaceAll("\n", "\r\n").replace(/^ {2}api:[\s\S]*(?= {2}web:)/m, "")],
  ])("is read when it is %s", (_, text) => {
    expect(readChartIndex(text).get("web")).toEqual(webVersions);
  });

  it("is what YAML says where versions look like numbers", () => {
    expect(readChartIndex("entries: {web: [{version: 1.10}]}").get("web")).toEqual(["1.10"]);
    expect(readChartIndex("entries:\n  web:\n  - version: 1.10\n").get("web")).toEqual(["1.10"]);
  });

  it.each(["", "apiVersion: v1\nentries: {}\n", "entries:\n", "entries: ~\n", "null\n", "apiVersion: v1\n"])(
    "is empty for %j",
    (text) => {
      expect([...readChartIndex(text)]).toEqual([]);
    },
  );

  it.each(["just text", "<html>", "- entries", "entries: none", "entries:\n- web", "{"])(
    "is refused when it is %j",
    (text) => {
      expect(() => readChartIndex(text)).toThrow();
    },
  );
});

describe("versions of a chart", () => {
  const subscribe = (fields: object) =>
    ChartSubscription.parse({ repoURL: "https://charts.example.com", ...fields });
  it.each([
    { fields: {}, chooses: ["2.0.0-rc.1", "1.10.0+build", "1.9.0"] },
    { fields: { semverConstraint: "^1.0.0" }, chooses: ["1.10.0+build", "1.9.0"] },
    { fields: { discoveryLimit: 1 }, chooses: ["2.0.0-rc.1"] },
    { fields: { semverConstraint: "^3" }, chooses: [] },
  ])("$fields: $chooses", ({ fields, chooses }) => {
    const { chosen, leftOut } = selectVersions(subscribe(fields), [...webVersions, "odd"]);
    expect(chosen).toEqual(chooses);
    expect(chosen.length + leftOut.length).toBe(4);
  });

  it("are whole versions among an OCI repository's tags, with _ for +", () => {
    expect(versionsOfTags(["1.0.0", "1.0.0_build", "v1.0.0", "1.0", "latest"])).toEqual([
      "1.0.0",
      "1.0.0+build",
    ]);
  });

  it("could be taken or not", () => {
    expect(couldTakeVersion(subscribe({ semverConstraint: "^1" }), "1.2.3")).toBe(true);
    expect(couldTakeVersion(subscribe({ semverConstraint: "^1" }), "2.0.0")).toBe(false);
  });
});

describe("a chart repository", () => {
  async function repository() {
    const seen: string[] = [];
    const { url } = await serve((request, response) => {
      seen.push(
        `${request.url} ${request.headers["if-none-match"] ?? ""} ${request.headers.authorization ?? ""}`.trim(),
      );
      if (request.url === "/empty/index.yaml") return response.writeHead(204).end();
      if (request.url !== "/charts/index.yaml") return response.writeHead(404).end();
      if (request.headers.authorization === "Basic wrong") return response.writeHead(401).end();
      if (request.headers["if-none-match"] === '"1"') return response.writeHead(304).end();
      return response.writeHead(200, { etag: '"1"' }).end(index);
    });
    const clock = { now: 0 };
    const memory = createChartMemory(
      createFetch({ policy: createEgressPolicy({ allow: ["127.0.0.1"] }) }),
      () => clock.now,
    );
    const at = (path: string, credentials?: { username: string; password: string }) => ({
      repoURL: `${url}${path}`,
      credentials,
      insecureSkipTLSVerify: false,
      signal: undefined,
    });
    return { seen, clock, memory, at };
  }

  it("is asked once for all its charts, and then only whether it has changed", async () => {
    const { seen, clock, memory, at } = await repository();
    expect(await memory.versions(at("/charts/"), "web", 1_000)).toEqual(webVersions);
    expect(await memory.versions(at("/charts/"), "api", 1_000)).toEqual(["1.0.0"]);
    expect(await memory.versions(at("/charts/"), "none", 1_000)).toEqual([]);
    clock.now += 2_000;
    expect(await memory.versions(at("/charts/"), "web", 1_000)).toEqual(webVersions);
    expect(seen).toEqual(["/charts/index.yaml", '/charts/index.yaml "1"']);
  });

  it("gets its credentials", async () => {
    const { seen, memory, at } = await repository();
    await memory.versions(at("/charts", { username: "joe", password: "s3cret" }), "web", 0);
    expect(seen).toEqual([`/charts/index.yaml  Basic ${Buffer.from("joe:s3cret").toString("base64")}`]);
  });

  it.each([
    { path: "/other", says: /other\/index\.yaml": it answered 404/ },
    { path: "/empty", says: /empty\/index\.yaml": it answered 204/ },
  ])("that has no index at $path is told with its address", async ({ path, says }) => {
    const { memory, at } = await repository();
    await expect(memory.versions(at(path), "web", 0)).rejects.toThrow(says);
  });
});
