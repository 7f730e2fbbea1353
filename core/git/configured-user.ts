import type { Masker } from "#core/credentials/masker.ts";
import { secretValues } from "#core/credentials/secret-values.ts";
import { StepFailure } from "#core/failure.ts";
import type { GitUser } from "#core/git/repository.ts";
import { ClusterConfig } from "#core/resources/cluster-config.ts";
import type { Store } from "#core/store/store.ts";

/** The project that a Secret named by the ClusterConfig is in. */
const systemProject = "kargo-system-resources";
const keyField = "signingKey";

/**
 * Who commits, as the ClusterConfig's `gitClient` says; undefined when it says nothing. The signing key is
 * known to the masker from then on.
 *
 * @throws StepFailure when the Secret with the signing key is not there or has none: unsigned commits would
 *   be a surprise.
 */
export async function configuredGitUser(store: Store, masker: Masker): Promise<Partial<GitUser> | undefined> {
  const config = await store.get({ kind: "ClusterConfig", name: "cluster" });
  const gitClient = ClusterConfig.safeParse(config).data?.spec?.gitClient;
  if (gitClient === undefined) return undefined;
  const { name, email, signingKeySecret } = gitClient;
  if (signingKeySecret === undefined) return { name, email };

  const secret = await store.get({ kind: "Secret", project: systemProject, name: signingKeySecret.name });
  const signingKey = secret === undefined ? undefined : secretValues(secret)[keyField];
  if (!signingKey) {
    throw new StepFailure(
      "errored",
      `Cannot sign as the ClusterConfig says: Secret "${systemProject}/${signingKeySecret.name}" has no key "${keyField}"`,
    );
  }
  masker.add(signingKey);
  return { name, email, signingKey };
}
