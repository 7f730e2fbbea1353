import type { ImageInspectInfo } from "dockerode";
import { toStepFailure, UserError } from "#core/failure.ts";
import type { CustomPromotionStep } from "#core/resources/custom-promotion-step.ts";
import {
  readStepDescription,
  type StepDescription,
  stepLabel,
  toCustomStep,
} from "#core/resources/step-description.ts";
import type { ContainerServices } from "#runners/container/container-services.ts";
import { schemaProblems } from "#runners/container/json-schema.ts";
import { ensureImage } from "#runners/container/placing.ts";

export interface StepImageRequest {
  image: string;
  /** Whose Secrets and credentials are asked; only those that all projects share when absent. */
  project?: string;
  pullSecrets?: readonly string[];
}

/**
 * The step that an image describes, pinned by the image's digest: whoever moves the tag later moves nothing here.
 * An image that no registry has is pinned by its id. Throws a UserError.
 */
export async function describeStepImage(
  services: Pick<ContainerServices, "images" | "pullCredentials">,
  { image, project = "", pullSecrets = [] }: StepImageRequest,
): Promise<CustomPromotionStep> {
  const found = await look(services, { image, project, pullSecrets });
  const description = readStepDescription(image, found.Config.Labels?.[stepLabel]);
  refuseBrokenSchemas(image, description);
  return toCustomStep(description, pinned(image, found), pullSecrets);
}

async function look(
  services: Pick<ContainerServices, "images" | "pullCredentials">,
  { image, project, pullSecrets }: Required<StepImageRequest>,
): Promise<ImageInspectInfo> {
  try {
    await ensureImage(services, { image, platform: undefined, pullSecrets }, project, () => undefined);
    return await services.images.inspect(image);
  } catch (error) {
    throw new UserError(toStepFailure(error).message, { cause: error });
  }
}

function refuseBrokenSchemas(image: string, description: StepDescription): void {
  const { configSchema, outputSchema, examples = [] } = description;
  const problems: string[] = [];
  for (const [field, schema] of Object.entries({ configSchema, outputSchema })) {
    try {
      if (schema) schemaProblems(schema, {});
    } catch (error) {
      problems.push(`${field}: ${toStepFailure(error).message}`);
    }
  }
  if (configSchema && problems.length === 0) {
    for (const { title, config } of examples) {
      // What an expression turns into is not known here.
      if (JSON.stringify(config).includes("${{")) continue;
      problems.push(...schemaProblems(configSchema, config).map((text) => `example "${title}": ${text}`));
    }
  }
  if (problems.length === 0) return;
  throw new UserError(`Cannot use image "${image}" as a step: ${problems.join("; ")}`);
}

function pinned(image: string, { Id, RepoDigests = [] }: ImageInspectInfo): string {
  if (image.includes("@")) return image;
  const repository = image.replace(/:[^/:]+$/, "");
  const own = RepoDigests.find((digest) => fullName(digest.split("@")[0] ?? "") === fullName(repository));
  return own === undefined ? Id : `${repository}@${own.split("@")[1]}`;
}

/** A repository as Docker itself would write it out. */
function fullName(repository: string): string {
  return repository.replace(/^(docker\.io|index\.docker\.io)\//, "").replace(/^library\//, "");
}
