import type { AnalysisTemplate } from "#core/resources/analysis-template.ts";
import type { FieldError } from "#core/resources/field-error.ts";

/** Argo's rules for the metrics of a template or a run. */
export function metricErrors({ spec }: AnalysisTemplate): FieldError[] {
  const firstByName = new Map<string, number>();
  return (spec.metrics ?? []).flatMap(({ name, provider }, index) => {
    const path = ["spec", "metrics", index];
    const errors: FieldError[] = [];
    const given = Object.entries(provider).flatMap(([type, config]) => (config === undefined ? [] : [type]));
    if (given.length !== 1) {
      const found = given.length === 0 ? "none" : given.join(" and ");
      errors.push({
        path: [...path, "provider"],
        message: `a metric has exactly one provider; found ${found}`,
      });
    }
    const first = firstByName.get(name);
    if (first === undefined) firstByName.set(name, index);
    else
      errors.push({
        path: [...path, "name"],
        message: `the name "${name}" is taken by metric ${first + 1} already`,
      });
    return errors;
  });
}
