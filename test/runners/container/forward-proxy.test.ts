import { once } from "node:events";
import { request } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { createEgressPolicy } from "#core/egress/policy.ts";
import { startForwardProxy } from "#runners/container/filtered/forward-proxy.ts";
import { temporaryFolder } from "#test/support/step-context.ts";

/** Asks, through the proxy, a server that answers with these very bytes. */
async function statusThrough(answer: string): Promise<number | undefined> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => socket.end(answer));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const socketPath = path.join(temporaryFolder(), "s");
  const egress = createEgressPolicy({ allow: ["localhost"] });
  const proxy = await startForwardProxy({ socket: socketPath, hosts: () => true, egress, onRefusal() {} });
  onTestFinished(async () => {
    await proxy.close();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const asked = request({ socketPath, path: `http://127.0.0.1:${port}/` }).end();
  const [response] = await once(asked, "response");
  response.resume();
  return response.statusCode;
}

it.each([
  { answer: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", status: 200 },
  { answer: "HTTP/1.1 204 Nothing\r\n\r\n", status: 204 },
  { answer: "HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n", status: 502 },
  { answer: "HTTP/1.1 000 Odd\r\nContent-Length: 0\r\n\r\n", status: 502 },
  { answer: "HTTP/1.1 1000 Odd\r\n\r\n", status: 502 },
  { answer: "no HTTP", status: 502 },
])("answers $status, and lives on, when a host says $answer", async ({ answer, status }) => {
  expect(await statusThrough(answer)).toBe(status);
});
