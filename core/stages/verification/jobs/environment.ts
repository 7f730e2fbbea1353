import type { Masker } from "#core/credentials/masker.ts";
import { secretValues } from "#core/credentials/secret-values.ts";
import type { EnvVar, JobContainer } from "#core/metrics/job-spec.ts";
import type { ResourceRef } from "#core/resources/resource.ts";
import type { Store } from "#core/store/store.ts";

interface Sources {
  store: Pick<Store, "get">;
  masker: Pick<Masker, "add">;
}

/** A container's environment, with what Secrets and ConfigMaps of the run's project give it. */
export async function environmentOf(
  sources: Sources,
  run: ResourceRef & { uid: string },
  { env = [], envFrom = [] }: JobContainer,
): Promise<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const { prefix = "", secretRef, configMapRef } of envFrom) {
    const [kind, ref] = secretRef === undefined ? ["ConfigMap", configMapRef] : ["Secret", secretRef];
    if (ref === undefined) continue;
    for (const [name, value] of Object.entries(await valuesOf(sources, run, kind as Source, ref))) {
      values[prefix + name] = value;
    }
  }
  for (const variable of env) {
    const value = await variableValue(sources, run, variable);
    if (value !== undefined) values[variable.name] = expand(value, values);
  }
  return values;
}

/** Kubernetes' `$(NAME)`; what is not known stays as it is, and `$$` stands for `$`. */
export function expand(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$|\$\(([A-Za-z_][\w.-]*)\)/g, (whole, name?: string) =>
    name === undefined ? "$" : Object.hasOwn(values, name) ? (values[name] as string) : whole,
  );
}

type Source = "Secret" | "ConfigMap";

async function variableValue(
  sources: Sources,
  run: ResourceRef & { uid: string },
  { name, value, valueFrom }: EnvVar,
): Promise<string | undefined> {
  const { secretKeyRef, configMapKeyRef, fieldRef } = valueFrom ?? {};
  if (fieldRef !== undefined) return fieldOf(run, fieldRef.fieldPath, name);
  const ref = secretKeyRef ?? configMapKeyRef;
  if (ref === undefined) return value ?? "";
  const kind = secretKeyRef === undefined ? "ConfigMap" : "Secret";
  const found = (await valuesOf(sources, run, kind, { ...ref, optional: true }))[ref.key];
  if (found === undefined && !ref.optional) {
    throw new Error(`Cannot run the job: variable "${name}": ${kind} "${ref.name}" has no key "${ref.key}"`);
  }
  return found;
}

async function valuesOf(
  { store, masker }: Sources,
  { project }: ResourceRef,
  kind: Source,
  { name, optional = false }: { name: string; optional?: boolean },
): Promise<Record<string, string>> {
  const found = await store.get({ kind, project, name });
  if (found === undefined && !optional) throw new Error(`Cannot run the job: there is no ${kind} "${name}"`);
  if (found === undefined) return {};
  if (kind === "ConfigMap") return { ...(found as { data?: Record<string, string> }).data };
  const values = secretValues(found);
  for (const value of Object.values(values)) masker.add(value);
  return values;
}

function fieldOf(
  { project = "", name, uid }: ResourceRef & { uid: string },
  path: string,
  variable: string,
): string {
  const fields: Record<string, string> = {
    "metadata.name": name,
    "metadata.namespace": project,
    "metadata.uid": uid,
  };
  const found = fields[path];
  if (found !== undefined) return found;
  const known = Object.keys(fields).join(", ");
  throw new Error(
    `Cannot run the job: variable "${variable}": there is no field "${path}"; there are ${known}`,
  );
}
