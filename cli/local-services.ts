import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findArgoConnection } from "#core/argocd/from-store.ts";
import { createCipher, keyLength } from "#core/credentials/cipher.ts";
import { credentialSettingsFrom } from "#core/credentials/configured-providers.ts";
import { credentialsFromStore } from "#core/credentials/from-store.ts";
import { createMasker, type Masker } from "#core/credentials/masker.ts";
import { confidentialValues } from "#core/credentials/secret-values.ts";
import { createFetch } from "#core/egress/fetch.ts";
import { createEgressPolicy } from "#core/egress/policy.ts";
import { createExpressions, type Expressions } from "#core/expressions/expressions.ts";
import { configuredGitUser } from "#core/git/configured-user.ts";
import { createKeyedLock } from "#core/keyed-lock.ts";
import { maxOciPushBytesFrom } from "#core/oci/push-limit.ts";
import { type EngineServices, engineSettingsFrom } from "#core/promotion/engine.ts";
import { createStepFunctions } from "#core/promotion/functions.ts";
import { openStepLog } from "#core/promotion/step-log.ts";
import type { Resource } from "#core/resources/resource.ts";
import type { StepDefinition } from "#core/step.ts";
import { openSqliteStore } from "#core/store/sqlite.ts";
import type { Store } from "#core/store/store.ts";
import { allowancesFrom } from "#runners/container/allowances.ts";
import { customStepKinds } from "#runners/container/custom-step-kinds.ts";
import { connectEngine } from "#runners/container/engine.ts";
import { createImages } from "#runners/container/images.ts";
import { createInlineContainerRunner } from "#runners/container/inline-container.ts";
import { createContainerPool } from "#runners/container/pool.ts";
import { createPullCredentials } from "#runners/container/pull-credentials.ts";
import { createInProcessRunner } from "#runners/in-process.ts";
import { createScriptRunner } from "#runners/script/script-runner.ts";
import { scriptSettingsFrom } from "#runners/script/script-settings.ts";
import { builtinStepKinds, combineStepKinds } from "#runners/step-kinds.ts";
import container from "#steps/container.ts";
import { builtinSteps } from "#steps/index.ts";
import script from "#steps/script.ts";

/** What commands without a daemon share, however much they run. */
export interface LocalTools {
  expressions: Expressions;
  /** Opens a world of its own: a store in memory that holds the resources and nothing else. */
  openWorld(resources: readonly Resource[]): Promise<LocalWorld>;
  close(): Promise<void>;
}

export interface LocalWorld extends EngineServices {
  store: Store;
  masker: Masker;
  close(): Promise<void>;
}

export interface LocalSettings {
  /** That there are in the process itself; Towpath's own without it. */
  steps?: readonly StepDefinition[];
  /** Loopback and private addresses that steps may reach: HOST or HOST:PORT. */
  allowNet: readonly string[];
}

/** The daemon's own parts, put together without a daemon. Nothing of it stays on disk. */
export async function openLocalTools({ allowNet, steps = builtinSteps }: LocalSettings): Promise<LocalTools> {
  const policy = createEgressPolicy({ allow: allowNet });
  const expressions = await createExpressions();
  const folder = await mkdtemp(join(tmpdir(), "towpath-local-"));
  const lock = createKeyedLock();
  const docker = connectEngine();
  const images = createImages(docker);
  const pool = createContainerPool(docker);
  const allowed = allowancesFrom(process.env);
  const maxOciPushBytes = maxOciPushBytesFrom(process.env);
  const scripts = scriptSettingsFrom(process.env);
  const now = () => new Date();
  const credentials = credentialSettingsFrom({ fetch: createFetch({ policy }), now, env: process.env });

  async function openWorld(resources: readonly Resource[]): Promise<LocalWorld> {
    const store = await openSqliteStore({ file: ":memory:", cipher: createCipher(randomBytes(keyLength)) });
    const masker = createMasker();
    for (const resource of resources) {
      if (resource.kind !== "Secret") continue;
      for (const value of confidentialValues(resource)) masker.add(value);
    }
    await store.write(resources.map((resource) => ({ op: "create", resource })));
    const credentialsFor = (project: string) => credentialsFromStore(store, project, masker, credentials);
    const runner = createInProcessRunner(steps, {
      store,
      credentialsFor,
      fetchWith: (signal) => createFetch({ policy, signal }),
      lock,
      cacheFolder: join(folder, "cache"),
      gitUser: () => configuredGitUser(store, masker),
      argocdFor: (project, stage) => findArgoConnection(store, masker, project, stage),
      maxOciPushBytes,
      now,
    });
    const containers = {
      docker,
      images,
      pool,
      expressions,
      pullCredentials: createPullCredentials(store, masker, credentialsFor),
      outputRoot: join(folder, "outputs"),
      cacheRoot: join(folder, "cache", "containers"),
      allowed,
      egress: policy,
    };
    return {
      store,
      masker,
      expressions,
      kinds: combineStepKinds(
        builtinStepKinds([container], createInlineContainerRunner(containers)),
        builtinStepKinds([script], createScriptRunner({ ...containers, settings: scripts, egress: policy })),
        builtinStepKinds(steps, runner),
        customStepKinds(store, containers),
      ),
      functionsFor: createStepFunctions(store, masker),
      openLog: (key) => openStepLog(key, { store, masker, now, onError: () => undefined }),
      now,
      settings: engineSettingsFrom({}),
      close: () => store.close(),
    };
  }

  return {
    expressions,
    openWorld,
    async close() {
      await pool.close();
      expressions.dispose();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
