import { z } from "zod";
import { ProjectName, ResourceName } from "#core/resources/names.ts";

const OwnerReference = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  name: z.string(),
  uid: z.string().default(""),
  controller: z.boolean().optional(),
  blockOwnerDeletion: z.boolean().optional(),
});

/** All that Kubernetes knows as metadata beside the name; what else a file carries is dropped. */
const metadataFields = {
  namespace: ProjectName.optional().describe("Project that the resource belongs to."),
  generateName: z.string().optional().describe("Start of a name that the daemon completes."),
  labels: z.record(z.string(), z.string()).optional().describe("Short values to find resources by."),
  annotations: z.record(z.string(), z.string()).optional().describe("Free values for people and tools."),
  uid: z.string().optional(),
  generation: z.int().optional(),
  resourceVersion: z.string().optional(),
  creationTimestamp: z.string().optional(),
  deletionTimestamp: z.string().optional(),
  deletionGracePeriodSeconds: z.int().optional(),
  finalizers: z.array(z.string()).optional(),
  ownerReferences: z.array(OwnerReference).optional(),
  managedFields: z.array(z.unknown()).optional(),
  selfLink: z.string().optional(),
};

/** Metadata of a resource that its author names. */
export const ObjectMeta = z.object({
  name: ResourceName.describe("Name, unique for the kind within its project."),
  ...metadataFields,
});

/** Metadata of a project or namespace, whose names follow a narrower rule. */
export const ProjectMeta = z.object({
  name: ProjectName.describe("Name of the project."),
  ...metadataFields,
});

/** Metadata of a resource that the daemon names when its author does not; the name is "" until then. */
export const GeneratedNameMeta = z.object({
  name: ResourceName.default("").describe("Name; left out, the daemon makes one."),
  ...metadataFields,
});

/** Names of the metadata fields, for "did you mean". */
export const metadataFieldNames: readonly string[] = Object.keys(ObjectMeta.shape);
