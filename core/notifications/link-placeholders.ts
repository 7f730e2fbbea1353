import type { Masker } from "#core/credentials/masker.ts";
import { type GateLinks, linksForMessage } from "#core/promotion/gate-links.ts";
import type { GateResource } from "#core/promotion/gate-resource.ts";
import type { Resource } from "#core/resources/resource.ts";

/** Stand in messages that wait, where links are to stand: whoever holds a link decides, so none is stored. */
const places = { release: "towpath-link://release", deny: "towpath-link://deny" } as const;

/** Where a gate lets links be told, the places for them. */
export function linkPlaceholders(gate: Resource): { release: string; deny: string } | undefined {
  const { links, asks } = (gate as GateResource).spec;
  return links === undefined || asks?.kind === "input" ? undefined : places;
}

/** The text with the links in their places. Of a gate that is gone nothing can be linked to. */
export function withLinks(
  text: string,
  gate: Resource | undefined,
  links: GateLinks | undefined,
  masker: Pick<Masker, "add">,
): string {
  if (!text.includes("towpath-link://")) return text;
  const pair = gate && links ? linksForMessage(links, gate as GateResource) : undefined;
  return (["release", "deny"] as const).reduce((filled, decision) => {
    const url = pair?.[decision];
    if (url !== undefined) masker.add(url.slice(url.lastIndexOf("/") + 1));
    return filled.replaceAll(places[decision], url ?? "(no longer asked)");
  }, text);
}
