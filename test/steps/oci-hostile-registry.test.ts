import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";
import { expect, it } from "vitest";
import ociDownload from "#steps/oci-download.ts";
import ociPush from "#steps/oci-push.ts";
import { contextWith } from "#test/support/files.ts";
import { serve } from "#test/support/http-server.ts";
import { fakeContext, runStep } from "#test/support/step-context.ts";
import { listTree } from "#test/support/tree.ts";

const mediaType = "application/vnd.oci.image.manifest.v1+json";
const digestOf = (content: string) => `sha256:${createHash("sha256").update(content).digest("hex")}`;

/** A registry whose only image has one layer of the content "layer", and which gives whatever it likes for it. */
async function registryThatGives(
  layer: string | ((response: ServerResponse) => void),
  take: (response: ServerResponse) => void = () => {},
) {
  const config = { mediaType: "application/json", digest: digestOf("{}"), size: 2 };
  const layers = [{ mediaType: "text/plain", digest: digestOf("layer"), size: 5 }];
  const manifest = JSON.stringify({ schemaVersion: 2, mediaType, config, layers });
  const requests: string[] = [];
  const { url } = await serve((request, response) => {
    requests.push(`${request.method} ${request.url} ${request.headers.authorization ?? ""}`.trim());
    if (request.method === "HEAD") return void response.writeHead(404).end();
    if (request.method !== "GET") return take(response);
    if (request.url?.includes("/manifests/")) {
      return void response.writeHead(200, { "content-type": mediaType }).end(manifest);
    }
    if (request.url?.endsWith(config.digest)) return void response.end("{}");
    return typeof layer === "string" ? void response.end(layer) : layer(response);
  });
  return { host: new URL(url).host, requests };
}

it.each([
  { what: "other bytes of the same number", gives: "evil!", says: "gave other content than that" },
  { what: "fewer bytes", gives: "lay", says: "gave other content than that" },
  { what: "more bytes", gives: "layer and more", says: "longer than 5 bytes" },
  {
    what: "bytes without an end",
    gives: (response: ServerResponse) => void response.write("layer".repeat(100)),
    says: "longer than 5 bytes",
  },
])("a registry that gives $what leaves no file behind", async ({ gives, says }) => {
  const { host } = await registryThatGives(gives);
  const ctx = await contextWith({});
  const config = { imageRef: `${host}/shop/web:1`, outPath: "out" };
  await expect(runStep(ociDownload, config, ctx)).rejects.toThrow(says);
  expect(await listTree(ctx.workspace.root)).toEqual({});
});

it("a registry gets no bytes and no credentials sent to another server", async () => {
  const elsewhere = await registryThatGives("layer");
  const { host } = await registryThatGives("layer", (response) => {
    response.writeHead(202, { location: `http://${elsewhere.host}/v2/shop/web/blobs/uploads/1` }).end();
  });
  const credentials = { find: async () => ({ username: "joe", password: "s3cret" }) };
  const config = { srcRef: `${host}/shop/web:1`, destRef: `${host}/other/web:1` };
  await expect(runStep(ociPush, config, fakeContext({ credentials }))).rejects.toThrow(
    "links to another server",
  );
  expect(elsewhere.requests).toEqual([]);
});

it("a registry that refuses a manifest is told of, and no tag is claimed", async () => {
  const { host } = await registryThatGives("layer", (response) => void response.writeHead(403).end());
  const config = { srcRef: `${host}/shop/web:1`, destRef: `${host}/shop/web:2` };
  await expect(runStep(ociPush, config)).rejects.toMatchObject({
    kind: "refused",
    message: expect.stringContaining('Cannot write to "shop/web"'),
  });
});
