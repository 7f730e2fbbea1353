import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { afterAll } from "vitest";
import { createFetch } from "#core/egress/fetch.ts";
import { createEgressPolicy } from "#core/egress/policy.ts";
import { acceptedManifests } from "#core/oci/manifest.ts";
import { temporaryFolder } from "#test/support/step-context.ts";

/** Debian's registry, with a password ("joe", "s3cret") or TLS by a certificate that nobody knows. */
export interface DockerRegistryOptions {
  password?: boolean;
  tls?: boolean;
}

/** What a manifest says of a part of its artifact. */
export interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
}

export interface DockerRegistry {
  host: string;
  /** The registry's certificate in PEM, which signs itself; "" without TLS. */
  certificate: string;
  pushBlob(repository: string, content: Buffer | string, mediaType: string): Promise<Descriptor>;
  /** Without a tag it goes by its digest. */
  pushManifest(repository: string, tag: string | undefined, manifest: TestManifest): Promise<Descriptor>;
  /** The manifest behind a tag or a digest. */
  readManifest(repository: string, reference: string): Promise<StoredManifest>;
  /** Pushes a small image for linux/amd64 and returns its digest. */
  push(
    repository: string,
    tag: string,
    image?: { created?: string; annotations?: Record<string, string> },
  ): Promise<string>;
}

export type TestManifest = { mediaType: string } & Record<string, unknown>;

export interface StoredManifest {
  digest: string;
  mediaType: string;
  annotations?: Record<string, string>;
  config?: Descriptor;
  manifests?: Descriptor[];
  layers?: Descriptor[];
}

const passwordFile = "joe:$2a$05$3Yx1AgajYObZBHJpgjNFtefqdP1K6AN1Nup5nXW9dK8bAo9/a718.\n";
const authorization = `Basic ${Buffer.from("joe:s3cret").toString("base64")}`;
const manifestType = "application/vnd.oci.image.manifest.v1+json";
const fetch = createFetch({ policy: createEgressPolicy({ allow: ["127.0.0.1"] }) });

const running: ChildProcess[] = [];
afterAll(() => {
  for (const registry of running.splice(0)) registry.kill();
});

/** Starts a registry, which ends after the tests of this file. */
export async function startDockerRegistry(options: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const folder = temporaryFolder();
  const host = `127.0.0.1:${await freePort()}`;
  writeFileSync(path.join(folder, "htpasswd"), passwordFile);
  if (options.tls) makeCertificate(folder);
  writeFileSync(path.join(folder, "config.yml"), configuration(folder, host, options));
  const registry = spawn("docker-registry", ["serve", path.join(folder, "config.yml")], { stdio: "ignore" });
  running.push(registry);
  const base = `${options.tls ? "https" : "http"}://${host}`;
  await untilUp(`${base}/v2/`);

  const send = async (method: string, url: string, body?: Buffer, type = "application/octet-stream") => {
    const headers = { ...(options.password ? { authorization } : {}), "content-type": type };
    const response = await fetch(url, {
      method,
      headers,
      insecureSkipTLSVerify: true,
      ...(body === undefined ? {} : { body: new Uint8Array(body) }),
    });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`${method} ${url}: ${response.status}`);
    return response;
  };
  const pushBlob = async (repository: string, content: Buffer | string, mediaType: string) => {
    const body = Buffer.from(content as string);
    const digest = digestOf(body);
    const upload = await send("POST", `${base}/v2/${repository}/blobs/uploads/`);
    const location = new URL(upload.headers.get("location") ?? "", base);
    location.searchParams.set("digest", digest);
    await send("PUT", location.href, body);
    return { mediaType, digest, size: body.length };
  };
  const pushManifest = async (repository: string, tag: string | undefined, manifest: TestManifest) => {
    const body = Buffer.from(JSON.stringify({ schemaVersion: 2, ...manifest }));
    const digest = digestOf(body);
    await send("PUT", `${base}/v2/${repository}/manifests/${tag ?? digest}`, body, manifest.mediaType);
    return { mediaType: manifest.mediaType, digest, size: body.length };
  };
  return {
    host,
    certificate: options.tls ? readFileSync(path.join(folder, "cert.pem"), "utf8") : "",
    pushBlob,
    pushManifest,
    async push(repository, tag, { created = "2030-01-01T00:00:00Z", annotations } = {}) {
      const content = JSON.stringify({ os: "linux", architecture: "amd64", created, tag });
      const config = await pushBlob(repository, content, "application/vnd.oci.image.config.v1+json");
      const manifest = { mediaType: manifestType, config, layers: [], annotations };
      return (await pushManifest(repository, tag, manifest)).digest;
    },
    async readManifest(repository, reference) {
      const accept = acceptedManifests;
      const response = await fetch(`${base}/v2/${repository}/manifests/${reference}`, {
        headers: options.password ? { accept, authorization } : { accept },
        insecureSkipTLSVerify: true,
      });
      const digest = response.headers.get("docker-content-digest");
      return { ...((await response.json()) as StoredManifest), digest: digest ?? "" };
    },
  };
}

function configuration(folder: string, host: string, { password, tls }: DockerRegistryOptions): string {
  const files = tls ? { tls: { certificate: `${folder}/cert.pem`, key: `${folder}/key.pem` } } : {};
  return JSON.stringify({
    version: 0.1,
    log: { level: "error" },
    storage: { filesystem: { rootdirectory: `${folder}/data` } },
    http: { addr: host, ...files },
    ...(password ? { auth: { htpasswd: { realm: "registry", path: `${folder}/htpasswd` } } } : {}),
  });
}

function makeCertificate(folder: string): void {
  const files = ["-keyout", `${folder}/key.pem`, "-out", `${folder}/cert.pem`];
  const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  execFileSync(
    "openssl",
    ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", ...files, ...subject],
    {
      stdio: "ignore",
    },
  );
}

function digestOf(body: Buffer): string {
  return `sha256:${createHash("sha256").update(body).digest("hex")}`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function untilUp(url: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const response = await fetch(url, { insecureSkipTLSVerify: true }).catch(() => undefined);
    await response?.body?.cancel();
    if (response !== undefined) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("docker-registry did not start within 10 seconds");
}
