import { parse } from "yaml";
import { StepFailure } from "#core/failure.ts";

/** What file names are made of. */
export interface ManifestNames {
  apiVersion: string;
  kind: string;
  namespace: string;
  name: string;
}

/** True for a path that stands for a file and not for a folder of files. */
export function isManifestFile(outPath: string): boolean {
  return /\.ya?ml$/.test(outPath);
}

/**
 * The documents of a text, parted as Kubernetes' reader does it: a line of dashes at the very beginning, or
 * right behind another, stays with the document that follows.
 */
export function splitManifests(text: string): string[] {
  const documents: string[] = [];
  let lines: string[] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("---")) {
      const rest = line.slice(3).trim();
      if (rest !== "" && !rest.startsWith("#")) {
        throw new StepFailure(
          "errored",
          `A rendered manifest has a line that is no separator: "${line.slice(0, 80)}"`,
        );
      }
      if (lines.length > 0) {
        documents.push(lines.join("\n"));
        lines = [];
        continue;
      }
    }
    lines.push(line);
  }
  documents.push(lines.join("\n"));
  return documents.map((document) => document.trim()).filter((document) => document !== "");
}

/** The manifest as data; undefined when it is none. */
export function readManifest(document: string): Record<string, unknown> | undefined {
  try {
    const read: unknown = parse(document, { version: "1.1", uniqueKeys: false, logLevel: "silent" });
    return typeof read === "object" && read !== null ? (read as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined where one of the names is no text. */
export function namesOf(manifest: Record<string, unknown> | undefined): ManifestNames | undefined {
  const metadata = manifest?.metadata ?? {};
  if (manifest === undefined || typeof metadata !== "object") return undefined;
  const { name, namespace } = metadata as Record<string, unknown>;
  const { apiVersion, kind } = manifest;
  const names = { apiVersion, kind, namespace, name };
  for (const value of Object.values(names)) {
    if (value !== undefined && value !== null && typeof value !== "string") return undefined;
  }
  return {
    apiVersion: String(apiVersion ?? ""),
    kind: String(kind ?? ""),
    namespace: String(namespace ?? ""),
    name: String(name ?? ""),
  };
}

/** A name made of what a manifest says of itself must not lead anywhere else. */
export function checkedFileName(fileName: string): string {
  if (fileName !== "" && fileName !== "." && fileName !== ".." && !/[/\\\0]/.test(fileName)) return fileName;
  throw new StepFailure(
    "errored",
    `Cannot write a rendered manifest: unsafe generated resource filename ${JSON.stringify(fileName)}`,
  );
}
