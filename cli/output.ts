import { stringify } from "yaml";
import type { Resource } from "#core/resources/resource.ts";

export const outputFormats = ["table", "json", "yaml", "name"] as const;
export type OutputFormat = (typeof outputFormats)[number];

/** Resources as `-o` asks for them; one alone is printed as itself, several as a List. */
export function formatResources(
  resources: readonly Resource[],
  format: OutputFormat,
  table: (resources: readonly Resource[]) => string,
): string {
  switch (format) {
    case "table":
      return table(resources);
    case "name":
      return resources.map(({ kind, metadata }) => `${kind.toLowerCase()}/${metadata.name}`).join("\n");
    case "json":
      return JSON.stringify(resources.length === 1 ? resources[0] : asList(resources), null, 2);
    case "yaml":
      return stringify(resources.length === 1 ? resources[0] : asList(resources), {
        aliasDuplicateObjects: false,
      }).trimEnd();
    default:
      return format satisfies never;
  }
}

function asList(items: readonly Resource[]) {
  return { apiVersion: "v1", kind: "List", items };
}
