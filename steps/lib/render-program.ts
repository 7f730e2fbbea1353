import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { StepFailure } from "#core/failure.ts";
import type { Exec, StepContext } from "#core/step.ts";

/** A folder that nobody else can read, which is gone after the work, and programs that keep to it. */
export interface RenderPlace {
  folder: string;
  /** Runs helm or kustomize with this folder as its home. Neither finds plugins, settings or a way to the network. */
  run: Exec;
}

/** Nothing listens there. Programs ask it for all but this machine, so that they reach no other. */
const deadProxy = "http://127.0.0.1:9";

const hints: Record<string, string> = {
  helm: "Helm 3 (https://helm.sh/docs/intro/install)",
  kustomize: "Kustomize 5 (https://kubectl.docs.kubernetes.io/installation/kustomize)",
};

export async function withRenderPlace<T>(
  ctx: StepContext,
  work: (place: RenderPlace) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), "towpath-render-"));
  try {
    const env = environmentIn(folder);
    return await work({
      folder,
      run: async (program, args, options = {}) => {
        try {
          return await ctx.exec(program, args, { ...options, env: { ...env, ...options.env } });
        } catch (error) {
          throw explained(program, error, [folder, ctx.workspace.root]);
        }
      },
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function environmentIn(folder: string): Record<string, string> {
  return {
    HOME: folder,
    TMPDIR: folder,
    HELM_CACHE_HOME: path.join(folder, "cache"),
    HELM_CONFIG_HOME: path.join(folder, "config"),
    HELM_DATA_HOME: path.join(folder, "data"),
    // A kustomization may say where helm's data is, but not where its plugins are.
    HELM_PLUGINS: path.join(folder, "no-plugins"),
    KUBECONFIG: "/dev/null",
    HTTP_PROXY: deadProxy,
    HTTPS_PROXY: deadProxy,
    http_proxy: deadProxy,
    https_proxy: deadProxy,
    GIT_ALLOW_PROTOCOL: "none",
    GIT_CONFIG_NOSYSTEM: "1",
  };
}

/** Says what to install where a program is missing, and leaves out where files lie on this machine. */
function explained(program: string, error: unknown, folders: readonly string[]): unknown {
  if (!(error instanceof StepFailure)) return error;
  let message = error.message;
  for (const folder of folders) message = message.replaceAll(`${folder}/`, "").replaceAll(folder, ".");
  if (message.includes(`program "${program}"`)) {
    message = `Cannot run "${program}": it is not installed where the daemon runs; install ${hints[program]}`;
  }
  return new StepFailure(error.kind, message, { cause: error });
}
