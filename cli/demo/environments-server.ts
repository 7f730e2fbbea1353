import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { DemoRepositories } from "#cli/demo/repositories.ts";

export interface EnvironmentsServer {
  /** `http://127.0.0.1:PORT` */
  url: string;
  close(): void;
}

/**
 * Stands for the environments: `GET /staging` answers with the version that the config repository gives
 * staging, as a deployment that follows Git would.
 */
export async function serveEnvironments(repositories: DemoRepositories): Promise<EnvironmentsServer> {
  const server = createServer(async ({ url = "/" }, response) => {
    const version = await repositories.versionIn(url.slice(1)).catch(() => undefined);
    response.writeHead(version === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify({ version }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => server.close(),
  };
}
