interface Told {
  type: string;
  event: Readonly<Record<string, unknown>>;
  uiBaseURL: string;
  /** Decide the gate that the event tells of. */
  links?: { release: string; deny: string };
}

/** The message for an event whose router says none. */
export function defaultMessage({ type, event, uiBaseURL, links }: Told): string {
  const { message = "", actor, stageName, freight, name, promotionName } = event as Record<string, unknown>;
  const piece =
    (freight as Record<string, unknown> | undefined) ?? (type.startsWith("Freight") ? event : undefined);
  const promotion = promotionName ?? (type.startsWith("Promotion") ? name : undefined);
  const lines = [
    defaultSubject(type, event),
    message,
    promotion && `Promotion: ${promotion}`,
    piece && `Freight: ${piece.alias ? `${piece.alias} (${piece.name})` : piece.name}`,
    stageName && `Stage: ${stageName}`,
    actor && `By: ${actor}`,
    links && `Release: ${links.release}`,
    links && `Deny: ${links.deny}`,
    uiBaseURL,
  ];
  return lines.filter(Boolean).join("\n");
}

/** One line that tells what happened where. */
export function defaultSubject(type: string, event: Readonly<Record<string, unknown>>): string {
  const words = type.replace(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase();
  const { project, stageName } = event as Record<string, string | undefined>;
  const place = [project, stageName].filter(Boolean).join("/");
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${place ? `: ${place}` : ""}`;
}
