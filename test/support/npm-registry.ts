import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";

export interface NpmRegistry extends AsyncDisposable {
  port: number;
  /** Paths that were asked for. */
  asked: string[];
}

/** A registry of npm that has packages of one file each, by name; all of them in version 1.0.0. */
export async function serveNpmRegistry(packages: Readonly<Record<string, string>>): Promise<NpmRegistry> {
  const tarballs = new Map<string, Buffer>();
  for (const [name, code] of Object.entries(packages)) tarballs.set(name, await tarball(name, code));
  const asked: string[] = [];
  const server = createServer(({ url = "", headers }, response) => {
    asked.push(url);
    const [, name = "", file] = url.split("/");
    const content = tarballs.get(name);
    if (content === undefined) return response.writeHead(404).end("{}");
    if (file !== undefined) return response.end(content);
    const dist = {
      tarball: `http://${headers.host}/${name}/1.0.0.tgz`,
      integrity: `sha512-${createHash("sha512").update(content).digest("base64")}`,
    };
    const versions = { "1.0.0": { name, version: "1.0.0", dist } };
    return response.end(JSON.stringify({ name, "dist-tags": { latest: "1.0.0" }, versions }));
  });
  server.listen(0, "0.0.0.0");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function tarball(name: string, code: string): Promise<Buffer> {
  const archive = pack();
  const manifest = JSON.stringify({ name, version: "1.0.0", type: "module", exports: "./index.js" });
  archive.entry({ name: "package/package.json" }, manifest);
  archive.entry({ name: "package/index.js" }, code);
  archive.finalize();
  return gzipSync(Buffer.concat(await Array.fromAsync(archive as AsyncIterable<Buffer>)));
}
