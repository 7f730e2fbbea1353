import { createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import type { Masker } from "#core/credentials/masker.ts";
import { UserError } from "#core/failure.ts";
import type { GateLinkPair, GateLinkRequest } from "#core/gate.ts";
import type { GateResource } from "#core/promotion/gate-resource.ts";
import type { Responder } from "#core/promotion/gate-responses.ts";

/**
 * One decision about one gate, as a signed link names it. The promotion's uid and the step tell the gate: a
 * promotion has one for each of its steps, and no other promotion ever has that uid.
 */
export interface GateLink {
  /** Tells the link from others; it stands in the record of what was answered through it. */
  id: string;
  project: string;
  promotion: string;
  promotionUid: string;
  step: string;
  decision: "release" | "deny";
  expiresAt: Date;
  /**
   * Whose right it carries. Whoever opens the link answers as this one: a gate that does not ask them refuses
   * it, and their voice counts once, however many links they had made.
   */
  holder: Responder;
  /** Of the API token by which it was made, with whose end its right ends. */
  tokenUid?: string;
  /** Whom it was made for; recorded, and worth nothing else. */
  madeFor?: string;
}

export interface GateLinks {
  /** The link's address. Without an id it gets one that nobody can guess. */
  mint(link: Omit<GateLink, "id"> & { id?: string }): { url: string; id: string };
  /** What the token of a link says. Throws a UserError when it is forged or has expired. */
  read(token: string): GateLink;
}

/** Where links lead: this and a token behind it. */
export const gateLinkFolder = "/gate-link";
/** Longest time that a link may be good for. */
export const maxLinkMilliseconds = 30 * 24 * 60 * 60_000;

/** Short names: links are pasted into chats and mails. */
const Claims = z.object({
  i: z.string(),
  p: z.string(),
  n: z.string(),
  u: z.string(),
  s: z.string(),
  d: z.enum(["release", "deny"]),
  /** Seconds since the epoch. */
  e: z.int(),
  b: z.string(),
  r: z.string(),
  o: z.array(z.string()).optional(),
  c: z.record(z.string(), z.unknown()).optional(),
  f: z.string().optional(),
  t: z.string().optional(),
});

/** Signs links with a key of their own, made from the daemon's: another daemon, or a new key, refuses them. */
export function createGateLinks({
  key,
  publicUrl,
  now,
}: {
  key: Uint8Array;
  publicUrl: string;
  now(): Date;
}): GateLinks {
  const linkKey = Buffer.from(hkdfSync("sha256", key, "", "towpath gate links v1", 32));
  const sign = (body: string) => createHmac("sha256", linkKey).update(body).digest();

  return {
    mint({ id = randomBytes(9).toString("base64url"), ...link }) {
      const { user, role, roles = [], claims } = link.holder;
      const body = Buffer.from(
        JSON.stringify({
          i: id,
          p: link.project,
          n: link.promotion,
          u: link.promotionUid,
          s: link.step,
          d: link.decision,
          e: Math.floor(link.expiresAt.getTime() / 1000),
          b: user,
          r: role,
          ...(roles.length > 0 && { o: [...roles] }),
          ...(Object.keys(claims).length > 0 && { c: claims }),
          ...(link.madeFor !== undefined && { f: link.madeFor }),
          ...(link.tokenUid !== undefined && { t: link.tokenUid }),
        } satisfies z.infer<typeof Claims>),
      ).toString("base64url");
      const token = `${body}.${sign(body).toString("base64url")}`;
      return { url: `${publicUrl.replace(/\/$/, "")}${gateLinkFolder}/${token}`, id };
    },
    read(token) {
      const [body = "", signature = "", ...rest] = token.split(".");
      const shown = Buffer.from(signature, "base64url");
      const expected = sign(body);
      const isOurs =
        rest.length === 0 &&
        shown.length === expected.length &&
        timingSafeEqual(shown, expected) &&
        // Another spelling of the same bytes is another link.
        shown.toString("base64url") === signature;
      if (!isOurs) throw refusal("it is not one of this daemon's, or not all of it was copied", 404);
      const {
        i,
        p,
        n,
        u,
        s,
        d,
        e,
        b,
        r,
        o,
        c = {},
        f,
        t,
      } = Claims.parse(JSON.parse(Buffer.from(body, "base64url").toString("utf8")));
      const expiresAt = new Date(e * 1000);
      if (expiresAt <= now()) throw refusal(`it was good until ${expiresAt.toISOString()}`, 410);
      return {
        id: i,
        project: p,
        promotion: n,
        promotionUid: u,
        step: s,
        decision: d,
        expiresAt,
        holder: { user: b, role: r, ...(o && { roles: o }), claims: c },
        ...(f !== undefined && { madeFor: f }),
        ...(t !== undefined && { tokenUid: t }),
      };
    },
  };
}

/** The same links; each that is minted is kept out of what people read. */
export function hiddenLinks(links: GateLinks, masker: Pick<Masker, "add">): GateLinks {
  return {
    ...links,
    mint(link) {
      const minted = links.mint(link);
      masker.add(minted.url.slice(minted.url.lastIndexOf("/") + 1));
      return minted;
    },
  };
}

/** Whose right the links carry that nobody in particular had made, but the pipeline itself. */
export function pipelineHolder(madeFor?: string): Responder {
  return { user: madeFor === undefined ? "link" : `link:${madeFor}`, role: "", claims: {} };
}

/**
 * The two links of a gate, for messages about it. They carry the right of nobody in particular: a gate that says
 * whom it asks has to name `link:<madeFor>`. Asked again, they are the same.
 */
export function mintPair(
  links: GateLinks,
  gate: Pick<GateLink, "project" | "promotion" | "promotionUid" | "step">,
  { expiresAt, madeFor }: GateLinkRequest,
): GateLinkPair {
  const mint = (decision: GateLink["decision"]) =>
    mintForPipeline(links, { ...gate, decision, expiresAt: new Date(expiresAt), madeFor });
  return { release: mint("release"), deny: mint("deny"), expiresAt };
}

/** One link of the pipeline's own. The same every time, so that it may be minted whenever it is wanted. */
export function mintForPipeline(links: GateLinks, link: Omit<GateLink, "id" | "holder">): string {
  const named = [link.promotionUid, link.step, link.decision, link.madeFor ?? ""].join("\0");
  const id = createHash("sha256").update(named).digest("base64url").slice(0, 12);
  return links.mint({ ...link, id, holder: pipelineHolder(link.madeFor) }).url;
}

/** Links for whoever is told that the gate is open, if its step wants there to be any. */
export function linksForMessage(
  links: GateLinks,
  { metadata, spec }: GateResource,
): GateLinkPair | undefined {
  if (spec.links === undefined || spec.asks?.kind === "input") return undefined;
  const { promotion, promotionUid, step } = spec;
  return mintPair(links, { project: metadata.namespace ?? "", promotion, promotionUid, step }, spec.links);
}

/** Why a link does nothing. */
export function refusal(why: string, status: number): UserError {
  return new UserError(`This link decides nothing: ${why}`, { status });
}
