import type { Fetch } from "#core/step.ts";

/** A request as AWS's SDK hands it over to be sent. */
interface SdkRequest {
  method: string;
  protocol: string;
  hostname: string;
  port?: number;
  path: string;
  query?: Record<string, string | string[] | null>;
  headers: Record<string, string>;
  body?: string | Uint8Array<ArrayBuffer>;
}

/** Sends what AWS's SDK asks for, under the egress rules as everything else. */
export function sdkHandler({ fetch, timeoutSeconds }: { fetch: Fetch; timeoutSeconds: number }) {
  return {
    async handle(request: SdkRequest, { abortSignal }: { abortSignal?: unknown } = {}) {
      const port = request.port === undefined ? "" : `:${request.port}`;
      const url = new URL(`${request.protocol}//${request.hostname}${port}${request.path}`);
      for (const [name, value] of Object.entries(request.query ?? {})) {
        for (const one of [value ?? ""].flat()) url.searchParams.append(name, one);
      }
      const response = await fetch(url, {
        method: request.method,
        headers: request.headers,
        body: request.body,
        timeoutSeconds,
        redirect: "manual",
        ...(abortSignal instanceof AbortSignal ? { signal: abortSignal } : {}),
      });
      return {
        response: {
          statusCode: response.status,
          reason: response.statusText,
          headers: Object.fromEntries(response.headers),
          body: response.body,
        },
      };
    },
  };
}
