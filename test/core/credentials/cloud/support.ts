import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll } from "vitest";
import type { CredentialRequest } from "#core/credentials/providers.ts";
import type { Fetch } from "#core/step.ts";

/** A request that came to the cloud, whichever of its hosts it was for. */
export interface Seen {
  method: string;
  /** `https://sts.us-west-2.amazonaws.com/` */
  url: string;
  headers: IncomingMessage["headers"];
  body: string;
}

/** What the cloud answers: a status with a body, which is sent as JSON unless it is text. */
export type Answer = [status: number, body: unknown];

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/**
 * One server for all hosts of a cloud. `fetch` sends to it what is meant for any of them; `url` is for
 * what does not go through `fetch`.
 */
export async function fakeCloud(answer: (seen: Seen) => Answer) {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { headers, method = "GET" } = request;
    const origin = String(headers["x-meant-for"] ?? "machine:");
    const one = { method, headers, url: `${origin}${request.url}`, body: Buffer.concat(chunks).toString() };
    seen.push(one);
    const [status, body] = answer(one);
    const isText = typeof body === "string";
    const type = isText ? (body.startsWith("<") ? "text/xml" : "text/plain") : "application/json";
    response.writeHead(status, { "content-type": type, "metadata-flavor": "Google" });
    response.end(isText ? body : JSON.stringify(body));
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  servers.push(server);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const send: Fetch = async (target, { timeoutSeconds: _, ...options } = {}) => {
    const { origin, pathname, search } = new URL(target);
    const headers = new Headers(options.headers);
    headers.delete("host");
    headers.set("x-meant-for", origin);
    return await fetch(`${url}${pathname}${search}`, { ...options, headers } as RequestInit);
  };
  return { url, seen, fetch: send };
}

export function requestFor(repoURL: string, request: Partial<CredentialRequest> = {}): CredentialRequest {
  return { project: "shop", type: "image", repoURL, data: {}, annotations: {}, ...request };
}
