import { createHash } from "node:crypto";
import { StepFailure } from "#core/failure.ts";
import type { Descriptor } from "#core/oci/manifest.ts";
import type { RegistrySession } from "#core/oci/registry-client.ts";

/** Of one blob; large ones come over slow lines. */
const transferSeconds = 3600;

/** A blob's bytes. The stream fails when they are more than the descriptor says, or have another digest. */
export async function openBlob(
  session: RegistrySession,
  { digest, size }: Descriptor,
): Promise<ReadableStream<Uint8Array>> {
  const response = await session.send(`/blobs/${digest}`, {
    timeoutSeconds: transferSeconds,
    maxBodyBytes: size,
  });
  if (response.status === 404) {
    await response.body?.cancel();
    throw new StepFailure("errored", `"${session.name}" lacks the blob ${digest}`);
  }
  const body = response.body ?? new Blob([]).stream();
  return body.pipeThrough(checking(`${session.name}@${digest}`, digest));
}

/** Passes bytes on and fails at their end if they are not what the digest names. */
function checking(name: string, digest: string): TransformStream<Uint8Array, Uint8Array> {
  const [algorithm = "", expected] = digest.split(":");
  if (algorithm !== "sha256" && algorithm !== "sha512") {
    throw new StepFailure("refused", `Cannot check "${name}": its digest is neither SHA-256 nor SHA-512`);
  }
  const hash = createHash(algorithm);
  return new TransformStream({
    transform(chunk, controller) {
      hash.update(chunk);
      controller.enqueue(chunk);
    },
    flush() {
      const found = hash.digest("hex");
      if (found === expected) return;
      throw new StepFailure("refused", `"${name}" gave other content than that: ${algorithm}:${found}`);
    },
  });
}

/** Whether the repository has the blob. */
async function hasBlob(session: RegistrySession, digest: string): Promise<boolean> {
  const response = await session.send(`/blobs/${digest}`, { method: "HEAD" });
  await response.body?.cancel();
  return response.ok;
}

/** Where a blob comes from. */
export interface BlobSource {
  session: RegistrySession;
  /** The source's path when it is in the target's registry, which then need not be sent what it has. */
  mountFrom: string | undefined;
}

/** Brings a blob into a repository, unless it is there. */
export async function copyBlob(source: BlobSource, target: RegistrySession, blob: Descriptor): Promise<void> {
  const { digest, size } = blob;
  if (await hasBlob(target, digest)) return;
  const query = new URLSearchParams(
    source.mountFrom === undefined ? {} : { mount: digest, from: source.mountFrom },
  );
  const started = await target.send(`/blobs/uploads/?${query}`, { method: "POST" });
  await started.body?.cancel();
  if (started.status === 201) return;
  const location = started.headers.get("location");
  if (!started.ok || location === null) {
    throw new StepFailure("errored", `"${target.name}" takes no blobs: it answered ${started.status}`);
  }
  const url = new URL(location, started.url);
  url.searchParams.set("digest", digest);
  const body = await openBlob(source.session, blob);
  const sending = target.send(url.href, {
    method: "PUT",
    contentType: "application/octet-stream",
    body,
    contentLength: size,
    timeoutSeconds: transferSeconds,
  });
  const answer = await sending.catch(async (error) => {
    // What was not asked for to the end would hold its connection for as long as it lasts.
    await body.cancel().catch(() => undefined);
    throw error;
  });
  await answer.body?.cancel();
  if (answer.ok) return;
  throw new StepFailure("errored", `"${target.name}" did not take the blob ${digest}: ${answer.status}`);
}
