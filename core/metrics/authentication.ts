import { z } from "zod";
import { signedFetch } from "#core/metrics/aws.ts";
import type { MetricContext } from "#core/metrics/provider.ts";
import type { Fetch } from "#core/step.ts";

export const Header = z.strictObject({
  key: z.string().describe("Name of the header."),
  value: z.string().describe("Its value."),
});

/** How a request for a measurement proves who asks. */
export const Authentication = z
  .strictObject({
    sigv4: z
      .strictObject({
        region: z.string().optional().describe("Region of the service."),
        profile: z.string().optional().describe("Profile of the daemon's AWS configuration files."),
        roleArn: z.string().optional().describe("Role to take on."),
      })
      .optional()
      .describe("AWS request signing, for Amazon Managed Service for Prometheus."),
    oauth2: z
      .strictObject({
        tokenUrl: z.string().optional().describe("Where tokens are had."),
        clientId: z.string().optional().describe("Name of the client."),
        clientSecret: z
          .string()
          .optional()
          .describe("The client's secret; best as an argument from a Secret."),
        scopes: z.array(z.string()).optional().describe("Scopes to ask for."),
      })
      .optional()
      .describe("OAuth 2.0 client credentials."),
    basicAuth: z
      .strictObject({
        username: z.string().optional().describe("Name of the user."),
        password: z.string().optional().describe("The password; best as an argument from a Secret."),
      })
      .optional()
      .describe("A name and a password."),
  })
  .describe("How to prove who asks.");
export type Authentication = z.infer<typeof Authentication>;

/**
 * The fetch that proves who asks, beneath the headers that the metric gives. Throws when the way of proving
 * is not complete or a token is not to be had.
 */
export async function authenticated(
  { oauth2, basicAuth, sigv4 }: Authentication = {},
  context: Pick<MetricContext, "fetch" | "signal" | "env">,
): Promise<Fetch> {
  const { fetch } = context;
  if (sigv4 !== undefined && Object.values(sigv4).some(Boolean)) return await signedFetch(sigv4, context);
  if (oauth2?.tokenUrl) {
    const token = await clientCredentialsToken({ ...oauth2, tokenUrl: oauth2.tokenUrl }, context);
    return withAuthorization(fetch, `Bearer ${token}`);
  }
  if (basicAuth?.username || basicAuth?.password) {
    const { username, password } = basicAuth;
    if (!username) throw new Error("`authentication.basicAuth` needs a `username` beside its `password`");
    if (!password) throw new Error("`authentication.basicAuth` needs a `password` beside its `username`");
    return withAuthorization(fetch, basic(username, password));
  }
  return fetch;
}

function withAuthorization(fetch: Fetch, authorization: string): Fetch {
  return (url, options = {}) => {
    const headers = new Headers(options.headers);
    headers.set("authorization", authorization);
    return fetch(url, { ...options, headers });
  };
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

/** RFC 6749, 4.4: the client names itself by a header, or in the form where the server insists on that. */
async function clientCredentialsToken(
  {
    tokenUrl,
    clientId,
    clientSecret,
    scopes = [],
  }: { tokenUrl: string } & NonNullable<Authentication["oauth2"]>,
  { fetch, signal }: Pick<MetricContext, "fetch" | "signal">,
): Promise<string> {
  if (!clientId || !clientSecret) {
    throw new Error("`authentication.oauth2` needs `clientId` and `clientSecret` beside its `tokenUrl`");
  }
  const form = {
    grant_type: "client_credentials",
    ...(scopes.length > 0 ? { scope: scopes.join(" ") } : {}),
  };
  const ask = (fields: Record<string, string>, headers: Record<string, string>) =>
    fetch(tokenUrl, { method: "POST", headers, body: new URLSearchParams(fields), signal });
  const named = basic(encodeURIComponent(clientId), encodeURIComponent(clientSecret));
  let response = await ask(form, { authorization: named });
  if (response.status === 400 || response.status === 401) {
    response = await ask({ ...form, client_id: clientId, client_secret: clientSecret }, {});
  }
  const answer = TokenAnswer.safeParse(await response.json().catch(() => undefined)).data ?? {};
  if (response.ok && answer.access_token) return answer.access_token;
  const why = answer.error_description ?? answer.error ?? "no access_token in its answer";
  throw new Error(`Cannot get a token from "${tokenUrl}": the server answered ${response.status}, ${why}`);
}

const TokenAnswer = z.object({
  access_token: z.string().optional(),
  error: z.string().optional(),
  error_description: z.string().optional(),
});
