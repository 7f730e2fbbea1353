import type Docker from "dockerode";
import type { Credentials } from "#core/credentials/credentials.ts";
import { StepFailure } from "#core/failure.ts";
import { engineFailure, isNotFound } from "#runners/container/engine.ts";
import { registryOf } from "#runners/container/pull-credentials.ts";

export interface ImageRequest {
  image: string;
  platform?: string;
  credentials?: Credentials;
  onProgress(text: string): void;
}

/** Sees to it that an image is on the engine. Steps that want the same one at the same time share its pull. */
export interface Images {
  ensure(request: ImageRequest): Promise<void>;
}

export function createImages(docker: Docker): Images {
  const pulls = new Map<string, Promise<void>>();
  return {
    async ensure(request) {
      if (await isPresent(docker, request)) return;
      const key = `${request.platform ?? ""} ${request.image} ${request.credentials?.username ?? ""}`;
      const running = pulls.get(key);
      if (running) return running;
      const started = pull(docker, request).finally(() => pulls.delete(key));
      pulls.set(key, started);
      return started;
    },
  };
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
  error?: string;
}

async function pull(docker: Docker, request: ImageRequest): Promise<void> {
  const { image, platform, credentials } = request;
  request.onProgress(`pulling ${image}`);
  try {
    const stream = await docker.pull(image, {
      ...(platform === undefined ? {} : { platform }),
      ...(credentials === undefined ? {} : { authconfig: authOf(image, credentials) }),
    });
    await new Promise<void>((resolve, reject) => {
      docker.modem.followProgress(
        stream,
        (error) => (error ? reject(error) : resolve()),
        ({ status, id }: PullEvent) => {
          if (id && status === "Pull complete") request.onProgress(`${id}: ${status}`);
        },
      );
    });
  } catch (error) {
    throw pullFailure(image, error);
  }
}

function authOf(image: string, { username = "", password = "" }: Credentials) {
  return { username, password, serveraddress: registryOf(image) };
}

function pullFailure(image: string, error: unknown): StepFailure {
  const text = String((error as { message?: unknown }).message ?? error);
  if (isNotFound(error) || /not found|manifest unknown|does not exist/i.test(text)) {
    return new StepFailure("refused", `Cannot pull image "${image}": the registry has no such image`, {
      cause: error,
    });
  }
  if (/unauthorized|denied|authentication required|no basic auth/i.test(text)) {
    return new StepFailure(
      "refused",
      `Cannot pull image "${image}": the registry refuses the credentials, or wants some and got none`,
      { cause: error },
    );
  }
  return engineFailure(`pull image "${image}"`, error);
}
