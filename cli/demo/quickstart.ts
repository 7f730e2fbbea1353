import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { packagePath } from "#core/package.ts";

/** The project of the quickstart pipeline. */
export const demoProject = "quickstart";

/** What the pipeline's files say, and what stands in its place on this machine. */
const written = { repositories: "file:///srv/git", environments: "http://127.0.0.1:8421" };

/** The files under `examples/quickstart` as one manifest, with this machine's addresses in them. */
export async function readQuickstart(repositories: string, environments: string): Promise<string> {
  const folder = packagePath("examples", "quickstart");
  const files = (await readdir(folder)).filter((file) => file.endsWith(".yaml"));
  // The project comes first: the others belong to it.
  files.sort((a, b) => Number(b === "project.yaml") - Number(a === "project.yaml") || a.localeCompare(b));
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
  return texts
    .join("\n---\n")
    .replaceAll(written.repositories, `file://${repositories}`)
    .replaceAll(written.environments, environments);
}
