import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import type Docker from "dockerode";
import { pack } from "tar-stream";
import { StepFailure } from "#core/failure.ts";
import { engineFailure, isNotFound } from "#runners/container/engine.ts";

const relayPort = 3128;
/** Where the relay listens in the network that it shares with the step. */
export const relayAddress = `127.0.0.1:${relayPort}`;
/** Where it finds the folder with the proxy's socket. */
export const relayMount = "/run/towpath";
export const socketName = "s";

/** Passes every connection on to the socket. The first one only tells the proxy that it is up. */
const relay = `
const net = require("node:net");
const target = "${relayMount}/${socketName}";
const server = net.createServer({ allowHalfOpen: true }, (client) => {
  const proxy = net.connect({ path: target, allowHalfOpen: true });
  const end = () => { client.destroy(); proxy.destroy(); };
  client.on("error", end);
  proxy.on("error", end);
  client.pipe(proxy).pipe(client);
});
server.listen(${relayPort}, "127.0.0.1", () => {
  net.connect(target, function () { this.destroy(); }).on("error", () => {});
});
`;

export const relayCommand = ["/node", "--max-old-space-size=48", "/relay.cjs"];

const made = new WeakMap<Docker, Promise<string>>();

/**
 * The name of an image with the relay, made once of the Node.js that the daemon itself runs on: nothing has to be
 * pulled for it.
 */
export function ensureRelayImage(docker: Docker): Promise<string> {
  const known = made.get(docker) ?? make(docker);
  made.set(docker, known);
  known.catch(() => made.delete(docker));
  return known;
}

async function make(docker: Docker): Promise<string> {
  if (process.platform !== "linux") {
    throw new StepFailure(
      "refused",
      "Cannot open single hosts to a container: the daemon does not run on Linux; name a network that the operator allows instead",
    );
  }
  const program = process.execPath;
  const { size, mtimeMs } = await stat(program);
  const version = createHash("sha256")
    .update(JSON.stringify([process.version, size, mtimeMs, relay]))
    .digest("hex");
  const image = `towpath-relay:${version.slice(0, 16)}`;
  try {
    await docker.getImage(image).inspect();
    return image;
  } catch (error) {
    if (!isNotFound(error)) throw engineFailure("look for the relay's image", error);
  }
  await importImage(docker, image, program);
  return image;
}

async function importImage(docker: Docker, image: string, program: string): Promise<void> {
  const [repo = "", tag = ""] = image.split(":");
  const tar = pack();
  const written = (async () => {
    tar.entry({ name: "node", mode: 0o755 }, await readFile(program));
    for (const library of sharedObjects())
      tar.entry({ name: library.slice(1), mode: 0o755 }, await readFile(library));
    tar.entry({ name: "relay.cjs", mode: 0o644 }, relay);
    tar.finalize();
  })();
  const answer = await docker
    .importImage(tar as unknown as NodeJS.ReadableStream, { repo, tag })
    .catch((error) => {
      throw engineFailure("make the relay's image", error);
    });
  await written;
  await pipeline(answer, async (chunks: AsyncIterable<Buffer>) => {
    for await (const _ of chunks);
  });
}

/** The libraries that the running program has loaded. */
function sharedObjects(): string[] {
  // Looking up the names of its connections would take long.
  const report = process.report as typeof process.report & { excludeNetwork: boolean };
  const before = report.excludeNetwork;
  report.excludeNetwork = true;
  try {
    const { sharedObjects: found = [] } = report.getReport() as { sharedObjects?: string[] };
    return found.filter((path) => path.startsWith("/") && !path.endsWith(".node"));
  } finally {
    report.excludeNetwork = before;
  }
}
