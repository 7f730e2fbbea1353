import type { LoadedResource } from "#core/resources/load.ts";
import type { Path } from "#core/resources/path.ts";

/** What a check has found out about one resource. */
export interface Finding {
  resource: LoadedResource;
  severity: "error" | "warning";
  path: Path;
  at?: "key" | "value";
  message: string;
}
