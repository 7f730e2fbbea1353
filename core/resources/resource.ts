/** Metadata that every resource carries, named as Kubernetes names it. Times are RFC 3339, in UTC. */
export interface ObjectMeta {
  name: string;
  /** The project; absent on resources that belong to no project. */
  namespace?: string;
  uid?: string;
  /** Counts changes of the resource other than to its status. */
  generation?: number;
  /** Changes with every write. An opaque string: compare it, never order by it. */
  resourceVersion?: string;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** Any resource. Most keep what is wanted in `spec`; Freight, Secret and ConfigMap keep it at the top. */
export interface Resource {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  spec?: unknown;
  status?: unknown;
}

/** Names one resource. `project` is absent for resources that belong to no project. */
export interface ResourceRef {
  kind: string;
  project?: string;
  name: string;
}

/** The reference that names a resource. */
export function refOf(resource: Resource): ResourceRef {
  const { namespace, name } = resource.metadata;
  return namespace === undefined
    ? { kind: resource.kind, name }
    : { kind: resource.kind, project: namespace, name };
}

/** A reference as people read it: `Stage "shop/test"`. */
export function formatRef({ kind, project, name }: ResourceRef): string {
  return `${kind} "${project === undefined ? name : `${project}/${name}`}"`;
}
