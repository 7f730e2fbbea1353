import Docker from "dockerode";
import { StepFailure } from "#core/failure.ts";

/** Docker Engine, as dockerode finds it: DOCKER_HOST and its companions, or the local socket. */
export function connectEngine(): Docker {
  return new Docker();
}

/** Engines from this one on get fixes; older ones have known ways out of a container. */
const oldestKept = 25;

/** What an operator should know of the engine; undefined when there is nothing, or no engine. */
export async function engineAdvice(docker: Pick<Docker, "version">): Promise<string | undefined> {
  const { Version = "" } = (await docker.version().catch(() => undefined)) ?? {};
  if (Version === "" || Number.parseInt(Version, 10) >= oldestKept) return undefined;
  return `Docker Engine ${Version} is old: containers may have ways out of it that newer ones have closed, unless who packaged it mended them`;
}

/** An engine's refusal as a failure of the step that met it. */
export function engineFailure(what: string, error: unknown): StepFailure {
  if (error instanceof StepFailure) return error;
  const { code, statusCode } = error as { code?: string; statusCode?: number };
  if (isAbsent(error)) {
    return new StepFailure(
      "errored",
      `Cannot ${what}: no Docker Engine answers (${code}); start it, or set DOCKER_HOST for the daemon`,
      { cause: error },
    );
  }
  // The engine went away in the middle, or is restarting: the same request may do later.
  const kind = code === "ECONNRESET" || code === "EPIPE" || statusCode === 503 ? "transient" : "errored";
  return new StepFailure(kind, `Cannot ${what}: ${messageOf(error)}`, { cause: error });
}

/** The same for whatever went wrong with a container while its command ran. */
export function runFailure(error: unknown): StepFailure {
  const { statusCode } = error as { statusCode?: number };
  // 409: the engine is about to remove it.
  if (isNotFound(error) || statusCode === 409) {
    return new StepFailure("errored", "The step's container was removed while it ran", { cause: error });
  }
  return engineFailure("wait for the step's container", error);
}

function messageOf(error: unknown): string {
  const { json, message } = error as { json?: { message?: unknown }; message?: unknown };
  return String(json?.message ?? message ?? error);
}

/** Whether no engine answers, or none that this user may ask. */
export function isAbsent(error: unknown): boolean {
  return ["ENOENT", "ECONNREFUSED", "EACCES"].includes(String((error as { code?: unknown }).code));
}

/** Whether the engine said that there is no such image, container or network. */
export function isNotFound(error: unknown): boolean {
  return (error as { statusCode?: number }).statusCode === 404;
}
