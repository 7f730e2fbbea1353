import { UserError } from "#core/failure.ts";
import { listItems } from "#core/resources/list-items.ts";
import type { Path } from "#core/resources/path.ts";
import { readYaml } from "#core/resources/yaml-document.ts";

/** A manifest as it came: nothing is known of it yet. */
export type Manifest = unknown;

/** A manifest, and the line of the body that it begins in, from 1. */
export interface PlacedManifest {
  manifest: Manifest;
  line: number;
}

/** Kinds that others lean on: they have to be created before and deleted after them. */
const foundations = ["Project", "CustomPromotionStep"];

/**
 * Splits a body of YAML documents, JSON objects or one JSON array into manifests, those apart that others
 * lean on. 400 when it cannot be read.
 */
export function splitManifests(body: string): { foundations: PlacedManifest[]; others: PlacedManifest[] } {
  const manifests = readYaml(body).flatMap((document) => {
    const { value, problems } = document;
    const error = problems.find(({ severity }) => severity === "error");
    if (error) {
      const { line, column } = error.at;
      throw new UserError(`error decoding manifest: line ${line}, column ${column}: ${error.message}`);
    }
    return valuesOf(value).flatMap(({ path, value: one }) =>
      listItems(one).map((item) => ({
        manifest: item.value,
        line: document.locate([...path, ...item.base]).line,
      })),
    );
  });
  if (manifests.length === 0) throw new UserError("no resources found in request body");
  return {
    foundations: foundations.flatMap((kind) => manifests.filter(({ manifest }) => kindOf(manifest) === kind)),
    others: manifests.filter(({ manifest }) => !foundations.includes(kindOf(manifest))),
  };
}

/** The document itself, or the members of a JSON array. */
function valuesOf(value: unknown): { path: Path; value: unknown }[] {
  if (!Array.isArray(value)) return value === undefined || value === null ? [] : [{ path: [], value }];
  return value.map((one, index) => ({ path: [index], value: one }));
}

/** What a manifest says it is, for messages about it. */
export function kindOf(manifest: Manifest): string {
  const { kind } = Object(manifest) as { kind?: unknown };
  return typeof kind === "string" ? kind : "resource";
}
