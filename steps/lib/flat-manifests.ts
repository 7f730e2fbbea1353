import { checkedFileName, namesOf, readManifest, splitManifests } from "./rendered-manifests.ts";

/** A file for each of the resources that helm rendered. Of several with one name the last one counts. */
export function flatManifests(rendered: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const document of splitManifests(rendered)) {
    const manifest = readManifest(document);
    const text = isHook(manifest) ? document.replace(/^(?:---\n)?# Source: .*\n/, "") : document;
    files.set(checkedFileName(flatName(manifest)), text);
  }
  return files;
}

/** Helm writes where a hook comes from; Kargo leaves that out. */
function isHook(manifest: Record<string, unknown> | undefined): boolean {
  const metadata = manifest?.metadata as { annotations?: Record<string, unknown> | null } | null | undefined;
  return metadata?.annotations?.["helm.sh/hook"] !== undefined;
}

function flatName(manifest: Record<string, unknown> | undefined): string {
  const names = namesOf(manifest);
  // All that has no name shares one, as in Kargo.
  if (names === undefined || names.kind === "" || names.name === "") return "resource-0.yaml";
  const { apiVersion, kind, namespace, name } = names;
  const group = apiVersion.split("/").slice(0, -1).join("/").replaceAll(".", "_");
  const parts = [group, kind, namespace, name].filter((part) => part !== "");
  return `${parts.join("-").toLowerCase()}.yaml`;
}
