import type { Path } from "#core/resources/path.ts";

/** A rule that a resource breaks beyond its schema, and the field that breaks it. */
export interface FieldError {
  path: Path;
  message: string;
}
