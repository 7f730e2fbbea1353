import { UserError } from "#core/failure.ts";
import type { GateResource } from "#core/promotion/gate-resource.ts";
import { type Gate, toGate } from "#core/promotion/gates.ts";
import type { ResourceChange } from "#core/store/store.ts";
import type { Api } from "#server/api/api.ts";
import { findGate } from "#server/api/gate-address.ts";
import type { ServerContext } from "#server/route.ts";

const usualSeconds = 60;
const longestSeconds = 600;

/** Takes a place among those who wait, and returns what gives it back. Throws a UserError (503) when all are taken. */
export type TakePlace = () => () => void;

export function createPlaces(limit: number): TakePlace {
  let taken = 0;
  return () => {
    if (taken >= limit) throw new UserError(`Cannot wait: ${limit} callers wait already`, { status: 503 });
    taken++;
    return () => {
      taken--;
    };
  };
}

/**
 * Answers when the gate is decided: 200 for a release, 409 otherwise, 410 when its promotion ended without a
 * decision, and 202 when `?timeout=` seconds have passed. A caller that names a stage waits for its gate to open, too.
 */
export async function waitForGate(c: ServerContext, api: Api, takePlace: TakePlace): Promise<Response> {
  const milliseconds = secondsFrom(c.req.query("timeout")) * 1000;
  const isMeant = matcher(c);
  const { promise, resolve } = Promise.withResolvers<Gate | "gone" | undefined>();
  const leave = takePlace();
  const unwatch = api.store.watch((change) => {
    const gate = change.resource as GateResource;
    if (!isMeant(change)) return;
    if (gate.status?.state !== undefined) resolve(toGate(gate));
    else if (change.type === "DELETED") resolve("gone");
  });
  const giveUp = () => resolve(undefined);
  const timer = setTimeout(giveUp, milliseconds);
  const signals = [c.req.raw.signal, api.closing];
  for (const signal of signals) signal.addEventListener("abort", giveUp, { once: true });
  try {
    const now = await findGate(c, api);
    if (now === undefined && c.req.param("promotion") !== undefined) throw noGate(c);
    const outcome = now !== undefined && now.state !== "open" ? now : await promise;
    if (outcome === "gone") return c.json({ error: "the promotion ended before the gate was decided" }, 410);
    if (outcome === undefined) return c.json((await findGate(c, api)) ?? { state: "closed" }, 202);
    return c.json(outcome, outcome.state === "released" ? 200 : 409);
  } finally {
    clearTimeout(timer);
    for (const signal of signals) signal.removeEventListener("abort", giveUp);
    unwatch();
    leave();
  }
}

function matcher(c: ServerContext): (change: ResourceChange) => boolean {
  const [project, promotion, stage, step] = ["project", "promotion", "stage", "step"].map((name) =>
    c.req.param(name),
  );
  return ({ resource: { kind, metadata, spec } }) => {
    if (kind !== "Gate" || metadata.namespace !== project) return false;
    const gate = spec as GateResource["spec"];
    return (
      gate.step === step && (promotion === undefined ? gate.stage === stage : gate.promotion === promotion)
    );
  };
}

function secondsFrom(text: string | undefined): number {
  if (text === undefined) return usualSeconds;
  const seconds = Number(text);
  if (text !== "" && seconds >= 0 && seconds <= longestSeconds) return seconds;
  throw new UserError(`Cannot wait for "${text}" seconds: give a number from 0 to ${longestSeconds}`);
}

function noGate(c: ServerContext): UserError {
  return new UserError(`Promotion "${c.req.param("promotion")}" has no gate "${c.req.param("step")}"`, {
    status: 404,
  });
}
