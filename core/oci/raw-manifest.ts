import { createHash } from "node:crypto";
import type { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { acceptedManifests } from "#core/oci/manifest.ts";
import type { RegistrySession } from "#core/oci/registry-client.ts";

/** A manifest as it lies in the registry: its digest is that of these bytes. */
export interface RawManifest {
  digest: string;
  mediaType: string;
  bytes: Buffer<ArrayBuffer>;
  /** The bytes as JSON. */
  content: unknown;
}

/** `reference` is a tag or a digest; what comes for a digest is checked against it. Undefined when it is not there. */
export async function readRawManifest(
  session: RegistrySession,
  reference: string,
): Promise<RawManifest | undefined> {
  const response = await session.send(`/manifests/${reference}`, { accept: acceptedManifests });
  if (response.status === 404) {
    await response.body?.cancel();
    return undefined;
  }
  const bytes = Buffer.from(await response.arrayBuffer());
  const digest = checkedDigest(session, reference, bytes);
  const content = parseJson(session, reference, bytes);
  const declared = (response.headers.get("content-type") ?? "").split(";")[0]?.trim() ?? "";
  return { digest, mediaType: mediaTypeOf(content) ?? declared, bytes, content };
}

/** The content's digest. Asked for by digest, other content is refused: a registry or a mirror went wrong. */
export function checkedDigest(session: RegistrySession, reference: string, body: Buffer): string {
  const algorithm = reference.startsWith("sha512:") ? "sha512" : "sha256";
  const digest = `${algorithm}:${createHash(algorithm).update(body).digest("hex")}`;
  if (isDigest(reference) && reference !== digest) {
    throw new StepFailure(
      "refused",
      `"${session.name}@${reference}" gave other content than that: ${digest}`,
    );
  }
  return digest;
}

export function isDigest(text: string): boolean {
  return /^[a-z0-9]+:[a-f0-9]+$/.test(text);
}

function mediaTypeOf(content: unknown): string | undefined {
  const { mediaType } = (content ?? {}) as { mediaType?: unknown };
  return typeof mediaType === "string" && mediaType !== "" ? mediaType : undefined;
}

export function parseJson(session: RegistrySession, reference: string, body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch (cause) {
    throw new StepFailure("errored", `What "${session.name}" gave for ${reference} is not JSON`, { cause });
  }
}

export function parseContent<T extends z.ZodType>(
  session: RegistrySession,
  reference: string,
  schema: T,
  content: unknown,
): z.output<T> {
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue === undefined ? "" : ` at ${issue.path.join(".")}: ${issue.message}`;
  throw new StepFailure("errored", `What "${session.name}" gave for ${reference} cannot be read${where}`);
}
