import type { CredentialSource, Credentials } from "#core/credentials/credentials.ts";
import type { Masker } from "#core/credentials/masker.ts";
import { secretValues } from "#core/credentials/secret-values.ts";
import type { Store } from "#core/store/store.ts";

/** Where Secrets live that serve all projects. */
const sharedProject = "kargo-shared-resources";

const dockerHub = "https://index.docker.io/v1/";

export interface PullCredentials {
  /**
   * The credentials of the first of the named Secrets that has some for the image's registry, otherwise the
   * project's own for the image. `onMissing` hears of Secrets that are not there.
   */
  find(
    project: string,
    image: string,
    secrets: readonly string[],
    onMissing: (name: string) => void,
  ): Promise<Credentials | undefined>;
}

export function createPullCredentials(
  store: Pick<Store, "get">,
  masker: Pick<Masker, "add">,
  credentialsFor: (project: string) => CredentialSource,
): PullCredentials {
  return {
    async find(project, image, names, onMissing) {
      for (const name of names) {
        const secret =
          (await store.get({ kind: "Secret", project, name })) ??
          (await store.get({ kind: "Secret", project: sharedProject, name }));
        if (secret === undefined) {
          onMissing(name);
          continue;
        }
        const credentials = credentialsIn(secretValues(secret), image);
        if (credentials?.password) masker.add(credentials.password);
        if (credentials !== undefined) return credentials;
      }
      return credentialsFor(project).find("image", image);
    },
  };
}

/** The registry of an image as Docker's own configuration names it. */
export function registryOf(image: string): string {
  const first = image.split("/")[0] ?? "";
  return image.includes("/") && /[.:]|^localhost$/.test(first) ? first : dockerHub;
}

/** A Secret of the type `kubernetes.io/dockerconfigjson`, or one with a user name and a password. */
export function credentialsIn(values: Record<string, string>, image: string): Credentials | undefined {
  const { ".dockerconfigjson": config, username, password } = values;
  if (config === undefined) return password === undefined ? undefined : { username, password };
  const wanted = hostOf(registryOf(image));
  const [, entry] = Object.entries(authsOf(config)).find(([address]) => hostOf(address) === wanted) ?? [];
  if (entry === undefined) return undefined;
  if (entry.auth === undefined) return { username: entry.username, password: entry.password };
  const [user = "", ...rest] = Buffer.from(entry.auth, "base64").toString().split(":");
  return { username: user, password: rest.join(":") };
}

interface AuthEntry {
  auth?: string;
  username?: string;
  password?: string;
}

/** A Secret that cannot be read has nothing: another one may do. */
function authsOf(config: string): Record<string, AuthEntry> {
  try {
    return (JSON.parse(config) as { auths?: Record<string, AuthEntry> }).auths ?? {};
  } catch {
    return {};
  }
}

function hostOf(address: string): string {
  const host = address.replace(/^https?:\/\//, "").split("/")[0] ?? "";
  return ["docker.io", "registry-1.docker.io"].includes(host) ? "index.docker.io" : host;
}
