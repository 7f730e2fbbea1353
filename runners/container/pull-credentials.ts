import type { CredentialSource, Credentials } from "#core/credentials/credentials.ts";
import { loginIn } from "#core/credentials/docker-config.ts";
import { maySee } from "#core/credentials/from-store.ts";
import type { Masker } from "#core/credentials/masker.ts";
import { secretValues } from "#core/credentials/secret-values.ts";
import type { Store } from "#core/store/store.ts";

/** Where Secrets live that serve all projects. */
const sharedProject = "kargo-shared-resources";

export interface PullCredentials {
  /**
   * The credentials of the first of the named Secrets that has some for the image's registry, otherwise the
   * project's own for the image. `onMissing` hears of Secrets that are not there, or are credentials of repositories
   * that the image is not in.
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
        // Whoever names a Secret need not be allowed to read it: what is meant for other repositories stays here.
        if (secret === undefined || !maySee(secret, "image", image)) {
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

/** A Secret of the type `kubernetes.io/dockerconfigjson`, or one with a user name and a password. */
export function credentialsIn(values: Record<string, string>, image: string): Credentials | undefined {
  const { ".dockerconfigjson": config, username, password } = values;
  if (config === undefined) return password === undefined ? undefined : { username, password };
  return loginIn(config, image);
}
