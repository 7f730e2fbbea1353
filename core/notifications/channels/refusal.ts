import { DeliveryFailure } from "#core/notifications/channels/channel.ts";

const longestQuote = 300;

/** Throws when a server did not take a message, and tells whether trying again can help. */
export async function refuseStatus(who: string, response: Response): Promise<void> {
  if (response.ok) return;
  const text = (await response.text().catch(() => "")).trim().slice(0, longestQuote);
  throw statusFailure(`${who} answered ${response.status}${text ? `: ${text}` : ""}`, response);
}

/** The failure that a status means. Too many requests, and what the server has to blame itself for, pass. */
export function statusFailure(
  message: string,
  { status, headers }: Pick<Response, "status" | "headers">,
): DeliveryFailure {
  const passes = status < 400 || status >= 500 || [408, 425, 429].includes(status);
  const seconds = Number(headers.get("retry-after") ?? Number.NaN);
  return new DeliveryFailure(message, {
    permanent: !passes,
    ...(Number.isFinite(seconds) && seconds > 0 ? { retryAfterSeconds: seconds } : {}),
  });
}
