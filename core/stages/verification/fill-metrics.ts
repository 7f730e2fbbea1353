import type { Masker } from "#core/credentials/masker.ts";
import { secretValues } from "#core/credentials/secret-values.ts";
import type { AnalysisRun } from "#core/resources/analysis-run.ts";
import type { AnalysisArgument, Metric } from "#core/resources/analysis-template.ts";
import type { Store } from "#core/store/store.ts";

/**
 * A run's metrics with the values of its arguments in the place of `{{args.<name>}}`. Secrets' values are
 * read each time and stored nowhere. Throws when an argument has no value or a metric names an unknown one.
 */
export async function fillMetrics(
  { store, masker }: { store: Store; masker: Pick<Masker, "add"> },
  run: AnalysisRun,
): Promise<Metric[]> {
  const values = new Map<string, string>();
  for (const argument of run.spec.args ?? []) {
    values.set(`args.${argument.name}`, await argumentValue(store, masker, run, argument));
  }
  return run.spec.metrics.map((metric) => fill(metric, values) as Metric);
}

async function argumentValue(
  store: Store,
  masker: Pick<Masker, "add">,
  { metadata }: AnalysisRun,
  { name, value, valueFrom }: AnalysisArgument,
): Promise<string> {
  if (value !== undefined) return value;
  const { secretKeyRef, fieldRef } = valueFrom ?? {};
  if (secretKeyRef !== undefined) {
    const secret = await store.get({ kind: "Secret", project: metadata.namespace, name: secretKeyRef.name });
    const found = secret === undefined ? undefined : secretValues(secret)[secretKeyRef.key];
    if (found === undefined) {
      throw new Error(`argument "${name}": Secret "${secretKeyRef.name}" has no key "${secretKeyRef.key}"`);
    }
    masker.add(found);
    return found;
  }
  if (fieldRef !== undefined) return fieldOf(metadata, fieldRef.fieldPath, name);
  throw new Error(`argument "${name}" has no value`);
}

function fieldOf(metadata: AnalysisRun["metadata"], path: string, argument: string): string {
  const [, field, key] = /^metadata\.(\w+)(?:\['([^']+)'\])?$/.exec(path) ?? [];
  const value: unknown =
    field === undefined ? undefined : Object.entries(metadata).find(([name]) => name === field)?.[1];
  const found = key === undefined ? value : (value as Record<string, unknown> | undefined)?.[key];
  if (typeof found === "string") return found;
  throw new Error(`argument "${argument}": the run has no field "${path}"`);
}

function fill(value: unknown, values: ReadonlyMap<string, string>): unknown {
  if (typeof value === "string") {
    return value.replace(/\{\{\s*([^{}]*?)\s*\}\}/g, (_, name: string) => {
      const found = values.get(name);
      if (found === undefined)
        throw new Error(`Unable to resolve metric arguments: failed to resolve {{${name}}}`);
      return found;
    });
  }
  if (Array.isArray(value)) return value.map((item) => fill(item, values));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, fill(field, values)]));
}
