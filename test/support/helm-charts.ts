import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { DockerRegistry } from "#test/support/docker-registry.ts";
import { temporaryFolder } from "#test/support/step-context.ts";

/** Files of a small chart, by path, under `folder`. */
export function chartFiles(folder: string, name: string, version: string): Record<string, string> {
  return {
    [`${folder}/Chart.yaml`]: `apiVersion: v2\nname: ${name}\nversion: ${version}\n`,
    [`${folder}/values.yaml`]: "key: default\n",
    [`${folder}/templates/config.yaml`]: [
      "apiVersion: v1",
      "kind: ConfigMap",
      "metadata:",
      "  name: {{ .Release.Name }}-{{ .Chart.Name }}",
      "data:",
      "  value: {{ .Values.key | quote }}",
      "  version: {{ .Chart.Version }}",
      "",
    ].join("\n"),
  };
}

/** A packed chart. */
export async function packChart(name: string, version: string): Promise<Buffer> {
  const folder = temporaryFolder();
  for (const [file, text] of Object.entries(chartFiles(name, name, version))) {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await writeFile(path.join(folder, file), text);
  }
  const env = { ...process.env, HOME: folder, HELM_PLUGINS: folder };
  execFileSync("helm", ["package", name, "--destination", folder], { cwd: folder, env, stdio: "ignore" });
  return readFileSync(path.join(folder, `${name}-${version}.tgz`));
}

/** The index of a repository as helm writes it; addresses are relative unless `urls` says otherwise. */
export function chartIndex(charts: readonly { name: string; version: string; url?: string }[]): string {
  const byName = Map.groupBy(charts, ({ name }) => name);
  const entries = [...byName].map(([chart, all]) => {
    const items = all.map(({ name, version, url = `${name}-${version}.tgz` }) =>
      [
        "  - apiVersion: v2",
        `    name: ${name}`,
        "    urls:",
        `    - ${url}`,
        `    version: ${version}`,
      ].join("\n"),
    );
    return `  ${chart}:\n${items.join("\n")}\n`;
  });
  return `apiVersion: v1\nentries:\n${entries.join("")}generated: "2030-01-01T00:00:00Z"\n`;
}

/** Pushes a packed chart as helm does. */
export async function pushChart(
  registry: DockerRegistry,
  repository: string,
  version: string,
  archive: Buffer,
): Promise<void> {
  const name = path.posix.basename(repository);
  const config = JSON.stringify({ apiVersion: "v2", name, version });
  await registry.pushManifest(repository, version, {
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: await registry.pushBlob(repository, config, "application/vnd.cncf.helm.config.v1+json"),
    layers: [
      await registry.pushBlob(repository, archive, "application/vnd.cncf.helm.chart.content.v1.tar+gzip"),
    ],
  });
}
