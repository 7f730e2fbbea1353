import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { StepFailure } from "#core/failure.ts";
import type { GitCall } from "#core/git/git.ts";
import type { StepContext } from "#core/step.ts";
import { type RelayAnswer, withLoopbackRelay } from "./loopback-relay.ts";

const maxAskedBytes = 16 * 1024 * 1024;
const maxPackBytes = 512 * 1024 * 1024;
const transferSeconds = 300;

/**
 * Stands between git and public repositories. Git asks it on this machine for whatever it wants to have over
 * http or https, submodules too; it asks the server through the step's context, so that the egress rules hold at
 * every hop.
 */
export interface GitRelay {
  /** What a call of git is given so that it asks the relay, and nobody else. */
  way: Pick<GitCall, "source" | "protocols" | "config">;
  /** What kept a repository from answering; git's own words for it say less. */
  failure(): StepFailure | undefined;
}

export async function withGitRelay<T>(ctx: StepContext, work: (relay: GitRelay) => Promise<T>): Promise<T> {
  const moved = new Map<string, string>();

  const answer: RelayAnswer = async (request, response, { token }) => {
    const [, sent, scheme, rest = ""] = /^\/(\w+)\/(https?)\/(.*)$/s.exec(request.url ?? "") ?? [];
    const [, repository, service] =
      /^(.+?)(\/info\/refs\?service=git-upload-pack|\/git-upload-pack)$/s.exec(rest) ?? [];
    if (sent !== token || repository === undefined) return void response.writeHead(404).end();
    const address = `${scheme}://${repository}`;
    const isUpload = service === "/git-upload-pack";
    const found = await ctx.fetch(`${moved.get(address) ?? address}${service}`, {
      method: isUpload ? "POST" : "GET",
      headers: passedOn(request),
      timeoutSeconds: transferSeconds,
      maxBodyBytes: maxPackBytes,
      ...(isUpload ? { body: await readAll(request) } : {}),
    });
    if (!found.ok) {
      await found.body?.cancel();
      throw unanswered(address, found.status);
    }
    // A repository that has moved says so once, and is then asked at its new place.
    if (!isUpload && service !== undefined && found.url.endsWith(service)) {
      moved.set(address, found.url.slice(0, -service.length));
    }
    for (const name of ["content-type", "content-encoding"]) {
      const value = found.headers.get(name);
      if (value !== null) response.setHeader(name, value);
    }
    response.writeHead(200);
    if (found.body === null) response.end();
    else await pipeline(Readable.fromWeb(found.body as never), response);
  };

  return await withLoopbackRelay(answer, ({ host, token, failure }) => {
    const origin = `http://${host}`;
    return work({
      failure,
      way: {
        source: {
          remote: { url: origin, protocol: "http", origin },
          credentials: undefined,
          insecureSkipTLSVerify: false,
        },
        protocols: ["http"],
        config: {
          [`url.${origin}/${token}/https/.insteadOf`]: "https://",
          [`url.${origin}/${token}/http/.insteadOf`]: "http://",
          "http.followRedirects": "false",
        },
      },
    });
  });
}

function passedOn(request: IncomingMessage): Record<string, string> {
  const names = [
    "accept",
    "accept-encoding",
    "content-type",
    "content-encoding",
    "git-protocol",
    "user-agent",
  ];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = request.headers[name];
      return typeof value === "string" ? [[name, value]] : [];
    }),
  );
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > maxAskedBytes)
      throw new StepFailure("errored", "Cannot fetch a repository: git asks for too much");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function unanswered(address: string, status: number): StepFailure {
  const isBusy = status === 429 || status >= 500;
  const hint = [401, 403, 404].includes(status)
    ? "; only public repositories can be fetched here, others come into the workspace with git-clone"
    : "";
  const shown = address.replace(/\/\/[^/@]*@/, "//");
  return new StepFailure(
    isBusy ? "transient" : "errored",
    `Cannot fetch Git repository "${shown}": its server answered ${status}${hint}`,
  );
}
