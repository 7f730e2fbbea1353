import { createHash } from "node:crypto";
import type Docker from "dockerode";
import type { ImageInspectInfo } from "dockerode";
import { type Credentials, identityTokenUser } from "#core/credentials/credentials.ts";
import { registryOf } from "#core/credentials/docker-config.ts";
import { StepFailure } from "#core/failure.ts";
import { engineFailure, isNotFound } from "#runners/container/engine.ts";

export interface ImageRequest {
  image: string;
  platform?: string;
  /** Asked only when the image has to be pulled. */
  credentials?(): Promise<Credentials | undefined>;
  onProgress(text: string): void;
}

/** Sees to it that an image is on the engine. Steps that want the same one at the same time share its pull. */
export interface Images {
  ensure(request: ImageRequest): Promise<void>;
  /** What is known of an image that is there: its entrypoint, command, labels and digests. */
  inspect(image: string): Promise<ImageInspectInfo>;
  /** To be called when the engine says that an image is gone: what was known of it is not so any more. */
  forget(image: string): void;
}

/** A pull under way, and all who want to hear of it. */
interface Pull {
  done: Promise<void>;
  listeners: Set<(text: string) => void>;
}

export function createImages(docker: Docker): Images {
  const pulls = new Map<string, Pull>();
  /** Images that were seen on the engine, each with its platforms; nothing but `forget` ends that. */
  const present = new Map<string, Set<string>>();

  async function ensure(request: ImageRequest): Promise<void> {
    const { image, platform = "" } = request;
    if (present.get(image)?.has(platform)) return;
    if (!(await isPresent(docker, request))) await pullShared(request);
    present.set(image, (present.get(image) ?? new Set()).add(platform));
  }

  async function pullShared(request: ImageRequest): Promise<void> {
    const credentials = await request.credentials?.();
    const key = keyOf(request, credentials);
    const pull = pulls.get(key) ?? start(request, credentials, key);
    pull.listeners.add(request.onProgress);
    request.onProgress(`pulling ${request.image}`);
    try {
      await pull.done;
    } finally {
      pull.listeners.delete(request.onProgress);
    }
  }

  function start(request: ImageRequest, credentials: Credentials | undefined, key: string): Pull {
    const listeners: Pull["listeners"] = new Set();
    const say = (text: string) => {
      for (const listener of listeners) listener(text);
    };
    const pull = {
      listeners,
      done: pullImage(docker, request, credentials, say).finally(() => pulls.delete(key)),
    };
    pulls.set(key, pull);
    return pull;
  }

  return {
    ensure,
    forget: (image) => void present.delete(image),
    async inspect(image) {
      try {
        return await docker.getImage(image).inspect();
      } catch (error) {
        throw engineFailure(`look for image "${image}"`, error);
      }
    },
  };
}

/** Whoever has other credentials asks for himself: what one may have says nothing of another. */
function keyOf({ platform = "", image }: ImageRequest, credentials: Credentials | undefined): string {
  const secret = createHash("sha256")
    .update(credentials?.password ?? "")
    .digest("hex");
  return [platform, image, credentials?.username ?? "", secret].join(" ");
}

async function isPresent(docker: Docker, { image, platform }: ImageRequest): Promise<boolean> {
  try {
    const { Os, Architecture } = await docker.getImage(image).inspect();
    return platform === undefined || platform.split("/", 2).join("/") === `${Os}/${Architecture}`;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw engineFailure(`look for image "${image}"`, error);
  }
}

interface PullEvent {
  status?: string;
  id?: string;
  progressDetail?: { current?: number; total?: number };
  error?: string;
}

async function pullImage(
  docker: Docker,
  { image, platform }: ImageRequest,
  credentials: Credentials | undefined,
  say: (text: string) => void,
): Promise<void> {
  try {
    const stream = await docker.pull(image, {
      ...(platform === undefined ? {} : { platform }),
      ...(credentials === undefined ? {} : { authconfig: authOf(image, credentials) }),
    });
    await new Promise<void>((resolve, reject) => {
      docker.modem.followProgress(
        stream,
        (error) => (error ? reject(error) : resolve()),
        createProgress(say),
      );
    });
  } catch (error) {
    throw pullFailure(image, error);
  }
}

/** Makes of the engine's many events a line when the pull begins to load, at each half, and for each layer that is there. */
function createProgress(say: (text: string) => void): (event: PullEvent) => void {
  const halves = new Map<string, number>();
  return ({ status, id = "", progressDetail: { current = 0, total = 0 } = {} }) => {
    if (status === "Pull complete" || status === "Already exists") say(`${id}: ${status}`);
    if (status !== "Downloading" || total < largeLayerBytes) return;
    const half = Math.floor((current / total) * 2);
    if (half <= (halves.get(id) ?? -1)) return;
    halves.set(id, half);
    say(`${id}: ${inMegabytes(current)} of ${inMegabytes(total)} MB`);
  };
}

/** Smaller ones are there before anybody has read how far they are. */
const largeLayerBytes = 10e6;

function inMegabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

function authOf(image: string, { username = "", password = "" }: Credentials) {
  const login = username === identityTokenUser ? { identitytoken: password } : { username, password };
  return { ...login, serveraddress: registryOf(image) };
}

function pullFailure(image: string, error: unknown): StepFailure {
  const text = String((error as { message?: unknown }).message ?? error);
  if (/unauthorized|denied|authentication required|no basic auth/i.test(text)) {
    return new StepFailure(
      "refused",
      `Cannot pull image "${image}": the registry refuses the credentials, or wants some and got none`,
      { cause: error },
    );
  }
  if (isNotFound(error) || /not found|manifest unknown|does not exist/i.test(text)) {
    return new StepFailure("refused", `Cannot pull image "${image}": the registry has no such image`, {
      cause: error,
    });
  }
  return engineFailure(`pull image "${image}"`, error);
}
