import { readFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterEach } from "vitest";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

interface Served {
  port: number;
  url: string;
  server: Server;
}

/** A server on loopback that is gone after the test. */
export async function serve(listener: RequestListener): Promise<Served> {
  return await listen(createServer(listener), "http");
}

/** The same over TLS, with a certificate that nobody but itself has signed. */
export async function serveTls(listener: RequestListener): Promise<Served> {
  const read = (file: string) => readFileSync(new URL(`../fixtures/tls/${file}`, import.meta.url));
  return await listen(createTlsServer({ key: read("key.pem"), cert: read("cert.pem") }, listener), "https");
}

async function listen(server: Server, scheme: string): Promise<Served> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { port, url: `${scheme}://127.0.0.1:${port}`, server };
}
