import { type CliIO, print } from "#cli/io.ts";
import { version } from "#core/package.ts";

/** `towpath version` */
export function printVersion(io: CliIO): void {
  print(io, `towpath ${version} (Node ${process.versions.node})`);
}
