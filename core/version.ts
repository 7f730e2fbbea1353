import { readFileSync } from "node:fs";

/** The version of this package, from its package.json: beside the sources, or above the built JavaScript. */
export const version = readVersion();

function readVersion(): string {
  for (const place of ["../package.json", "../../package.json"]) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(place, import.meta.url), "utf8"));
      if (name === "towpath") return version;
    } catch {
      // Not in this layout: look one level higher.
    }
  }
  return "unknown";
}
