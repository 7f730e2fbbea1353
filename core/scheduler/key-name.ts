import type { ResourceRef } from "#core/resources/resource.ts";

/** A text that is the same for equal references and for no others. Names have no slash in them. */
export function keyName({ kind, project = "", name }: ResourceRef): string {
  return `${kind}/${project}/${name}`;
}
