import { formatDuration, parseDuration } from "#core/resources/duration.ts";
import type { Freight, FreightStatus } from "#core/resources/freight.ts";
import { toTime } from "#core/stages/times.ts";

export function isVerifiedIn({ status }: Freight, stage: string): boolean {
  return status?.verifiedIn?.[stage] !== undefined;
}

export function isApprovedFor({ status }: Freight, stage: string): boolean {
  return status?.approvedFor?.[stage] !== undefined;
}

export function isCurrentlyIn({ status }: Freight, stage: string): boolean {
  return status?.currentlyIn?.[stage] !== undefined;
}

/**
 * How long the freight has at most been in the stage without a break, in milliseconds, its present stay
 * included. 0 when it was not verified there.
 */
export function longestSoak({ status }: Freight, stage: string, now: Date): number {
  const verified = status?.verifiedIn?.[stage];
  if (verified === undefined) return 0;
  const completed = parseDuration(verified.longestSoak ?? "0s") ?? 0;
  return Math.max(completed, presentStay(status, stage, now));
}

/** When the freight's present stay in the stage has lasted this long; undefined when it is not there. */
export function soakedAt({ status }: Freight, stage: string, requiredMilliseconds: number): Date | undefined {
  const since = status?.currentlyIn?.[stage]?.since;
  return since === undefined ? undefined : new Date(Date.parse(since) + requiredMilliseconds);
}

/** The freight has come into the stage, or is in it already. */
export function enter(status: FreightStatus, stage: string, now: Date): FreightStatus {
  if (status.currentlyIn?.[stage] !== undefined) return status;
  return { ...status, currentlyIn: { ...status.currentlyIn, [stage]: { since: toTime(now) } } };
}

/** The freight has left the stage. If it was verified there, its stay counts as soaked. */
export function leave(status: FreightStatus, stage: string, now: Date): FreightStatus {
  const { [stage]: present, ...currentlyIn } = status.currentlyIn ?? {};
  if (present === undefined) return status;
  const verified = status.verifiedIn?.[stage];
  const stay = presentStay(status, stage, now);
  const isLongest = verified !== undefined && stay > (parseDuration(verified.longestSoak ?? "0s") ?? 0);
  if (!isLongest) return { ...status, currentlyIn };
  const record = { ...verified, longestSoak: formatDuration(stay) };
  return { ...status, currentlyIn, verifiedIn: { ...status.verifiedIn, [stage]: record } };
}

/** The freight was verified in the stage; a verification that it had before stays as it is. */
export function verify(status: FreightStatus, stage: string, verifiedAt: string): FreightStatus {
  if (status.verifiedIn?.[stage] !== undefined) return status;
  return { ...status, verifiedIn: { ...status.verifiedIn, [stage]: { verifiedAt } } };
}

/** The freight turned out not to be good after all. */
export function takeBackVerification(status: FreightStatus, stage: string): FreightStatus {
  const { [stage]: verified, ...verifiedIn } = status.verifiedIn ?? {};
  return verified === undefined ? status : { ...status, verifiedIn };
}

export function approve(status: FreightStatus, stage: string, now: Date): FreightStatus {
  if (status.approvedFor?.[stage] !== undefined) return status;
  return { ...status, approvedFor: { ...status.approvedFor, [stage]: { approvedAt: toTime(now) } } };
}

function presentStay(status: FreightStatus | undefined, stage: string, now: Date): number {
  const since = status?.currentlyIn?.[stage]?.since;
  return since === undefined ? 0 : now.getTime() - Date.parse(since);
}
