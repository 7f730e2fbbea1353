import { chmod, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { HostList } from "#core/egress/host-list.ts";
import type { EgressPolicy } from "#core/egress/policy.ts";
import { toStepFailure } from "#core/failure.ts";

const mostConnections = 256;
const idleMs = 5 * 60_000;

export interface ForwardProxyOptions {
  /** Where it listens: only who has this socket can use it, so the list needs no password. */
  socket: string;
  hosts: HostList;
  egress: Pick<EgressPolicy, "addresses">;
  /** Hears, once for each host, of what was not let through. */
  onRefusal(text: string): void;
}

export interface ForwardProxy {
  /** Resolves when somebody has connected for the first time. */
  reached: Promise<void>;
  close(): Promise<void>;
}

/** Thrown for a host that the list does not have. */
class NotListed extends Error {}

/**
 * A proxy for plain HTTP and, by CONNECT, for anything else. It looks names up itself and connects to the
 * addresses that the egress policy has allowed, so neither a rebound name nor a listed name of a private address
 * leads inside.
 */
export async function startForwardProxy(options: ForwardProxyOptions): Promise<ForwardProxy> {
  const { socket, hosts, egress, onRefusal } = options;
  const open = new Set<Duplex>();
  const refused = new Set<string>();

  async function addressOf(host: string, port: number) {
    if (!hosts(host, port))
      throw new NotListed(`"${host}:${port}" is not among the hosts that the step may reach`);
    const [found] = await egress.addresses(host, port);
    if (found === undefined) throw new Error(`"${host}" has no address`);
    return found;
  }

  function refusalOf(target: string, error: unknown): { status: number; text: string } {
    const text = error instanceof NotListed ? error.message : toStepFailure(error).message;
    if (refused.size < 100 && !refused.has(target)) onRefusal(text);
    refused.add(target);
    return {
      status: error instanceof NotListed || toStepFailure(error).kind === "refused" ? 403 : 502,
      text,
    };
  }

  const server = createServer(async (incoming: IncomingMessage, answer: ServerResponse) => {
    const url = URL.parse(incoming.url ?? "");
    if (url === null || url.protocol !== "http:") {
      answer.writeHead(400).end("expected the full http:// URL of what is wanted\n");
      return;
    }
    const port = Number(url.port) || 80;
    try {
      const { address, family } = await addressOf(url.hostname, port);
      const outgoing = request({
        host: address,
        family,
        port,
        method: incoming.method,
        path: `${url.pathname}${url.search}`,
        headers: { ...withoutHops(incoming.headers), host: url.host },
        setHost: false,
        timeout: idleMs,
      });
      outgoing.on("response", (response) => {
        try {
          answer.writeHead(response.statusCode ?? 502, withoutHops(response.headers));
          response.pipe(answer);
        } catch (error) {
          // A status or a header that Node reads and would not write: nobody else would catch that.
          outgoing.destroy(error as Error);
        }
      });
      outgoing.on("timeout", () => outgoing.destroy(new Error("no answer")));
      outgoing.on("error", (error) => {
        if (answer.headersSent) answer.destroy();
        else answer.writeHead(502).end(`${error.message}\n`);
      });
      answer.on("close", () => outgoing.destroy());
      incoming.pipe(outgoing);
    } catch (error) {
      const { status, text } = refusalOf(url.host, error);
      answer.writeHead(status).end(`${text}\n`);
    }
  });

  server.on("connect", async (incoming: IncomingMessage, client: Duplex, head: Buffer) => {
    client.on("error", () => client.destroy());
    const target = URL.parse(`tcp://${incoming.url}`);
    const port = Number(target?.port);
    if (target === null || !port) {
      client.end("HTTP/1.1 400 Bad Request\r\n\r\n");
      return;
    }
    try {
      const { address, family } = await addressOf(target.hostname, port);
      tunnel(client, head, connect({ host: address, family, port, timeout: idleMs }));
    } catch (error) {
      const { status, text } = refusalOf(target.host, error);
      const reason = status === 403 ? "Forbidden" : "Bad Gateway";
      client.end(
        `HTTP/1.1 ${status} ${reason}\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n${text}\n`,
      );
    }
  });

  server.maxConnections = mostConnections;
  const { promise: reached, resolve } = Promise.withResolvers<void>();
  server.on("connection", (connection) => {
    resolve();
    open.add(connection);
    connection.on("close", () => open.delete(connection));
  });
  await rm(socket, { force: true });
  await new Promise<void>((done, fail) => server.once("error", fail).listen(socket, done));
  // Its folder is the daemon's alone; whoever has the folder mounted may be any user.
  await chmod(socket, 0o666);
  return {
    reached,
    async close() {
      for (const connection of open) connection.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

function tunnel(client: Duplex, head: Buffer, upstream: Socket): void {
  const end = () => {
    client.destroy();
    upstream.destroy();
  };
  let isOpen = false;
  upstream.on("connect", () => {
    isOpen = true;
    client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    upstream.write(head);
    client.pipe(upstream);
    upstream.pipe(client);
  });
  upstream.on("error", () => {
    if (isOpen) end();
    else client.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  });
  upstream.on("timeout", end);
  client.on("error", end);
  client.on("close", end);
}

const hops = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "upgrade",
];

function withoutHops(headers: IncomingMessage["headers"]): IncomingMessage["headers"] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hops.includes(name)));
}
