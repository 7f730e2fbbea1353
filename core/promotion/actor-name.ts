/** Actors carry what they are known by in front of their name: `email:jo@example.com`. "" when nobody is known. */
export function actorName(actor: string | undefined): string {
  if (actor === undefined) return "";
  const colon = actor.indexOf(":");
  if (colon >= 0) return actor.slice(colon + 1);
  return actor === "unknown actor" ? "" : actor;
}
