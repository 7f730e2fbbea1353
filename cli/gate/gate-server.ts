import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { GateKeeper, GateReply, GateVisit } from "#cli/gate/gate-keeper.ts";

/**
 * A body is handed to commands in their environment, and Linux takes no variable longer than 128 KiB.
 */
export const maxBodyBytes = 100 * 1024;

const maxConnections = 1024;
const keepAliveMilliseconds = 15_000;
const closingMilliseconds = 2000;

export interface GateServerOptions {
  keeper: GateKeeper;
  /** What requests have to show as `Authorization: Bearer …`; anybody passes without it. */
  token?: string;
  /** Answers one request and closes. */
  once: boolean;
  /** Closes the gate: whoever waits gets 503. */
  signal: AbortSignal;
  /** Told of every request that has come to its end. */
  onReply?(visit: GateVisit, outcome: string): void;
}

export interface GateServer {
  server: Server;
  /** Settles when the gate has closed and everybody has an answer; rejects when its keeper gave up. */
  closed: Promise<void>;
}

/** The server of a gate, not listening yet. Requests come to the keeper one by one, as they arrived. */
export function createGateServer(options: GateServerOptions): GateServer {
  const closing = new AbortController();
  const signal = AbortSignal.any([options.signal, closing.signal]);
  let line: Promise<void> = Promise.resolve();
  const { promise: closed, resolve, reject } = Promise.withResolvers<void>();

  const server = createServer({ keepAlive: true, keepAliveInitialDelay: keepAliveMilliseconds });
  server.maxConnections = maxConnections;
  server.on("request", async (request, response) => {
    if (!isWelcome(request, options.token)) {
      response.setHeader("WWW-Authenticate", "Bearer");
      return refuse(response, 401, "This gate asks for a token");
    }
    const body = await readBody(request, response);
    if (body === undefined) return;
    const visit = visitOf(request, body);
    line = line.then(() => serve(visit, response));
  });

  async function serve(visit: GateVisit, response: ServerResponse): Promise<void> {
    if (signal.aborted) return refuse(response, 503, "The gate has closed");
    if (response.destroyed) return;
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    try {
      const reply = await options.keeper(visit, AbortSignal.any([signal, gone.signal]));
      send(response, reply, options.once);
      options.onReply?.(visit, String(reply.status));
      if (options.once) closing.abort();
    } catch (error) {
      if (gone.signal.aborted) return options.onReply?.(visit, "went away");
      refuse(response, 503, "The gate has closed");
      if (signal.aborted) return;
      reject(error);
      closing.abort();
    }
  }

  const close = () => {
    server.close(() => resolve());
    // Whoever is still sending a request had the time to.
    setTimeout(() => server.closeAllConnections(), closingMilliseconds).unref();
  };
  if (signal.aborted) close();
  else signal.addEventListener("abort", close, { once: true });
  return { server, closed };
}

function visitOf({ method = "GET", url = "/" }: IncomingMessage, body: string): GateVisit {
  const [path = "/", ...query] = url.split("?");
  return { method, path, query: query.join("?"), body };
}

/** Compares hashes, whose comparison tells nothing about the token. */
function isWelcome({ headers }: IncomingMessage, token: string | undefined): boolean {
  if (token === undefined) return true;
  const shown = /^Bearer (.+)$/i.exec(headers.authorization ?? "")?.[1] ?? "";
  return timingSafeEqual(sha256(shown), sha256(token));
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** The body; nothing when it was too long, which is answered here, or broke off. */
async function readBody(request: IncomingMessage, response: ServerResponse): Promise<string | undefined> {
  const tooLong = () => refuse(response, 413, `The body is longer than ${maxBodyBytes} bytes`);
  if (Number(request.headers["content-length"] ?? 0) > maxBodyBytes) return void tooLong();
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    // Breaking off must leave the connection for the answer.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      length += chunk.length;
      if (length > maxBodyBytes) return void tooLong();
      chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks).toString("utf8");
}

function send(response: ServerResponse, { status, text }: GateReply, isLast: boolean): void {
  if (isLast) response.setHeader("Connection", "close");
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" });
  response.end(text);
}

/** Answers and hangs up, since the rest of the request may never be read. */
function refuse(response: ServerResponse, status: number, text: string): void {
  if (response.destroyed) return;
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8", Connection: "close" });
  response.end(`${text}\n`);
}
