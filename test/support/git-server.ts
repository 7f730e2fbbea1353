import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { userInfo } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";
import { temporaryFolder } from "#test/support/step-context.ts";

interface GitRequest {
  method: string;
  path: string;
  user: string | undefined;
  bytesSent: number;
}

export interface GitServer {
  /** `http://127.0.0.1:port`; repositories are below it by their folders' names. */
  url: string;
  /** What was asked for: method, path and user. */
  requests: GitRequest[];
}

export interface GitServerOptions {
  /** Whom the server lets in; everybody without it. */
  user?: { name: string; password: string };
  /** Answers before git does; true when it has answered. */
  intercept?(request: IncomingMessage, response: ServerResponse): boolean;
}

/** Serves the bare repositories in a folder over HTTP, by git's own http-backend. Ends with the test. */
export async function serveOverHttp(root: string, options: GitServerOptions = {}): Promise<GitServer> {
  const requests: GitServer["requests"] = [];
  const server = createServer((request, response) => {
    const user = userOf(request);
    const entry: GitRequest = {
      method: request.method ?? "",
      path: request.url ?? "",
      user: user?.name,
      bytesSent: 0,
    };
    requests.push(entry);
    if (options.intercept?.(request, response)) return;
    if (options.user && (user?.name !== options.user.name || user.password !== options.user.password)) {
      response.writeHead(401, { "WWW-Authenticate": 'Basic realm="git"' }).end();
      return;
    }
    runBackend(root, request, response, entry);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

function userOf(request: IncomingMessage): { name: string; password: string } | undefined {
  const encoded = /^Basic (.*)$/.exec(request.headers.authorization ?? "")?.[1];
  if (encoded === undefined) return undefined;
  const [name = "", password = ""] = Buffer.from(encoded, "base64").toString().split(":");
  return { name, password };
}

function runBackend(
  root: string,
  request: IncomingMessage,
  response: ServerResponse,
  entry: GitRequest,
): void {
  const url = new URL(request.url ?? "/", "http://x");
  const backend = spawn("git", ["http-backend"], {
    env: {
      PATH: process.env.PATH,
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      REMOTE_USER: entry.user ?? "",
      REMOTE_ADDR: "127.0.0.1",
    },
  });
  request.pipe(backend.stdin).on("error", () => {});
  let head = Buffer.alloc(0);
  let begun = false;
  backend.stdout.on("data", (chunk: Buffer) => {
    entry.bytesSent += chunk.length;
    if (begun) return void response.write(chunk);
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    begun = true;
    let status = 200;
    for (const line of head.subarray(0, end).toString().split("\r\n")) {
      const [name = "", value = ""] = line.split(/: ?(.*)/);
      if (name.toLowerCase() === "status") status = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    response.writeHead(status);
    response.write(head.subarray(end + 4));
  });
  backend.on("close", () => response.end());
}

export interface SshServer {
  /** `ssh://user@127.0.0.1:port`; repositories follow by their absolute paths. */
  url: string;
  privateKey: string;
}

/** Starts sshd for one key. Ends with the test. */
export async function serveOverSsh(): Promise<SshServer> {
  const folder = temporaryFolder();
  const file = (name: string) => path.join(folder, name);
  for (const name of ["host", "client"]) {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file(name)]);
  }
  const { readFileSync } = await import("node:fs");
  writeFileSync(file("authorized_keys"), readFileSync(file("client.pub")), { mode: 0o600 });
  chmodSync(folder, 0o700);
  const port = await freePort();
  const config = [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${file("host")}`,
    `AuthorizedKeysFile ${file("authorized_keys")}`,
    `PidFile ${file("pid")}`,
    "StrictModes no",
    "UsePAM no",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
  ];
  writeFileSync(file("sshd_config"), `${config.join("\n")}\n`);
  // sshd insists on this folder when it runs as root.
  if (userInfo().uid === 0) mkdirSync("/run/sshd", { recursive: true });
  const daemon = spawn("/usr/sbin/sshd", ["-D", "-e", "-f", file("sshd_config")], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  onTestFinished(() => void daemon.kill());
  await new Promise<void>((resolve, reject) => {
    daemon.stderr.on("data", (text) => String(text).includes("listening") && resolve());
    daemon.on("exit", (code) => reject(new Error(`sshd ended with ${code}`)));
  });
  return {
    url: `ssh://${userInfo().username}@127.0.0.1:${port}`,
    privateKey: readFileSync(file("client"), "utf8"),
  };
}

async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
