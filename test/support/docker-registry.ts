import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { onTestFinished } from "vitest";
import { createFetch } from "#core/egress/fetch.ts";
import { createEgressPolicy } from "#core/egress/policy.ts";
import { temporaryFolder } from "#test/support/step-context.ts";

/** Debian's registry, with a password ("joe", "s3cret") or TLS by a certificate that nobody knows. */
export interface DockerRegistryOptions {
  password?: boolean;
  tls?: boolean;
}

export interface DockerRegistry {
  host: string;
  /** Pushes a small image for linux/amd64 and returns its digest. */
  push(
    repository: string,
    tag: string,
    image?: { created?: string; annotations?: Record<string, string> },
  ): Promise<string>;
}

const passwordFile = "joe:$2a$05$3Yx1AgajYObZBHJpgjNFtefqdP1K6AN1Nup5nXW9dK8bAo9/a718.\n";
const authorization = `Basic ${Buffer.from("joe:s3cret").toString("base64")}`;
const manifestType = "application/vnd.oci.image.manifest.v1+json";
const fetch = createFetch({ policy: createEgressPolicy({ allow: ["127.0.0.1"] }) });

/** Starts a registry of its own for the test, which ends with it. */
export async function startDockerRegistry(options: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const folder = temporaryFolder();
  const host = `127.0.0.1:${await freePort()}`;
  writeFileSync(path.join(folder, "htpasswd"), passwordFile);
  if (options.tls) makeCertificate(folder);
  writeFileSync(path.join(folder, "config.yml"), configuration(folder, host, options));
  const registry = spawn("docker-registry", ["serve", path.join(folder, "config.yml")], { stdio: "ignore" });
  onTestFinished(() => {
    registry.kill();
  });
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
  const pushBlob = async (
    repository: string,
    content: unknown,
  ): Promise<{ digest: string; size: number }> => {
    const body = Buffer.from(JSON.stringify(content));
    const digest = digestOf(body);
    const upload = await send("POST", `${base}/v2/${repository}/blobs/uploads/`);
    const location = new URL(upload.headers.get("location") ?? "", base);
    location.searchParams.set("digest", digest);
    await send("PUT", location.href, body);
    return { digest, size: body.length };
  };
  return {
    host,
    async push(repository, tag, { created = "2030-01-01T00:00:00Z", annotations } = {}) {
      const config = await pushBlob(repository, { os: "linux", architecture: "amd64", created, tag });
      const manifest = {
        schemaVersion: 2,
        mediaType: manifestType,
        config: { mediaType: "application/vnd.oci.image.config.v1+json", ...config },
        layers: [],
        annotations,
      };
      const body = Buffer.from(JSON.stringify(manifest));
      await send("PUT", `${base}/v2/${repository}/manifests/${tag}`, body, manifestType);
      return digestOf(body);
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
