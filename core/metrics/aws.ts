import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";
import { requireMachineIdentity } from "#core/metrics/machine-identity.ts";
import type { MetricContext } from "#core/metrics/provider.ts";
import type { Fetch } from "#core/step.ts";

/**
 * A fetch that signs its requests for Amazon Managed Service for Prometheus, with the credentials that AWS's
 * own tools would find on the daemon's machine. Throws where the operator does not let them be used, and when it is
 * to take on a role.
 */
export async function signedFetch(
  { region, profile, roleArn }: { region?: string; profile?: string; roleArn?: string },
  { fetch, env }: Pick<MetricContext, "fetch" | "env">,
): Promise<Fetch> {
  if (roleArn) {
    throw new Error(
      "`authentication.sigv4.roleArn` is not supported: set `profile` to one of the daemon's AWS profiles that takes on the role",
    );
  }
  requireMachineIdentity({ env }, "");
  const [{ SignatureV4 }, { defaultProvider }] = await Promise.all([
    import("@smithy/signature-v4"),
    import("@aws-sdk/credential-provider-node"),
  ]);
  const signer = new SignatureV4({
    service: "aps",
    region: region ?? env.AWS_REGION ?? "",
    credentials: defaultProvider({ profile }),
    sha256: Sha256,
  });
  return async (target, options = {}) => {
    const url = new URL(target);
    const body = options.body instanceof URLSearchParams ? options.body.toString() : options.body;
    const headers = Object.fromEntries(new Headers(options.headers));
    if (options.body instanceof URLSearchParams)
      headers["content-type"] = "application/x-www-form-urlencoded";
    const signed = await signer.sign({
      method: options.method ?? "GET",
      protocol: url.protocol,
      hostname: url.hostname,
      ...(url.port ? { port: Number(url.port) } : {}),
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: { ...headers, host: url.host },
      body,
    });
    return await fetch(url, { ...options, body, headers: signed.headers });
  };
}

/** The hash as AWS's signer wants to be handed it. */
class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: HashSource) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", toBytes(secret));
  }

  update(data: HashSource): void {
    this.#hash.update(toBytes(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    throw new Error("A hash is used once");
  }
}

type HashSource = string | ArrayBuffer | ArrayBufferView;

function toBytes(data: HashSource): string | Uint8Array {
  if (typeof data === "string") return data;
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
