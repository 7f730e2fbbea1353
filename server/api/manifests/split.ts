import { UserError } from "#core/failure.ts";
import { listItems } from "#core/resources/list-items.ts";
import { readYaml } from "#core/resources/yaml-document.ts";

/** A manifest as it came: nothing is known of it yet. */
export type Manifest = unknown;

/** Kinds that others lean on: they have to be created before and deleted after them. */
const foundations = ["Project", "CustomPromotionStep"];

/**
 * Splits a body of YAML documents, JSON objects or one JSON array into manifests, those apart that others
 * lean on. 400 when it cannot be read.
 */
export function splitManifests(body: string): { foundations: Manifest[]; others: Manifest[] } {
  const manifests = readYaml(body).flatMap(({ value, problems }) => {
    const error = problems.find(({ severity }) => severity === "error");
    if (error) {
      const { line, column } = error.at;
      throw new UserError(`error decoding manifest: line ${line}, column ${column}: ${error.message}`);
    }
    const values = Array.isArray(value) ? value : [value ?? []].flat();
    return values.flatMap((one) => listItems(one).map((item) => item.value));
  });
  if (manifests.length === 0) throw new UserError("no resources found in request body");
  return {
    foundations: foundations.flatMap((kind) => manifests.filter((manifest) => kindOf(manifest) === kind)),
    others: manifests.filter((manifest) => !foundations.includes(kindOf(manifest))),
  };
}

/** What a manifest says it is, for messages about it. */
export function kindOf(manifest: Manifest): string {
  const { kind } = Object(manifest) as { kind?: unknown };
  return typeof kind === "string" ? kind : "resource";
}
