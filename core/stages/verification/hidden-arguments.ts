import type { Masker } from "#core/credentials/masker.ts";
import type { AnalysisRun } from "#core/resources/analysis-run.ts";
import type { Resource, ResourceRef } from "#core/resources/resource.ts";
import type { Store, Write } from "#core/store/store.ts";

/**
 * The writes that bring a run into being. Arguments with a secret in their values go into a Secret of the
 * run's own, which is encrypted at rest as all are, and the run refers to it.
 */
export function creationOf(run: AnalysisRun, masker: Pick<Masker, "mask">): Write[] {
  const hidden = (run.spec.args ?? []).flatMap(({ name, value }) =>
    value === undefined || masker.mask(value) === value ? [] : [[name, value] as const],
  );
  if (hidden.length === 0) return [{ op: "create", resource: run as Resource }];
  const { name, project } = secretOf(run);
  const names = new Set(hidden.map(([argument]) => argument));
  const args = run.spec.args?.map((argument) =>
    names.has(argument.name)
      ? { name: argument.name, valueFrom: { secretKeyRef: { name, key: argument.name } } }
      : argument,
  );
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace: project },
    stringData: Object.fromEntries(hidden),
  };
  return [
    { op: "create", resource: secret },
    { op: "create", resource: { ...run, spec: { ...run.spec, args } } as Resource },
  ];
}

/** The writes that clear away what only a run that is over, or deleted, needed. */
export async function clearedAway(store: Store, run: Pick<AnalysisRun, "metadata">): Promise<Write[]> {
  const ref = secretOf(run);
  return (await store.get(ref)) === undefined ? [] : [{ op: "delete", ref }];
}

function secretOf({ metadata }: Pick<AnalysisRun, "metadata">): ResourceRef {
  return { kind: "Secret", project: metadata.namespace, name: `${metadata.name}.arguments` };
}
