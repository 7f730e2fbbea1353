import { Ajv2020 } from "ajv/dist/2020.js";
import { parseHostList } from "#core/egress/host-list.ts";
import type { Finding } from "#core/resources/checks/finding.ts";
import type { World } from "#core/resources/checks/world.ts";
import type { CustomPromotionStep } from "#core/resources/custom-promotion-step.ts";
import type { LoadedResource } from "#core/resources/load.ts";

/** What is wrong with the definition of a step beyond its schema. */
export function checkCustomStep(resource: LoadedResource, world: World): Finding[] {
  if (resource.resource.kind !== "CustomPromotionStep") return [];
  const { metadata, spec } = resource.resource as unknown as CustomPromotionStep;
  const findings: Finding[] = [];
  if (world.steps.has(metadata.name)) {
    const message = `"${metadata.name}" is a step of Towpath's own; a CustomPromotionStep cannot take its name`;
    findings.push({ resource, severity: "error", path: ["metadata", "name"], message });
  }
  const { source } = spec.output ?? {};
  if (source?.type === "File" && !source.path) {
    const message = 'an output of the type File needs "path"';
    findings.push({ resource, severity: "error", path: ["spec", "output", "source"], message });
  }
  const message = hostsProblem(spec.network);
  if (message) findings.push({ resource, severity: "error", path: ["spec", "network", "allow"], message });
  for (const field of ["configSchema", "outputSchema"] as const) {
    const message = schemaProblem(spec[field]);
    if (message) findings.push({ resource, severity: "error", path: ["spec", field], message });
  }
  return findings;
}

function hostsProblem({
  mode = "none",
  allow = [],
}: {
  mode?: string;
  allow?: string[];
} = {}): string | undefined {
  if (allow.length > 0 && mode !== "none") return `single hosts cannot be opened on network "${mode}"`;
  try {
    parseHostList(allow);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function schemaProblem(schema: object | undefined): string | undefined {
  if (schema === undefined) return undefined;
  try {
    new Ajv2020({ strict: false, validateFormats: false }).compile(schema);
    return undefined;
  } catch (error) {
    return `cannot read the JSON Schema: ${error instanceof Error ? error.message : String(error)}`;
  }
}
