import { tmpdir } from "node:os";
import { createAcrMachineProvider } from "#core/credentials/cloud/azure-container-registry.ts";
import {
  createEcrKeyProvider,
  createEcrMachineProvider,
} from "#core/credentials/cloud/elastic-container-registry.ts";
import {
  createGarKeyProvider,
  createGarMachineProvider,
} from "#core/credentials/cloud/google-artifact-registry.ts";
import { createDockerConfigProvider } from "#core/credentials/docker-config.ts";
import type { CredentialSettings } from "#core/credentials/from-store.ts";
import { createGitHubAppProvider } from "#core/credentials/github-app.ts";
import { builtinProviders, type CredentialProvider } from "#core/credentials/providers.ts";
import type { Environment } from "#core/environment.ts";
import { createExec } from "#core/exec.ts";
import { UserError } from "#core/failure.ts";
import { didYouMean } from "#core/nearest-name.ts";
import type { Fetch } from "#core/step.ts";

export interface ProviderSettings {
  fetch: Fetch;
  now(): Date;
  env: Environment;
}

/** What of the daemon's machine may serve as credentials, and what provides it. */
const hostProviders: Readonly<Record<string, (settings: ProviderSettings) => CredentialProvider>> = {
  aws: createEcrMachineProvider,
  gcp: createGarMachineProvider,
  azure: createAcrMachineProvider,
  docker: ({ env }) => createDockerConfigProvider({ env, exec: createExec({ cwd: tmpdir() }) }),
};

/**
 * All ways to come to credentials, as the operator set them: TOWPATH_HOST_CREDENTIALS names what of the
 * machine's own any project may use, ALLOW_CREDENTIALS_OVER_HTTP (Kargo's) whether plain HTTP will do. Throws
 * a UserError that names the one that cannot be read.
 */
export function credentialSettingsFrom(
  settings: ProviderSettings,
): Required<Pick<CredentialSettings, "allowHttp" | "providers">> {
  const { env } = settings;
  return {
    allowHttp: readSwitch(env, "ALLOW_CREDENTIALS_OVER_HTTP"),
    providers: [
      ...builtinProviders,
      createGitHubAppProvider(settings),
      createEcrKeyProvider(settings),
      createGarKeyProvider(settings),
      ...allowedOnHost(env).map((make) => make(settings)),
    ],
  };
}

function allowedOnHost({ TOWPATH_HOST_CREDENTIALS: text = "" }: Environment) {
  const names = text.split(",").map((name) => name.trim());
  return names.filter(Boolean).map((name) => {
    const make = Object.hasOwn(hostProviders, name) ? hostProviders[name] : undefined;
    if (make !== undefined) return make;
    const known = Object.keys(hostProviders);
    throw new UserError(
      `Cannot use TOWPATH_HOST_CREDENTIALS "${text}": "${name}" is none of ${known.join(", ")}` +
        didYouMean(name, known),
    );
  });
}

function readSwitch(env: Environment, name: string): boolean {
  const value = env[name] ?? "";
  if (/^(true|1)$/i.test(value)) return true;
  if (/^(false|0)?$/i.test(value)) return false;
  throw new UserError(`Cannot use ${name} "${value}": expected true or false`);
}
