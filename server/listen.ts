import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { UserError } from "#core/failure.ts";
import type { ServerApp } from "#server/route.ts";

export interface OpenPort {
  port: number;
  /** Hands requests to the app; until then they wait. */
  serve(app: ServerApp): void;
  /** Takes no more connections, and closes those that have nothing under way. */
  close(): Promise<void>;
}

/** How long a client may take to send its headers, and the whole of its request. */
const headersTimeoutMilliseconds = 20_000;
const requestTimeoutMilliseconds = 60_000;
const keepAliveMilliseconds = 15_000;

/** Opens a port; 0 opens any that is free. Throws a UserError that says why it cannot. */
export async function openPort(host: string, port: number): Promise<OpenPort> {
  const server = createServer({
    headersTimeout: headersTimeoutMilliseconds,
    requestTimeout: requestTimeoutMilliseconds,
    // Who waits for a gate says nothing for long.
    keepAlive: true,
    keepAliveInitialDelay: keepAliveMilliseconds,
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(listenFailure(error, host, port)));
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    serve: (app) => server.on("request", getRequestListener(app.fetch)),
    close: () => close(server),
  };
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    // Whoever still talks after this is cut off: the daemon has to end.
    setTimeout(() => server.closeAllConnections(), 2000).unref();
  });
}

function listenFailure(error: NodeJS.ErrnoException, host: string, port: number): UserError {
  const reasons: Record<string, string> = {
    EADDRINUSE: "something else listens there",
    EACCES: "this user may not",
    EADDRNOTAVAIL: "this machine has no such address",
  };
  return new UserError(`Cannot listen on ${host}:${port}: ${reasons[error.code ?? ""] ?? error.message}`, {
    cause: error,
    hint: "choose another with --port or --host",
  });
}
