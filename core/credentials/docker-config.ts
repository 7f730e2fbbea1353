import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { z } from "zod";
import { type Credentials, identityTokenUser } from "#core/credentials/credentials.ts";
import type { CredentialProvider } from "#core/credentials/providers.ts";
import { StepFailure } from "#core/failure.ts";
import { codeOf } from "#core/file-failure.ts";
import type { Exec } from "#core/step.ts";

/** How Docker's own configuration names Docker Hub. */
export const dockerHub = "https://index.docker.io/v1/";

const helperSeconds = 30;

const AuthEntry = z.object({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
});
const DockerConfig = z.object({
  auths: z.record(z.string(), AuthEntry).default({}),
  credHelpers: z.record(z.string(), z.string()).default({}),
  credsStore: z.string().optional(),
});
type DockerConfig = z.infer<typeof DockerConfig>;

/** The registry of an image as Docker's own configuration names it. */
export function registryOf(image: string): string {
  const first = image.split("/")[0] ?? "";
  return image.includes("/") && /[.:]|^localhost$/.test(first) ? first : dockerHub;
}

/** What the `auths` of a configuration (JSON) hold for an image's registry. One that cannot be read holds nothing. */
export function loginIn(config: string, image: string): Credentials | undefined {
  try {
    return loginOf(DockerConfig.parse(JSON.parse(config)), registryOf(image));
  } catch {
    return undefined;
  }
}

function loginOf({ auths }: DockerConfig, registry: string): Credentials | undefined {
  const entry = find(auths, registry);
  if (entry === undefined) return undefined;
  if (entry.identitytoken) return { username: identityTokenUser, password: entry.identitytoken };
  if (!entry.auth) {
    return entry.password === undefined ? undefined : { username: entry.username, password: entry.password };
  }
  const [username = "", ...password] = Buffer.from(entry.auth, "base64").toString().split(":");
  return { username, password: password.join(":") };
}

/** The entry of a registry, however its address is written. */
function find<T>(entries: Readonly<Record<string, T>>, registry: string): T | undefined {
  const wanted = hostOf(registry);
  return Object.entries(entries).find(([address]) => hostOf(address) === wanted)?.[1];
}

function hostOf(address: string): string {
  const host = address.replace(/^https?:\/\//, "").split("/")[0] ?? "";
  return ["docker.io", "registry-1.docker.io"].includes(host) ? "index.docker.io" : host;
}

export interface DockerConfigSettings {
  env: Record<string, string | undefined>;
  exec: Exec;
}

/**
 * The logins of Docker on the daemon's machine, for repositories that no Secret matches: `config.json`, and
 * the programs that it names for keeping passwords. It is read each time, so that a new login is seen.
 */
export function createDockerConfigProvider({ env, exec }: DockerConfigSettings): CredentialProvider {
  const folder = env.DOCKER_CONFIG || path.join(env.HOME ?? homedir(), ".docker");
  return {
    // A chart repository over HTTP is no registry, and Docker knows nothing of it.
    supports: ({ type, repoURL, data }) =>
      type !== "git" && !repoURL.includes("://") && Object.keys(data).length === 0,
    async get({ repoURL }) {
      const config = await readConfig(path.join(folder, "config.json"));
      if (config === undefined) return undefined;
      const registry = registryOf(repoURL);
      const helper = find(config.credHelpers, registry) ?? config.credsStore;
      const kept = helper === undefined ? undefined : await askHelper(exec, env, helper, registry);
      return kept ?? loginOf(config, registry);
    },
  };
}

async function readConfig(file: string): Promise<DockerConfig | undefined> {
  try {
    return DockerConfig.parse(JSON.parse(await readFile(file, "utf8")));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    // What stands in it may be a password, so that nothing of it is quoted.
    const why = codeOf(error) || "it is not what Docker writes";
    throw new StepFailure("errored", `Cannot read Docker's configuration "${file}": ${why}`);
  }
}

const HelperAnswer = z.object({ Username: z.string(), Secret: z.string().min(1) });

/** Asks one of Docker's programs for keeping passwords; undefined when it knows none. */
async function askHelper(
  exec: Exec,
  env: DockerConfigSettings["env"],
  helper: string,
  registry: string,
): Promise<Credentials | undefined> {
  const what = `Cannot ask Docker's credential helper "${helper}" for "${registry}"`;
  if (!/^[A-Za-z0-9][\w.-]*$/.test(helper)) throw new StepFailure("refused", `${what}: that is no such name`);
  // It may need much of what it finds at a desk, and nothing of the daemon's own.
  const known = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !entry[0].startsWith("TOWPATH_"),
  );
  const { exitCode, stdout } = await exec(`docker-credential-${helper}`, ["get"], {
    input: `${registry}\n`,
    env: Object.fromEntries(known),
    timeoutSeconds: helperSeconds,
    maxOutputBytes: 1024 * 1024,
    exitCodes: [0, 1],
  });
  if (exitCode === 1) {
    // The protocol has no other sign of this than these words.
    if (/credentials not found/i.test(stdout)) return undefined;
    throw new StepFailure("errored", `${what}: it failed`);
  }
  const answer = HelperAnswer.safeParse(parseJson(stdout));
  if (answer.success) return { username: answer.data.Username, password: answer.data.Secret };
  throw new StepFailure("errored", `${what}: its answer is not what such programs write`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
